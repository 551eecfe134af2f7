"""The words for what the API names by ids: states, actions, results, problems. Each is translated where it is shown."""

from __future__ import annotations

from routing.api.problem_kinds import KINDS
from routing.desk import words_calls, words_work
from routing.desk.language import gettext, noop

AGENT_STATES = {
    "available": noop("Available"),
    "idle": noop("Idle"),
    "logged_out": noop("Signed out"),
    "reserved": noop("Reserved"),
    "ringing": noop("Ringing"),
    "connected": noop("Connected"),
    "held": noop("On hold"),
    "consulting": noop("Consulting"),
    "conference": noop("Conference"),
    "wrap_up": noop("Wrap-up"),
    "rona": noop("Missed a call"),
    "preview": noop("Record"),
    "seated": noop("Waiting for a contact"),
}


def agent_state(state: str) -> str:
    return gettext(AGENT_STATES[state]) if state in AGENT_STATES else state


def problem(code: str) -> str:
    """What a refusal is about."""
    kind = KINDS.get(code)
    return gettext(kind.title) if kind else gettext("That did not work")


FILTERS = {"agent_state": agent_state} | words_calls.FILTERS | words_work.FILTERS
