"""Why nothing is dialed, in sentences; what a pacing number was made of; and why an adviser says what it says."""

from __future__ import annotations

from typing import Any

from routing.desk.language import gettext as _
from routing.desk.language import ngettext, noop, number, percent, seconds
from routing.desk.site import pages
from routing.desk.words_calls import unavailable

# Of the campaign as a whole: nothing is counted.
STATES = {
    "not_loaded": noop("The campaign is not loaded."),
    "stopped": noop("The campaign is not loaded."),
    "loaded": noop("The campaign is loaded, but not started."),
    "paused": noop("The campaign is paused."),
    "no_agents_joined": noop("No agent has joined."),
    "hopper_empty": noop("No record is ready."),
    "no_pacing": noop("No pacing has come for 10 seconds. Do a worker and a ticker run?"),
    "lines_full": noop("All lines of the campaign are in use."),
    "link_down": noop("The link to the telephone system is down."),
    "capacity_26": noop("The limit of the data center is reached (26)."),
    "capacity_27": noop("The limit of the organization is reached (27)."),
    "dial_rate": noop("The limit of numbers dialed within a minute is reached."),
    "list_empty": noop("The lists have no open record."),
    "no_lookups": noop("No process checks numbers against the do-not-call lists. Start switchroom lookups."),
    "no_worker": noop("No worker runs: records are not fetched from their lists, and nothing is paced."),
    "no_ticker": noop("No ticker runs: nobody asks for records and pacing when it is time."),
}


def _counted(reason: str, count: int) -> str:
    """Of records, calls or agents; empty for a word that is not known here."""
    told = {
        "budget_spent": lambda: ngettext(
            "%(count)s call is held back: dropped calls leave no room within the cap.",
            "%(count)s calls are held back: dropped calls leave no room within the cap.", count),
        "no_trunk": lambda: ngettext(
            "%(count)s record: the telephone system has no line for its number.",
            "%(count)s records: the telephone system has no line for their numbers.", count),
        "window_closed": lambda: ngettext(
            "%(count)s record: its calling window is closed now.",
            "%(count)s records: their calling window is closed now.", count),
        "in_flight": lambda: ngettext(
            "%(count)s record: its number is being called, or talked with, now.",
            "%(count)s records: their numbers are being called, or talked with, now.", count),
        "today": lambda: ngettext(
            "%(count)s record: its attempts of the day are used up.",
            "%(count)s records: their attempts of the day are used up.", count),
        "spent": lambda: ngettext(
            "%(count)s record: no attempt is left.", "%(count)s records: no attempt is left.", count),
        "no_number": lambda: ngettext(
            "%(count)s record: none of its numbers may be dialed.",
            "%(count)s records: none of their numbers may be dialed.", count),
        "reserved": lambda: ngettext(
            "%(count)s record was dropped and is not dialed without an agent for some days.",
            "%(count)s records were dropped and are not dialed without an agent for some days.", count),
        "callbacks": lambda: ngettext(
            "%(count)s callback waits for an agent.", "%(count)s callbacks wait for an agent.", count),
        "checking": lambda: ngettext(
            "%(count)s record is being checked against the do-not-call lists.",
            "%(count)s records are being checked against the do-not-call lists.", count),
        "unchecked": lambda: ngettext(
            "%(count)s record could not be checked against the do-not-call lists.",
            "%(count)s records could not be checked against the do-not-call lists.", count),
        "list_resting": lambda: ngettext(
            "%(count)s open record in the lists is due later.",
            "%(count)s open records in the lists are due later.", count),
        "list_window_closed": lambda: ngettext(
            "%(count)s due record in the lists: its calling window is closed now.",
            "%(count)s due records in the lists: their calling window is closed now.", count),
    }  # fmt: skip
    return told[reason]() % {"count": number(count)} if reason in told else ""


def why_sentence(reason: dict[str, Any]) -> str:
    """A line of `/why`; what the API says of it where there is no sentence of ours."""
    name, count = reason["reason"], reason["count"]
    if name in STATES:
        return _(STATES[name])
    if name.startswith("agent_"):
        told = ngettext(
            "%(count)s agent who has joined is not free: %(why)s.",
            "%(count)s agents who have joined are not free: %(why)s.",
            count,
        )
        return told % {"count": number(count), "why": unavailable(name.removeprefix("agent_"))}
    return _counted(name, count) or _("%(count)s: %(meaning)s") % {"count": number(count), "meaning": reason["meaning"]}


PACING = {
    "asked": noop("Calls asked for"),
    "begun": noop("Calls begun"),
    "expected_free": noop("Agents free"),
    "answer_rate": noop("Hit rate"),
    "answer_rate_deviation": noop("Doubt of the hit rate"),
    "risk_level": noop("Risk level"),
    "budget_left": noop("Drops left in the budget"),
    "allowed_share": noop("Share of drops allowed"),
    "answered": noop("Answered"),
    "abandoned": noop("Abandoned"),
    "talk_s": noop("Talk time"),
    "wrap_up_s": noop("Wrap-up"),
    "clipped_agents": noop("Held back: no agent"),
    "clipped_lines": noop("Held back: lines"),
    "clipped_budget": noop("Held back: budget"),
    "clipped_hopper": noop("Held back: no record"),
    "clipped_dial_rate": noop("Held back: dial rate"),
    "clipped_capacity_26": noop("Held back: data center"),
    "clipped_capacity_27": noop("Held back: organization"),
    "clipped_progressive": noop("Left to one-to-one dialing"),
}
_SHARES = frozenset({"answer_rate", "answer_rate_deviation", "risk_level", "allowed_share"})
_SPANS = frozenset({"talk_s", "wrap_up_s"})


def pacing_facts(pacing: dict[str, float]) -> list[tuple[str, str]]:
    """What the last number was made of, as names and values for people, in the order of PACING."""
    return [(_(PACING[name]), _pacing_value(name, pacing[name])) for name in PACING if name in pacing]


def _pacing_value(name: str, value: float) -> str:
    if name in _SHARES:
        return percent(value * 100)
    return seconds(value) if name in _SPANS else number(value, 0 if float(value).is_integer() else 1)


pages.add_app_template_filter(why_sentence, "why_sentence")
pages.add_app_template_filter(pacing_facts, "pacing_facts")
