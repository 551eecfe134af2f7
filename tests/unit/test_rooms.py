"""The planner of rooms, walked step by step against a small model of what Asterisk does with each step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.core.commands import Room
from telephony.rooms import (
    CONTEXT_AGENT,
    CONTEXT_HANDOVER,
    CONTEXT_IDLE,
    CONTEXT_ROOM,
    CONTEXT_WAIT,
    NO_MUSIC,
    PROMPTING,
    Join,
    Move,
    Spot,
    Step,
    fits_alone,
    place_of_prompts,
    plan,
)


@dataclass
class Model:
    """Legs with a resting place, bridges by id. A pair whose other half leaves falls back to its resting place."""

    rest: dict[str, tuple[str, str]]
    bridges: dict[str, set[str]] = field(default_factory=dict)
    conferences: set[str] = field(default_factory=set)
    numbers: int = 0
    steps: int = 0
    heard: set[frozenset[str]] = field(default_factory=set)

    def bridge_of(self, leg: str) -> str:
        return next((b for b, members in self.bridges.items() if leg in members), "")

    def leave(self, leg: str) -> None:
        bridge = self.bridge_of(leg)
        if bridge:
            self.bridges[bridge].discard(leg)
            if len(self.bridges[bridge]) < 2 and bridge not in self.conferences:
                del self.bridges[bridge]
            elif not self.bridges[bridge]:
                del self.bridges[bridge]
                self.conferences.discard(bridge)

    def do(self, step: Step) -> None:
        self.steps += 1
        if isinstance(step, Join):
            assert not any(self.bridge_of(leg) in self.conferences for leg in step.legs), "Bridge cannot do that"
            for leg in step.legs:
                self.leave(leg)
            self.numbers += 1
            self.bridges[f"b{self.numbers}"] = set(step.legs)
        else:
            self._move(step)
        self.heard |= {frozenset(members) for members in self.bridges.values() if len(members) > 1}

    def _move(self, step: Move) -> None:
        assert len(step.legs) == 1 or self.bridge_of(step.legs[0]) == self.bridge_of(step.legs[1]) != ""
        for leg in step.legs:
            self.leave(leg)
            if step.context == CONTEXT_ROOM:
                self.conferences.add(step.exten)
                self.bridges.setdefault(step.exten, set()).add(leg)
                self.rest[leg] = (CONTEXT_IDLE, "s")
            else:
                self.rest[leg] = (step.context, step.exten)

    def spots(self, leaving: Iterable[str] = ()) -> dict[str, Spot]:
        out = {}
        for leg, (context, exten) in self.rest.items():
            bridge = self.bridge_of(leg)
            is_conference = bridge in self.conferences
            out[leg] = Spot(
                context=CONTEXT_ROOM if is_conference else context,
                exten=bridge if is_conference else exten,
                bridge=bridge,
                conference=bridge if is_conference else "",
                company=frozenset(self.bridges.get(bridge, set())) - {leg},
                is_leaving=leg in leaving,
            )
        return out

    def converge(self, rooms: tuple[Room, ...]) -> int:
        """One step at a time, replanned after each; returns how many were needed."""
        before = self.steps
        for _ in range(40):
            now = plan(rooms, self.spots(), (), "int_1")
            if now.is_reached:
                return self.steps - before
            assert now.steps, f"stuck: {rooms} {self.spots()}"
            self.do(now.steps[0])
        raise AssertionError(f"no end: {rooms} {self.spots()}")


def model(*legs: str) -> Model:
    return Model({leg: (CONTEXT_WAIT, "default") if leg == "c" else (CONTEXT_AGENT, "s") for leg in legs})


def room(*legs: str, music: str = "", name: str = "main") -> Room:
    return Room(name=name, legs=legs, music=music)


TALK = (room("c", "a"),)
HELD = (room("c", music="default"), room("a", name="agent"))
CONFERENCE = (room("c", "a", "b"),)
CONSULT = (room("c", music="default"), room("a", "b", name="consult"))


def test_a_conversation_is_one_step() -> None:
    assert model("c", "a").converge(TALK) == 1


def test_what_is_right_already_needs_no_step() -> None:
    for rooms in (TALK, HELD):
        world = model("c", "a")
        world.converge(rooms)
        assert world.converge(rooms) == 0


def test_on_hold_only_the_customer_is_moved_the_agent_falls_into_silence() -> None:
    world = model("c", "a")
    world.converge(TALK)
    (step,) = plan(HELD, world.spots(), (), "int_1").steps
    assert step == Move(("c",), CONTEXT_WAIT, "default")
    assert world.converge(HELD) == 1


def test_a_pair_goes_into_a_conference_together() -> None:
    world = model("c", "a", "b")
    world.converge(TALK)
    steps = plan(CONFERENCE, world.spots(), (), "int_1").steps
    assert steps == (Move(("c", "a"), CONTEXT_ROOM, "int_1_main"), Move(("b",), CONTEXT_ROOM, "int_1_main"))
    assert world.converge(CONFERENCE) == 2


def test_two_who_are_left_of_a_conference_stay_in_it() -> None:
    world = model("c", "a", "b")
    world.converge(CONFERENCE)
    world.leave("b")
    del world.rest["b"]
    assert world.converge(TALK) == 0


def test_in_a_consult_nobody_hears_a_wrong_party_on_the_way() -> None:
    world = model("c", "a", "b")
    world.converge(CONFERENCE)
    world.heard.clear()
    world.converge(CONSULT)
    assert world.heard == {frozenset("ab")}


def test_a_leg_leaves_the_conference_before_it_is_bridged() -> None:
    world = model("c", "a", "b", "d")
    world.converge((room("c", "a", "b"),))
    world.converge((room("c", "d"), room("a", "b", name="rest")))
    assert world.bridge_of("c") == world.bridge_of("d") != world.bridge_of("a")


def test_two_conferences_of_an_interaction_have_two_names() -> None:
    world = model("c", "a", "b", "d", "e", "f")
    world.converge((room("a", "b", "d", name="main"),))
    world.converge((room("a", "b", "d", name="other"), room("c", "e", "f", name="main")))
    assert {frozenset(m) for m in world.bridges.values()} == {frozenset("abd"), frozenset("cef")}


def test_nothing_is_done_to_a_leg_under_way_nor_to_the_other_one_of_its_pair() -> None:
    world = model("c", "a")
    world.converge(TALK)
    now = plan(HELD, world.spots(), {"a"}, "int_1")
    assert (now.is_reached, now.steps) == (False, ())


def test_while_the_other_one_is_being_hung_up_the_bridge_is_left_to_dissolve() -> None:
    world = model("c", "a")
    world.converge(TALK)
    now = plan((room("c", music="default"),), world.spots(leaving=["a"]), (), "int_1")
    assert (now.is_reached, now.steps) == (False, ())


@pytest.mark.req("HOLD-01", "SAFE-02")
def test_who_is_alone_in_a_bridge_that_dissolves_is_left_to_fall_out_of_it() -> None:
    """Between the customer's arrival at the music and the news that the agent has left their bridge, too."""
    spots = {
        "c": Spot(context=CONTEXT_WAIT, exten="default"),
        "a": Spot(context=CONTEXT_AGENT, exten="s", bridge="b1"),
    }
    now = plan(HELD, spots, (), "int_1")
    assert (now.is_reached, now.steps, now.is_falling) == (False, (), True)
    assert plan(TALK, spots, (), "int_1").steps == (), "nor is he joined with anybody"
    late = plan(HELD, spots, (), "int_1", is_patient=False)
    assert late.steps == (Move(("a",), CONTEXT_IDLE, "s"),)


def test_a_stranger_who_stays_in_the_conference_makes_the_others_leave_it() -> None:
    world = model("c", "a", "b")
    world.converge(CONFERENCE)
    world.converge(TALK)
    assert world.bridge_of("c") == world.bridge_of("a") != world.bridge_of("b")
    world = model("c", "a", "b", "x")
    world.converge((room("c", "a", "b", "x"),))
    world.converge(CONFERENCE)
    assert world.bridges[world.bridge_of("c")] == set("cab")


def in_conference(*legs: str, bridge: str, name: str = "int_1_main") -> dict[str, Spot]:
    def inside(leg: str) -> Spot:
        company = frozenset(legs) - {leg}
        return Spot(context=CONTEXT_ROOM, exten=name, bridge=bridge, conference=name, company=company)

    return {leg: inside(leg) for leg in legs}


@pytest.mark.req("SAFE-02")
def test_nobody_is_sent_into_a_conference_that_all_others_are_leaving() -> None:
    """He would get into it when it is over already, and be alone."""
    spots = in_conference("c", "a", bridge="b1") | {"b": Spot(context=CONTEXT_IDLE, exten="s")}
    now = plan(CONFERENCE, spots, {"c", "a"}, "int_1")
    assert now.steps == (Move(("b",), CONTEXT_ROOM, "int_1_main_2"),)
    now = plan(CONFERENCE, spots, {"c"}, "int_1")
    assert now.steps == (Move(("b",), CONTEXT_ROOM, "int_1_main"),), "but with one who stays"


@pytest.mark.req("SAFE-02", "HOLD-02")
def test_two_conferences_of_one_name_are_not_taken_for_one() -> None:
    spots = in_conference("b", bridge="b1") | in_conference("c", "a", bridge="b2")
    now = plan(CONFERENCE, spots, (), "int_1")
    assert not now.is_reached
    assert {(leg, step.exten) for step in now.steps for leg in step.legs if isinstance(step, Move)} == {
        (leg, "int_1_main_2") for leg in "cab"
    }
    now = plan((room("c", "b"), room("a", name="side")), spots, (), "int_1")
    assert set(now.steps) == {Move((leg,), CONTEXT_IDLE, "s") for leg in "cab"}
    now = plan((room("c", "a"), room("b", name="side")), spots, (), "int_1")
    assert now.steps == (Move(("b",), CONTEXT_IDLE, "s"),), "who is right already is left alone"


def test_a_caller_who_is_only_handed_over_fits_nowhere() -> None:
    spot = Spot(context="switchroom", exten="s")
    assert not fits_alone(spot, "default")
    assert not fits_alone(spot, "")


def test_four_in_a_conference_can_part_into_two_pairs() -> None:
    world = model("c", "a", "b", "d")
    world.converge((room("c", "a", "b", "d"),))
    world.heard.clear()
    world.converge((room("c", "a"), room("b", "d", name="other")))
    assert frozenset("ca") in world.heard
    assert frozenset("bd") in world.heard


LEGS = ("c", "a", "b", "d", "e")


@st.composite
def wishes(draw: st.DrawFn) -> tuple[Room, ...]:
    """Some of the legs, each in one of up to three rooms."""
    places = {leg: draw(st.integers(0, 3)) for leg in LEGS}
    rooms = []
    for number in (1, 2, 3):
        legs = tuple(leg for leg in LEGS if places[leg] == number)
        if legs:
            music = draw(st.sampled_from(["", "default", "other"])) if len(legs) == 1 else ""
            rooms.append(Room(name=f"r{number}", legs=legs, music=music))
    return tuple(rooms)


@pytest.mark.req("HOLD-02")
@settings(max_examples=400)
@given(st.lists(wishes(), min_size=1, max_size=6))
def test_any_wishes_one_after_the_other_are_reached_in_few_steps(wanted: list[tuple[Room, ...]]) -> None:
    world = model(*LEGS)
    for rooms in wanted:
        together = {leg: set(r.legs) for r in rooms for leg in r.legs}
        before = world.spots()
        world.heard.clear()
        assert world.converge(rooms) <= 2 * len(LEGS)
        for leg, legs in together.items():
            assert world.bridges.get(world.bridge_of(leg), {leg}) == legs
            if len(legs) == 1:
                music = next(r.music for r in rooms if leg in r.legs)
                assert fits_alone(world.spots()[leg], music)
        for heard in world.heard:  # whoever met on the way meets in the end, or met before
            for leg in heard & together.keys():
                assert heard - {leg} <= together[leg] | before[leg].company


@pytest.mark.parametrize("context", PROMPTING)
def test_who_hears_prompts_is_in_the_room_to_which_he_goes_on(context: str) -> None:
    for music, exten in (("default", "default"), ("", NO_MUSIC)):
        spots = {"c": Spot(context=context, exten=exten)}
        assert plan((room("c", music=music),), spots, (), "int_1").is_reached
        assert plan((room("c", music="other"),), spots, (), "int_1").steps == (Move(("c",), CONTEXT_WAIT, "other"),)
        assert place_of_prompts(spots["c"]) == exten
    (step,) = plan((room("c"),), {"c": Spot(context=context, exten="default")}, (), "int_1").steps
    assert step == Move(("c",), CONTEXT_IDLE, "s")


def test_prompts_know_what_music_was_there() -> None:
    assert place_of_prompts(Spot(context=CONTEXT_WAIT, exten="jazz")) == "jazz"
    assert place_of_prompts(Spot(context=CONTEXT_IDLE, exten="s")) == NO_MUSIC
    assert place_of_prompts(Spot(context=CONTEXT_AGENT, exten="s")) == NO_MUSIC
    for elsewhere in (CONTEXT_HANDOVER, CONTEXT_ROOM, "from-trunk"):
        assert place_of_prompts(Spot(context=elsewhere, exten="s")) == ""
    assert place_of_prompts(Spot(context=CONTEXT_WAIT, exten="jazz", bridge="b", company=frozenset("a"))) == ""
    assert place_of_prompts(Spot(context=CONTEXT_WAIT, exten="jazz", is_leaving=True)) == ""
