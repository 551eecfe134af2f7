"""Kinds of problems of campaigns and their records: what the rules of the product refuse."""

from __future__ import annotations

from routing.api.problem_kind import LOOK, Kind, kind

CAMPAIGNS: dict[str, Kind] = {
    "campaign-unknown": kind(
        404,
        "There is no such campaign",
        "The running configuration has no campaign of this id, or it is not for you to see.",
        "`GET /v1/campaigns` lists them; an agent sees his own with `GET /v1/agents/ID/campaigns`.",
    ),
    "campaign-not-loaded": kind(
        409,
        "The campaign is not loaded",
        "Agents join and work for a campaign while it is loaded, running or paused.",
        "Load it: `POST /v1/campaigns/ID/load`.",
    ),
    "campaign-not-of-team": kind(
        403,
        "The agent cannot join this campaign",
        "`because` is `team`: the campaign is not assigned to his team; or `logged_out`.",
        "Assign his team to the campaign, or sign him in.",
    ),
    "campaign-not-running": kind(
        409,
        "The campaign is not running",
        "Records are given out and dialed while it is running, not while it is loaded or paused.",
        "Start it: `POST /v1/campaigns/ID/start`.",
    ),
    "campaign-not-joined": kind(
        409,
        "The agent has not joined this campaign",
        "Nothing is delivered to who has not said that he is ready (CAMP-05).",
        "Join it: `POST /v1/agents/ID/campaigns/CAMPAIGN/join`.",
    ),
    "no-record": kind(
        409,
        "There is no record now",
        "`reason` is `mode` (in this mode records are laid before agents, nobody asks for one), `empty` (none is "
        "ready) or `kept` (those that are ready are not for this agent now).",
        "`GET /v1/campaigns/ID/why` tells what holds the others back. Try again later.",
    ),
    "record-unknown": kind(
        404,
        "There is no such record",
        "It never was, or it belongs to another tenant.",
        "`GET /v1/campaigns/ID/records` lists them.",
    ),
    "record-not-dialable": kind(
        409,
        "The record cannot be dialed now",
        "`because` says why: window, in_flight, today (its attempts of the contact's day are used up), spent, "
        "no_number, no_trunk, not_running.",
        "Decline it with `later`, or choose another of its numbers.",
    ),
    "record-refused": kind(
        409,
        "That is not possible with this record",
        "`reason` is not_ready (the agent cannot be rung, see `because`), window (closed until `next_open_at`), "
        "other_number, limit, no_number, choice, callback (one is planned) or gone.",
        LOOK,
    ),
    "record-not-done": kind(
        409,
        "The record cannot be closed yet",
        "`reason` is disposition_required, callback_past (the time of the callback has passed) or nothing_decided.",
        "Choose a disposition; correct the callback, or take it back; then mark it done again.",
    ),
    "advice-not-possible": kind(
        422,
        "No advice is possible",
        "The campaign has too few attempts to learn from, nobody has joined it, or the simulation took too long.",
        "Give `rate` and `agents`; for large teams use `switchroom campaign advise`.",
    ),
    "record-held": kind(
        409,
        "The record is in use",
        "An agent has it before him, or it is being called; or `reason` names why it stays as it is.",
        "Try again when that is over.",
    ),
    "disposition-refused": kind(
        422,
        "The disposition is refused",
        "`reason` is unknown (the campaign does not have `codes`) or single (it allows one).",
        "Choose from the dispositions that the interaction's `campaign` lists.",
    ),
    "plan-refused": kind(
        422,
        "No callback is scheduled so",
        "`reason` is past, zone, personal, other_number, do_not_call, none, or window (closed then, open from "
        "`next_open_at` on).",
        "Choose another time, zone or number.",
    ),
    "guide-refused": kind(
        422,
        "The answers are refused",
        "`reason` is no_guide, submitted, unknown or answer (of `question`), or incomplete (`question` is open).",
        "Answer the questions that `GET .../guide` shows.",
    ),
}
