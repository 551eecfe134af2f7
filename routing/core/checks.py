"""The answer to whether a record's number may be called, before each dialing. Where nobody can say, it is not called.

A record of the hopper is dialed then; one that an agent has before him goes on in `agent_first`.
"""

from __future__ import annotations

from dataclasses import replace

from routing.core import agent_first, customer_first
from routing.core.attempts import number_out, stop
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.record import RecordLive, RecordState, ReleaseCause
from routing.core.releasing import block, put_back
from routing.core.timers import Due, key
from routing.core.world import World

RETRY_UNCHECKED_MS = 30_000


def looked_up(world: World, fact: LookedUp) -> None:
    """The answer."""
    record = world.state.records.get(fact.interaction_id)
    if record is None or record.check_id != fact.command_id or record.state is not RecordState.CHECKING:
        return
    if fact.outcome is not LookUpOutcome.DONE:
        _unchecked(world, record)
    elif fact.is_blocked:
        number_out(world, block(world, record, record.number))
    elif record.do_not_call:
        stop(world, record, ReleaseCause.DO_NOT_CALL)
    else:
        _may_be_called(world, world.put_record(replace(record, check_id="", revision=fact.revision)))


def not_asked(world: World, command_id: str) -> None:
    """The question could not even be put."""
    for record in tuple(world.state.records.values()):
        if record.check_id == command_id and record.state is RecordState.CHECKING:
            _unchecked(world, record)


def late(world: World, record_id: str) -> None:
    """No answer in time; or the rest after that is over."""
    record = world.state.records.get(record_id)
    if record is None or record.state is not RecordState.CHECKING:
        return
    if record.check_id:
        _unchecked(world, record)
    elif not record.interaction_id:
        put_back(world, record)


def _may_be_called(world: World, record: RecordLive) -> None:
    world.clear_timer(key(Due.CHECK, record.id))
    if record.interaction_id:
        agent_first.checked(world, record)
    else:
        customer_first.dial(world, record)


def _unchecked(world: World, record: RecordLive) -> None:
    """Nobody could say. Without an agent it rests for a while before it is in the hopper again."""
    record = world.put_record(replace(record, check_id=""))
    if record.interaction_id:
        world.clear_timer(key(Due.CHECK, record.id))
        agent_first.unchecked(world, record)
    else:
        world.set_timer(key(Due.CHECK, record.id), world.now_ms + RETRY_UNCHECKED_MS)
