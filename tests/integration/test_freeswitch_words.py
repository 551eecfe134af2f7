"""The twin of FreeSWITCH's splitting against FreeSWITCH itself (SAFE-03)."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from deploy.lab.freeswitch import Console, FreeSwitch
from telephony.freeswitch import actions
from telephony.safety import plain
from tests.unit.freeswitch_twin import by_blanks
from tests.unit.test_freeswitch_actions import HOSTILE
from tests.waiting import wait_until

pytestmark = [pytest.mark.req("SAFE-03"), pytest.mark.freeswitch]

CHANNEL = "words"
LETTERS = "\\' ntrsab\"^$%{}()[]<>,=;|&:äö"


@pytest.fixture(scope="module")
def console() -> Iterator[Console]:
    with FreeSwitch(agents=["1001"]) as pbx, Console("127.0.0.1", pbx.esl_port, pbx.esl_secret) as console:
        console.api(f"bgapi originate {{origination_uuid={CHANNEL},null_enable_auto_answer=true}}null/x &park")
        wait_until(lambda: console.api(f"uuid_exists {CHANNEL}") == "true")
        yield console


def stored(console: Console) -> str:
    value = console.api(f"uuid_getvar {CHANNEL} SR_X")
    return "" if value == "_undef_" else value


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_stored_as_it_was_ordered(console: Console, value: str) -> None:
    assert console.api(actions.set_variable(CHANNEL, "SR_X", value).line).startswith("+OK")
    assert stored(console) == plain(value)


def test_values_of_odd_letters_are_stored_as_they_were_ordered(console: Console) -> None:
    chance = random.Random(7)
    for _ in range(500):
        value = "".join(chance.choices(LETTERS, k=chance.randrange(1, 15)))
        console.api(actions.set_variable(CHANNEL, "SR_X", value).line)
        assert stored(console) == value


def test_the_twin_takes_a_raw_line_apart_as_freeswitch_does(console: Console) -> None:
    chance = random.Random(8)
    for _ in range(500):
        raw = "".join(chance.choices(LETTERS, k=chance.randrange(1, 15))).strip()
        words = by_blanks(f"{CHANNEL} SR_X {raw}", 3)
        console.api(f"uuid_setvar {CHANNEL} SR_X {raw}".rstrip())
        assert stored(console) == (words[2] if len(words) == 3 else "")
