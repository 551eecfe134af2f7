"""Small words that the PBX contract tests are written in."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from routing.core.commands import Command, DialLeg, HangUpLeg, Room, SetRooms
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialFailed,
    Fact,
    LegAnswered,
    LegArrived,
    RoomsReached,
)
from routing.core.ids import IdSource
from tests.contract.pbx_lab import LabCaller, LabPhone, PbxLab

if TYPE_CHECKING:
    from tests.contract.conftest import InLab


def now_ms() -> int:
    return time.time_ns() // 1_000_000


# Ids never repeat, not even over runs: the same real PBX may have seen the last run.
_ids = (now_ms(), count(1))


def new_id(prefix: str) -> str:
    begin_ms, numbers = _ids
    return IdSource(begin_ms, next(numbers)).make(prefix)


@contextmanager
def ids_from(begin_ms: int) -> Iterator[None]:
    """The same ids each time, for a test that is recorded and played again."""
    global _ids  # noqa: PLW0603
    before, _ids = _ids, (begin_ms, count(1))
    try:
        yield
    finally:
        _ids = before


def in_lab_with(
    *phones: str,
) -> Callable[[Callable[[PbxLab], Awaitable[None]]], Callable[[InLab], None]]:
    """Makes a test of a scenario: runs it in every lab, with these telephones."""

    def wrap(scenario: Callable[[PbxLab], Awaitable[None]]) -> Callable[[InLab], None]:
        def test(in_lab: InLab) -> None:
            in_lab(scenario, phones)

        test.__name__, test.__doc__, test.__module__ = scenario.__name__, scenario.__doc__, scenario.__module__
        return test

    return wrap


def dial(lab: PbxLab, phone: LabPhone | str, leg_id: str = "", **fields: Any) -> DialLeg:
    """Submits a DialLeg; `phone` may be an address."""
    address = phone if isinstance(phone, str) else phone.address
    order = DialLeg(
        id=new_id("cmd"),
        pbx=lab.pbx,
        leg_id=leg_id or new_id("leg"),
        interaction_id=fields.pop("interaction_id", "int_none"),
        phone=address,
        timeout_s=fields.pop("timeout_s", 15),
        **fields,
    )
    lab.port.submit(order)
    return order


async def connect(lab: PbxLab, phone: LabPhone, **fields: Any) -> str:
    """A dialled leg that is up; returns its id."""
    order = dial(lab, phone, **fields)
    await lab.wait_fact(LegAnswered, leg_id=order.leg_id)
    return order.leg_id


def hang_up(lab: PbxLab, leg_id: str, **fields: Any) -> HangUpLeg:
    order = HangUpLeg(id=new_id("cmd"), pbx=lab.pbx, leg_id=leg_id, **fields)
    lab.port.submit(order)
    return order


def rooms(lab: PbxLab, interaction_id: str, version: int, *wanted: Room) -> SetRooms:
    order = SetRooms(id=new_id("cmd"), pbx=lab.pbx, interaction_id=interaction_id, version=version, rooms=wanted)
    lab.port.submit(order)
    return order


def room(name: str, *legs: str, music: str = "") -> Room:
    return Room(name=name, legs=legs, music=music)


async def reach(lab: PbxLab, interaction_id: str, version: int, *wanted: Room) -> SetRooms:
    """Rooms that hold, confirmed by the PBX."""
    since = len(lab.facts)
    order = rooms(lab, interaction_id, version, *wanted)
    await lab.wait_fact(RoomsReached, since=since, interaction_id=interaction_id, version=version)
    return order


async def take(lab: PbxLab, caller: LabCaller) -> str:
    """Takes an arrived call over as version 1, alone with music; returns its interaction id."""
    interaction_id = new_id("int")
    await reach(lab, interaction_id, 1, room("main", caller.leg_id, music="default"))
    return interaction_id


async def ended(lab: PbxLab, command: Command, *outcomes: CommandOutcome) -> CommandEnded:
    """Waits for the command's end, then for quiet; there is exactly one end, and it is one of `outcomes`."""
    await lab.wait_fact(CommandEnded, command_id=command.id)
    await lab.settle()
    (end,) = [f for f in lab.facts if isinstance(f, CommandEnded) and f.command_id == command.id]
    assert end.outcome in (outcomes or (CommandOutcome.SUCCEEDED,)), end
    return end


def of(lab: PbxLab, *kinds: type[Any], leg_id: str | None = None) -> list[Any]:
    """The facts of these kinds so far, in order; with `leg_id` only those of that leg."""
    found: list[Fact] = [f for f in lab.facts if isinstance(f, kinds)]
    return [f for f in found if leg_id is None or getattr(f, "leg_id", None) == leg_id]


def dial_ends(lab: PbxLab, leg_id: str) -> list[LegAnswered | DialFailed]:
    return of(lab, LegAnswered, DialFailed, leg_id=leg_id)


def arrivals(lab: PbxLab, leg_id: str) -> list[LegArrived]:
    return of(lab, LegArrived, leg_id=leg_id)
