"""Why is nothing dialed? Of the live state, the lists in SQL, and the processes that dialing needs (DIALER-11)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from routing.core import dial_reasons
from routing.core.world import World
from routing.store.sql.campaign_counts import RecordCounts

NEEDED = {
    "lookups": "no process checks numbers against the do-not-call lists: start switchroom lookups",
    "worker": "no worker runs: records are not fetched from their lists, and nothing is paced",
    "ticker": "no ticker runs: nobody asks for records and for pacing when it is time",
}
MEANINGS = {
    "not_loaded": ("campaign", "it is not loaded"),
    "stopped": ("campaign", "it is not loaded"),
    "loaded": ("campaign", "it is loaded, and not started"),
    "paused": ("campaign", "it is paused"),
    "no_agents_joined": ("campaign", "no agent has joined it"),
    "hopper_empty": ("campaign", "no record is ready"),
    "no_pacing": ("campaign", "no pacing has come for 10 s: do a worker and a ticker run?"),
    "lines_full": ("campaign", "all of its lines are in use"),
    "budget_spent": ("calls", "dropped calls leave no room within the cap"),
    "link_down": ("campaign", "the link to the PBX is down"),
    "capacity_26": ("campaign", "the limit of the data centre is reached (26)"),
    "capacity_27": ("campaign", "the limit of the tenant is reached (27)"),
    "dial_rate": ("campaign", "the limit of numbers dialed within a minute is reached"),
    "no_trunk": ("records", "the PBX has no trunk, or none for such a number"),
    "window_closed": ("records", "their calling window is closed now"),
    "in_flight": ("records", "their number is being called, or talked with, now"),
    "today": ("records", "their attempts of the contact's day are used up"),
    "spent": ("records", "no attempt is left"),
    "no_number": ("records", "none of their numbers may be dialed"),
    "reserved": ("records", "they were dropped, and are not dialed without an agent for some days"),
    "callbacks": ("records", "callbacks that wait for an agent"),
    "checking": ("records", "they are being checked against the do-not-call lists"),
    "unchecked": ("records", "nobody could check them against the do-not-call lists"),
    "list_empty": ("campaign", "its lists have no open record"),
    "list_resting": ("list", "open records that are due later"),
    "list_window_closed": ("list", "due records whose calling window is closed now"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyRow:
    """`of`: what is counted: campaign, agents, records, calls, list or processes."""

    reason: str
    count: int
    of: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """`reasons`: of the campaign as a whole first, then by how many they concern."""

    campaign: str
    state: str
    is_dialing: bool
    reasons: tuple[WhyRow, ...]
    list_counts: RecordCounts | None


def why(world: World, campaign_id: str, listed: RecordCounts | None, alive: Collection[str]) -> Why:
    """`listed`: None where the database cannot be asked; it matters where no record is ready. `alive`: kinds of
    processes that run.
    """
    found = dial_reasons.why(world, campaign_id)
    calling, live = found.pop("calling", 0), world.state.campaigns.get(campaign_id)
    if listed is not None and "hopper_empty" in found:
        found |= _of_lists(listed)
    rows = [_row(reason, count) for reason, count in found.items()]
    rows += [WhyRow(reason=f"no_{kind}", count=1, of="processes", meaning=NEEDED[kind]) for kind in _missing(alive)]
    return Why(
        campaign=campaign_id,
        state=live.state.value if live else "stopped",
        is_dialing=calling > 0,
        reasons=tuple(sorted(rows, key=lambda row: (row.of not in ("campaign", "processes"), -row.count, row.reason))),
        list_counts=listed,
    )


def _missing(alive: Collection[str]) -> list[str]:
    return [kind for kind in NEEDED if kind not in alive]


def _of_lists(listed: RecordCounts) -> dict[str, int]:
    found = {
        "list_empty": int(not (listed.due or listed.window_closed or listed.not_due or listed.callbacks_later)),
        "list_resting": listed.not_due + listed.callbacks_later,
        "list_window_closed": listed.window_closed,
    }
    return {reason: count for reason, count in found.items() if count}


def _row(reason: str, count: int) -> WhyRow:
    if because := reason.removeprefix("agent_") if reason.startswith("agent_") else "":
        return WhyRow(reason=reason, count=count, of="agents", meaning=f"joined, and not free: {because}")
    of, meaning = MEANINGS.get(reason, ("calls", reason.replace("_", " ")))
    return WhyRow(reason=reason, count=count, of=of, meaning=meaning)
