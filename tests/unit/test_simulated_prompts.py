"""Callers of the simulated PBX and prompts: what they press, what they say, when they have had enough."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from routing.core.commands import KeyInput, PlayPrompts, RecordMessage, Room, SetRooms
from routing.core.facts import CommandEnded, Fact, LegArrived, LegEnded, MessageEnded, PromptOutcome, PromptsEnded
from telephony.simulated import SimulatedPbx, SimulatedPort, VirtualClock
from telephony.simulated.channel import Channel, Hearing
from telephony.simulated.habits import Listener, Patient, Press, PressesAt, PressesInTurn, Speech

KEYS = KeyInput(max_digits=4, timeout_ms=5000, next_ms=3000)


class World:
    """One caller with music."""

    def __init__(self, listener: Listener | None = None) -> None:
        self.clock = VirtualClock()
        self.pbx = SimulatedPbx(self.clock, seed=1)
        self.port = SimulatedPort(self.pbx)
        self.facts: list[Fact] = []
        self.port.begin(self.facts.append)
        self.clock.advance(5)
        self.caller: Channel = self.pbx.call_in(LegArrived(pbx="", leg_id=""), listener=listener)
        music = Room(name="main", legs=(self.caller.leg_id,), music="jazz")
        self.port.submit(SetRooms(id="r", pbx="pbx1", interaction_id="i", version=1, rooms=(music,)))
        self.clock.advance(5)

    def play(self, id_: str, *prompts: str, keys: KeyInput | None = KEYS) -> None:
        leg_id = self.caller.leg_id
        order = PlayPrompts(id=id_, pbx="pbx1", leg_id=leg_id, interaction_id="i", prompts=prompts, keys=keys)
        self.port.submit(order)

    def record(self, silence_s: int = 3) -> None:
        leg_id = self.caller.leg_id
        order = RecordMessage(
            id="m", pbx="pbx1", leg_id=leg_id, interaction_id="i", file="msg", max_s=60, silence_s=silence_s
        )
        self.port.submit(order)

    def keys(self) -> Sequence[tuple[str, str]]:
        return [(f.command_id, f.digits) for f in self.facts if isinstance(f, PromptsEnded)]


def test_a_caller_presses_what_fits_to_the_prompt_that_he_hears() -> None:
    world = World(PressesAt({"menu": Press(digits="2#"), "/p/de/account": Press(digits="4711#", after_ms=3000)}))
    world.play("c1", "/p/de/welcome", "/p/de/menu")
    world.clock.advance(10_000)
    world.play("c2", "/p/de/account")
    world.clock.advance(10_000)
    world.play("c3", "/p/de/other")
    world.clock.advance(10_000)
    assert world.keys() == [("c1", "2"), ("c2", "4711"), ("c3", "")]


def test_a_caller_presses_one_thing_after_the_other_where_he_is_asked() -> None:
    world = World(PressesInTurn("1#", Press(digits="2#", between_ms=100)))
    for number, keys in enumerate((KEYS, None, KEYS, KEYS)):
        world.play(f"c{number}", "a", keys=keys)
        world.clock.advance(10_000)
    assert world.keys() == [("c0", "1"), ("c1", ""), ("c2", "2"), ("c3", "")]


def test_a_key_stops_the_prompts_and_what_was_planned_is_not_pressed_at_the_next_ones() -> None:
    world = World(PressesInTurn(Press(digits="1234", after_ms=100, between_ms=1000)))
    world.play("c1", "a", keys=KeyInput(max_digits=1, timeout_ms=5000, next_ms=1000))
    world.clock.advance(110)
    assert world.keys() == [("c1", "1")]
    world.play("c2", "a")
    world.clock.advance(10_000)
    assert world.keys() == [("c1", "1"), ("c2", "")]


@pytest.mark.parametrize("after_ms", [1000, 3000])
def test_a_caller_may_hang_up_at_a_prompt(after_ms: int) -> None:
    world = World(PressesAt({"menu": Press(after_ms=after_ms, hangs_up=True)}))
    world.play("c1", "menu")
    world.clock.advance(after_ms + 10)
    assert [f for f in world.facts if isinstance(f, LegEnded)]
    assert world.keys() == []
    assert not world.caller.is_live


def test_what_a_caller_hears_can_be_seen_at_any_moment() -> None:
    world = World()
    world.pbx.prompts.lengths_ms = {"a": 1000, "b": 500}
    heard = []
    world.play("c1", "a", "b", keys=KeyInput(max_digits=1, timeout_ms=1000, next_ms=1))
    for _ in range(5):
        world.clock.advance(600)
        heard.append(world.pbx.hears(world.caller))
    music, silence = Hearing(music="jazz"), Hearing()
    assert heard == [Hearing(prompt="a"), Hearing(prompt="b"), silence, silence, music]


@pytest.mark.parametrize(
    ("listener", "said_ms", "ends_with_leg"),
    [
        (Patient(Speech(says_ms=8000)), 8000, False),
        (Patient(Speech(says_ms=8000, hangs_up=True)), 8000, True),
        (PressesInTurn(speech=Speech(says_ms=500)), 0, False),
        (PressesAt({}, Speech(says_ms=900, hangs_up=True)), 0, True),
        (Patient(), 60_000, False),
    ],
)
def test_a_caller_leaves_a_message_as_long_as_he_speaks(listener: Listener, said_ms: int, ends_with_leg: bool) -> None:
    world = World(listener)
    world.record()
    world.clock.advance(70_000)
    (told,) = [f for f in world.facts if isinstance(f, MessageEnded)]
    assert (told.outcome, told.duration_ms) == (PromptOutcome.FINISHED, said_ms)
    ends = [f for f in world.facts if isinstance(f, LegEnded)]
    assert bool(ends) is ends_with_leg
    if ends_with_leg:
        assert world.facts.index(told) < world.facts.index(ends[0])


@pytest.mark.req("SAFE-02")
def test_what_plays_when_the_link_is_lost_goes_on_and_nobody_is_told() -> None:
    world = World()
    world.play("c1", "a")
    world.clock.advance(100)
    world.port.cut()
    world.clock.advance(100)
    world.port.restore()
    world.clock.advance(100)
    assert world.pbx.hears(world.caller) == Hearing(prompt="a")
    world.clock.advance(60_000)
    assert world.pbx.hears(world.caller) == Hearing(music="jazz")
    assert world.keys() == []
    assert len([f for f in world.facts if isinstance(f, CommandEnded) and f.command_id == "c1"]) == 1
