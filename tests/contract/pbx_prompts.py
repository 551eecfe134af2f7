"""Words of the PBX contract tests about prompts and messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from routing.core.commands import RECORDED, DetectMachine, KeyInput, PlayPrompts, RecordMessage
from routing.core.facts import CommandEnded, CommandOutcome, MessageEnded, PromptOutcome, PromptsEnded
from tests.contract.pbx_lab import IncomingCall, LabCaller, PbxLab
from tests.contract.pbx_suite import new_id, of, reach, room, take

ONE_KEY = KeyInput(max_digits=1, timeout_ms=1500, next_ms=800)
KEYS = KeyInput(max_digits=8, timeout_ms=1500, next_ms=800)


def play(lab: PbxLab, leg_id: str, *prompts: str, keys: KeyInput | None = None, **fields: Any) -> PlayPrompts:
    """`prompts`: of the lab's, by name."""
    order = PlayPrompts(
        id=new_id("cmd"),
        pbx=lab.pbx,
        leg_id=leg_id,
        interaction_id="int_none",
        prompts=tuple(lab.prompt(name) for name in prompts),
        keys=keys,
        **fields,
    )
    lab.port.submit(order)
    return order


def record(lab: PbxLab, leg_id: str, max_s: int = 10, silence_s: int = 3) -> RecordMessage:
    order = RecordMessage(
        id=new_id("cmd"),
        pbx=lab.pbx,
        leg_id=leg_id,
        interaction_id="int_none",
        file=new_id("msg"),
        max_s=max_s,
        silence_s=silence_s,
    )
    lab.port.submit(order)
    return order


def replay(lab: PbxLab, leg_id: str, file: str, keys: KeyInput | None) -> PlayPrompts:
    """Of a message."""
    order = PlayPrompts(
        id=new_id("cmd"), pbx=lab.pbx, leg_id=leg_id, interaction_id="int_none", prompts=(RECORDED + file,), keys=keys
    )
    lab.port.submit(order)
    return order


def detect(lab: PbxLab, leg_id: str, deadline_ms: int = 4000) -> DetectMachine:
    order = DetectMachine(
        id=new_id("cmd"), pbx=lab.pbx, leg_id=leg_id, interaction_id="int_none", deadline_ms=deadline_ms
    )
    lab.port.submit(order)
    return order


async def began(lab: PbxLab, order: PlayPrompts | RecordMessage) -> None:
    end = await lab.wait_fact(CommandEnded, command_id=order.id)
    assert end.outcome is CommandOutcome.SUCCEEDED, end


async def over(lab: PbxLab, order: PlayPrompts, within_s: float = 8.0) -> PromptsEnded:
    """Waits for its end; there is exactly one, after its beginning, and of this leg."""
    await lab.wait_fact(PromptsEnded, within_s=within_s, command_id=order.id)
    await lab.settle()
    (fact,) = [f for f in of(lab, PromptsEnded) if f.command_id == order.id]
    (end,) = [f for f in of(lab, CommandEnded) if f.command_id == order.id]
    assert end.outcome is CommandOutcome.SUCCEEDED
    assert lab.facts.index(end) < lab.facts.index(fact)
    assert (fact.pbx, fact.leg_id) == (lab.pbx, order.leg_id)
    assert isinstance(fact, PromptsEnded)
    return fact


async def recorded(lab: PbxLab, order: RecordMessage, within_s: float = 15.0) -> MessageEnded:
    """The same for a message."""
    await lab.wait_fact(MessageEnded, within_s=within_s, command_id=order.id)
    await lab.settle()
    (fact,) = [f for f in of(lab, MessageEnded) if f.command_id == order.id]
    assert (fact.pbx, fact.leg_id) == (lab.pbx, order.leg_id)
    assert isinstance(fact, MessageEnded)
    return fact


async def finished(lab: PbxLab, order: PlayPrompts, digits: str) -> None:
    fact = await over(lab, order)
    assert (fact.outcome, fact.digits) == (PromptOutcome.FINISHED, digits)


@dataclass(frozen=True, slots=True)
class Held:
    """A caller alone in the room `main`, version 1 or 2."""

    caller: LabCaller
    interaction_id: str

    @property
    def leg_id(self) -> str:
        return self.caller.leg_id


async def on_hold(lab: PbxLab) -> Held:
    """With music."""
    caller = await lab.call_in(IncomingCall())
    held = Held(caller, await take(lab, caller))
    await lab.hears_music(caller)
    return held


async def in_silence(lab: PbxLab) -> Held:
    caller = await lab.call_in(IncomingCall())
    held = Held(caller, new_id("int"))
    await reach(lab, held.interaction_id, 1, room("main", caller.leg_id))
    return held
