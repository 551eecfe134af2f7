"""How commands end against a scripted Asterisk: refused by the PBX, or not even said to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from routing.core.commands import Command, DialLeg, HangUpLeg, MarkLeg, ReturnLeg
from routing.core.config import Result
from routing.core.facts import CommandEnded, CommandOutcome, DialFailed, DialOutcome, Fact
from telephony.answers import Answer, Answered
from telephony.asterisk.legs import Legs
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.wire import AmiWire
from telephony.commands import Commands
from telephony.legs import Leg, LegKind
from tests.waiting import run, until

CUSTOMER = "leg_a-1.1"
REFUSED, UNKNOWN = CommandOutcome.REFUSED, CommandOutcome.UNKNOWN
HANG_UP = HangUpLeg(id="c", pbx="p", leg_id=CUSTOMER)
MARK = MarkLeg(id="c", pbx="p", leg_id=CUSTOMER, variables={"SR_RESULT": "answered"})
RETURN = ReturnLeg(id="c", pbx="p", leg_id=CUSTOMER, result=Result.TIMEOUT)
DIAL = DialLeg(id="c", pbx="p", leg_id="leg_x", interaction_id="int_1", phone="PJSIP/1", timeout_s=9)


def outcome_of(command: Command, answer: Answer | None) -> tuple[list[CommandOutcome], list[Fact]]:
    """Ends of the command, and the other facts, when every action gets this answer (None: none at all)."""
    facts: list[Fact] = []

    def send(_: object, on_answer: Callable[[Answer], None]) -> None:
        if answer is not None:
            asyncio.get_running_loop().call_soon(on_answer, answer)

    async def play() -> None:
        legs = Legs("p")
        legs.add(Leg(leg_id=CUSTOMER, uid="a-1.1", kind=LegKind.ARRIVED, is_up=True))
        settings = AsteriskSettings(pbx="p", username="u", secret="s", step_timeout_s=0.01)
        Commands(settings, legs, AmiWire(send), facts.append, lambda: 0.0).take(command)
        await until(lambda: any(isinstance(fact, CommandEnded) for fact in facts))

    run(play())
    ends = [fact.outcome for fact in facts if isinstance(fact, CommandEnded)]
    return ends, [fact for fact in facts if not isinstance(fact, CommandEnded)]


@pytest.mark.req("SAFE-02", "SAFE-05")
@pytest.mark.parametrize("command", [HANG_UP, MARK, RETURN], ids=lambda c: type(c).__name__)
@pytest.mark.parametrize(("how", "expected"), [(Answered.ERROR, REFUSED), (Answered.UNSENT, UNKNOWN)])
def test_what_found_no_room_on_the_link_was_not_refused_by_the_pbx(
    command: Command, how: Answered, expected: CommandOutcome
) -> None:
    assert outcome_of(command, Answer(how, "why")) == ([expected], [])


@pytest.mark.req("SAFE-02")
def test_a_way_back_that_is_never_confirmed_is_not_known_to_have_failed() -> None:
    assert outcome_of(RETURN, Answer(Answered.SUCCESS)) == ([UNKNOWN], [])
    assert outcome_of(RETURN, None) == ([UNKNOWN], [])


@pytest.mark.req("SAFE-02", "SAFE-05")
@pytest.mark.parametrize("how", [Answered.ERROR, Answered.UNSENT])
def test_a_dial_that_certainly_was_not_made_is_refused_and_has_failed_as_congestion(how: Answered) -> None:
    failed = DialFailed(pbx="p", leg_id="leg_x", outcome=DialOutcome.CONGESTION)
    assert outcome_of(DIAL, Answer(how, "why")) == ([REFUSED], [failed])
