"""Keys of the desk: each is listed, shown where it works, and never means two things at once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import routing.desk
from routing.core.interaction import InteractionState, Role
from routing.core.roles import ROLE_TABLE, Action
from routing.desk.agent.actions import CONTROLS, control_of
from routing.desk.agent.keys import SHORTCUTS

TEMPLATES = Path(routing.desk.__file__).parent / "templates" / "agent"
LISTED = {shortcut.key for shortcut in SHORTCUTS}


def test_every_key_is_in_the_list_once() -> None:
    assert Counter(shortcut.key for shortcut in SHORTCUTS).most_common(1)[0][1] == 1
    of_buttons = {control.key for control in CONTROLS if control.key}
    written = {
        key for path in TEMPLATES.rglob("*.html") for key in re.findall(r'data-key="([\w+]+)"', path.read_text("utf-8"))
    }
    assert of_buttons | written | {"?"} == LISTED


@pytest.mark.req("DESK-03")
def test_every_key_that_works_is_told_to_screen_readers() -> None:
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text("utf-8")
        told = re.findall(r'data-key="[^"]+" aria-keyshortcuts="([\w+]+|{{ one.key)', text)
        assert [key.lower() for key in told] == re.findall(r'data-key="([\w+]+|{{ one.key)', text), path.name


@pytest.mark.parametrize(("state", "role"), sorted(ROLE_TABLE))
def test_in_no_state_one_key_is_on_two_buttons(state: InteractionState, role: Role) -> None:
    shown = [control for action in ROLE_TABLE[state, role] if (control := control_of(action.value))]
    keys = Counter(control.key for control in shown if control.key)
    assert [key for key, count in keys.items() if count > 1] == []
    slots = Counter((control.pane, control.slot) for control in shown)
    assert [slot for slot, count in slots.items() if count > 1] == []


@pytest.mark.req("DESK-03")
def test_what_agents_do_all_day_has_a_key() -> None:
    daily = (Action.HOLD, Action.RESUME, Action.TRANSFER, Action.CONSULT, Action.END, Action.CONFERENCE)
    assert all((control := control_of(action.value)) and control.key for action in daily)
    assert {"a", "i", "shift+w", "d", "n", "o", "?"} <= LISTED


def test_what_cannot_be_taken_back_needs_shift() -> None:
    final = (Action.END, Action.CANCEL_OUTDIAL, Action.END_CONSULT, Action.EXIT_CONSULT, Action.COMPLETE_TRANSFER)
    assert all((control := control_of(action.value)) and control.key.startswith("shift+") for action in final)
