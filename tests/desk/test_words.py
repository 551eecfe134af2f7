"""There is a word for each state that the server can be in: people are shown no ids."""

from __future__ import annotations

from routing.core.agent import AgentState, EngagementState
from routing.desk.supervisor.wallboard import calls_by_kind
from routing.desk.supervisor.wording import STAFF
from routing.desk.words import AGENT_STATES
from routing.desk.words_calls import UNAVAILABLE
from routing.desk.words_work import UNREADY

# As `Agent.shown_state` has it: an offered call is told as `reserved`.
STATES = {state.value for state in (*AgentState, *EngagementState)} - {"offered"} | {"reserved"}


def test_every_state_of_an_agent_has_a_word_and_a_place_on_the_wallboard() -> None:
    assert AGENT_STATES.keys() >= STATES
    assert set(STAFF) >= STATES


def test_every_state_that_keeps_calls_away_is_told_in_words() -> None:
    busy = STATES - {"available"}
    assert UNAVAILABLE.keys() >= busy
    assert UNREADY.keys() >= busy


def test_who_is_being_called_does_not_wait() -> None:
    states = {
        "queued": 2,
        "reached": 1,
        "calling_customer": 3,
        "calling_agent": 1,
        "seated": 2,
        "connected": 4,
        "held": 1,
    }
    assert calls_by_kind(states) == {"waiting": 3, "talking": 5, "other": 4}
