"""Orders whose fate is unknown are said again, others never."""

from __future__ import annotations

import asyncio

import pytest

from routing.app.repeats import ATTEMPTS, Repeats
from routing.core.commands import Command, DialLeg, HangUpLeg, ReturnLeg
from routing.core.config import Result
from routing.core.facts import CommandEnded, CommandOutcome
from tests.waiting import run, until

HANG_UP = HangUpLeg(id="h", pbx="a", leg_id="l")
RETURN = ReturnLeg(id="r", pbx="a", leg_id="l", result=Result.TIMEOUT)
DIAL = DialLeg(id="d", pbx="a", leg_id="l", interaction_id="i", phone="p", timeout_s=9)


def ended(command: Command, outcome: CommandOutcome = CommandOutcome.UNKNOWN) -> CommandEnded:
    return CommandEnded(pbx="a", command_id=command.id, outcome=outcome)


@pytest.mark.req("SAFE-02")
def test_an_unknown_end_is_swallowed_and_the_order_said_again_until_it_is_known() -> None:
    async def play() -> None:
        said: list[Command] = []
        repeats = Repeats("a", said.append, pause_s=0.01)
        repeats.note(HANG_UP)
        assert repeats.takes(ended(HANG_UP), is_up=True)
        await until(lambda: said == [HANG_UP])
        assert not repeats.takes(ended(HANG_UP, CommandOutcome.SUCCEEDED), is_up=True)
        assert not repeats.takes(ended(HANG_UP), is_up=True)

    run(play())


@pytest.mark.req("SAFE-02")
def test_a_dialing_is_never_said_again() -> None:
    repeats = Repeats("a", lambda _: pytest.fail("said again"))
    repeats.note(DIAL)
    assert not repeats.takes(ended(DIAL), is_up=True)


def test_what_was_adrift_when_the_link_was_lost_is_said_when_it_is_back() -> None:
    async def play() -> None:
        said: list[Command] = []
        repeats = Repeats("a", said.append, pause_s=0.0)
        for command in (RETURN, HANG_UP):
            repeats.note(command)
            assert repeats.takes(ended(command), is_up=False)
        await asyncio.sleep(0)
        assert said == []
        repeats.link_restored()
        repeats.link_restored()
        await until(lambda: said == [RETURN, HANG_UP])

    run(play())


def test_it_gives_up_after_some_attempts_and_tells() -> None:
    async def play() -> None:
        repeats = Repeats("a", lambda _: None, pause_s=0.0)
        repeats.note(RETURN)
        taken = [repeats.takes(ended(RETURN), is_up=True) for _ in range(ATTEMPTS)]
        assert taken == [True] * (ATTEMPTS - 1) + [False]

    run(play())


def test_a_refused_order_is_not_said_again() -> None:
    repeats = Repeats("a", lambda _: pytest.fail("said again"))
    repeats.note(RETURN)
    assert not repeats.takes(ended(RETURN, CommandOutcome.REFUSED), is_up=True)


@pytest.mark.req("SAFE-01")
def test_a_refused_hang_up_is_said_again_so_that_no_leg_is_left_behind() -> None:
    async def play() -> None:
        said: list[Command] = []
        repeats = Repeats("a", said.append, pause_s=0.0)
        repeats.note(HANG_UP)
        taken = [repeats.takes(ended(HANG_UP, CommandOutcome.REFUSED), is_up=True) for _ in range(ATTEMPTS)]
        assert taken == [True] * (ATTEMPTS - 1) + [False]
        await until(lambda: said == [HANG_UP] * (ATTEMPTS - 1))

    run(play())


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_an_order_refused_because_the_link_had_just_gone_is_said_when_it_is_back() -> None:
    async def play() -> None:
        said: list[Command] = []
        repeats = Repeats("a", said.append, pause_s=0.0)
        repeats.note(RETURN)
        assert repeats.takes(ended(RETURN, CommandOutcome.REFUSED), is_up=False)
        repeats.link_restored()
        await until(lambda: said == [RETURN])

    run(play())
