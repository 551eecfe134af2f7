"""The words for ids of the API that supervisors alone are shown."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from routing.desk import words
from routing.desk.language import DASH, gettext, noop, percent
from routing.desk.site import pages

# Agents of a queue as a wallboard counts them, the most wanted first.
STAFF = ("available", "reserved", "connected", "held", "consulting", "conference", "wrap_up", "idle", "preview",
         "seated", "rona", "logged_out")  # fmt: skip

CAMPAIGN_STATES = {
    "stopped": noop("Stopped"),
    "loaded": noop("Loaded"),
    "running": noop("Running"),
    "paused": noop("Paused"),
}
CAMPAIGN_MARKS = {"running": "good", "paused": "warn", "loaded": "info"}
DIAL_MODES = {
    "preview": noop("Preview"),
    "push_preview": noop("Preview, pushed"),
    "progressive": noop("Progressive"),
    "predictive": noop("Predictive"),
}
IMPORT_STATES = {
    "uploading": noop("Uploading"),
    "waiting": noop("Waiting for a worker"),
    "running": noop("Running"),
    "done": noop("Done"),
    "failed": noop("Failed"),
    "cancelled": noop("Cancelled"),
}
PHONE_STATES = {
    "free": noop("Free"),
    "busy": noop("Busy"),
    "ringing": noop("Ringing"),
    "unreachable": noop("Unreachable"),
    "unknown": noop("Unknown"),
}


def import_state(state: str) -> str:
    return _word(IMPORT_STATES, state)


def phone_state(state: str) -> str:
    return _word(PHONE_STATES, state)


def campaign_state(state: str) -> str:
    return _word(CAMPAIGN_STATES, state)


def dial_mode(mode: str) -> str:
    return _word(DIAL_MODES, mode)


def campaign_mark(state: str) -> str:
    """The class of its badge."""
    return CAMPAIGN_MARKS.get(state, "")


def hit_rate(campaign: dict[str, Any]) -> str:
    """Of 100 calls so many are answered by a person: as the pacing has learned it, else of the legal window."""
    learned, drops = campaign["pacing"].get("answer_rate"), campaign["drops"]
    if learned is not None:
        return percent(learned * 100)
    return percent(drops["live"] / drops["attempts"] * 100 if drops["attempts"] else None)


def drop_rate(drops: dict[str, Any]) -> Markup:
    """Against the cap, with a mark that can be read without its color."""
    rate, cap = drops["drop_rate"], drops["cap"]
    if rate is None:
        return Markup("{}").format(DASH)
    is_over = rate > cap
    said = gettext("Over the cap") if is_over else gettext("Within the cap")
    shown = Markup('<span class="nowrap {0}" title="{1}">{2} {3}<span class="visually-hidden"> {1}</span></span>')
    return shown.format("bad-text" if is_over else "good-text", said, "▲" if is_over else "✓", percent(rate * 100, 2))


def _word(known: dict[str, str], id_: str) -> str:
    return gettext(known[id_]) if id_ in known else id_


def staff_of(counts: dict[str, int]) -> list[dict[str, object]]:
    """Counts by state as a row of marks, in the order of STAFF; states that nobody is in are left out."""
    order = {state: place for place, state in enumerate(STAFF)}
    shown = sorted((state for state, count in counts.items() if count), key=lambda s: (order.get(s, len(order)), s))
    return [{"state": state, "count": counts[state], "word": words.agent_state(state)} for state in shown]


pages.add_app_template_filter(campaign_state, "campaign_state")
pages.add_app_template_filter(campaign_mark, "campaign_mark")
pages.add_app_template_filter(dial_mode, "dial_mode")
pages.add_app_template_filter(drop_rate, "drop_rate")
pages.add_app_template_filter(hit_rate, "hit_rate")
pages.add_app_template_filter(import_state, "import_state")
pages.add_app_template_filter(phone_state, "phone_state")
pages.add_app_template_filter(staff_of, "staff")
