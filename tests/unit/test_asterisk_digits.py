"""DTMF on the wire of a scripted Asterisk: one digit per action, with room between, in order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from routing.core.commands import PlayDigits
from telephony.answers import Answer, Answered
from telephony.asterisk.actions import play_digit
from telephony.asterisk.legs import Legs
from telephony.asterisk.wire import AmiWire
from telephony.digits import SPACE_S, Digits
from telephony.legs import Leg, LegKind
from telephony.safety import UnsafeAction

LEG = "leg_a-1.1"


class Wire:
    """What was sent and when, on a clock that the test moves; every action is answered with `answer` at once."""

    def __init__(self) -> None:
        legs = Legs("p")
        legs.add(Leg(leg_id=LEG, uid="a-1.1", kind=LegKind.ARRIVED, is_up=True))
        self.now = 0.0
        self.answer: Answer | None = Answer(Answered.SUCCESS)
        self.sent: list[tuple[float, str]] = []
        self.ends: list[tuple[str, Answered]] = []
        self._due: list[tuple[float, Callable[[], None]]] = []
        self.digits = Digits(legs, AmiWire(self._send), lambda *end: self.ends.append(end[:2]), self._later)

    def _send(self, fields: dict[str, Any], on_answer: Callable[[Answer], None]) -> None:
        assert (fields["Action"], fields["Channel"]) == ("PlayDTMF", "a-1.1")
        self.sent.append((round(self.now, 3), fields["Digit"]))
        if self.answer:
            on_answer(self.answer)

    def _later(self, delay_s: float, call: Callable[[], None]) -> None:
        self._due.append((self.now + delay_s, call))

    def play(self, command_id: str, digits: str, leg_id: str = LEG) -> None:
        self.digits.begin(PlayDigits(id=command_id, pbx="p", leg_id=leg_id, digits=digits))

    def run(self) -> None:
        while self._due:
            self._due.sort(key=lambda due: due[0])
            self.now, call = self._due.pop(0)
            call()


@pytest.mark.req("ACT-02")
def test_digits_are_spaced_and_a_second_order_waits_for_the_first() -> None:
    wire = Wire()
    wire.play("one", "12")
    wire.play("two", "3")
    wire.run()
    wire.play("three", "4")
    assert [digit for _, digit in wire.sent] == ["1", "2", "3", "4"]
    times = [at for at, _ in wire.sent]
    assert all(later - earlier >= SPACE_S - 0.001 for earlier, later in pairwise(times))
    assert wire.ends == [("one", Answered.SUCCESS), ("two", Answered.SUCCESS), ("three", Answered.SUCCESS)]


@pytest.mark.req("ACT-02")
def test_a_refused_digit_ends_its_order_and_the_next_order_is_tried() -> None:
    wire = Wire()
    wire.answer = Answer(Answered.ERROR, "no such channel")
    wire.play("one", "123")
    wire.answer = Answer(Answered.SUCCESS)
    wire.play("two", "9")
    wire.run()
    assert [digit for _, digit in wire.sent] == ["1", "9"]
    assert wire.ends == [("one", Answered.ERROR), ("two", Answered.SUCCESS)]


def test_a_lost_link_ends_all_of_them_once() -> None:
    wire = Wire()
    wire.play("one", "12")
    wire.play("two", "3")
    wire.digits.clear()
    wire.run()
    wire.digits.clear()
    assert [digit for _, digit in wire.sent] == ["1"]
    assert wire.ends == [("one", Answered.CUT), ("two", Answered.CUT)]
    wire.play("three", "4")
    assert wire.ends[-1] == ("three", Answered.SUCCESS)


@pytest.mark.parametrize("digit", ["", "12", "a", "E", "1\r\nAction: Logoff"])
def test_nothing_but_one_digit_gets_on_the_wire(digit: str) -> None:
    with pytest.raises(UnsafeAction):
        play_digit("a-1.1", digit)


def test_a_leg_that_nobody_knows_gets_none() -> None:
    wire = Wire()
    wire.play("one", "1", "leg_other")
    assert (wire.sent, wire.ends) == ([], [("one", Answered.ERROR)])
