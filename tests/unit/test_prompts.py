"""Prompts and messages against a scripted PBX: when they begin, what replaces them, and that each end is told once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from routing.core.commands import KeyInput, PlayPrompts, RecordMessage, Room, SetRooms
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    EndedBy,
    Fact,
    LegEnded,
    MessageEnded,
    PromptOutcome,
    PromptsEnded,
)
from telephony.answers import Answer, Answered, OnAnswer
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.legs import Legs
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.wire import AmiWire
from telephony.commands import Commands
from telephony.legs import Leg, LegKind
from telephony.runs import Heard
from tests.waiting import run, until

CALLER, AGENT = "leg_a-1.1", "leg_x"
MUSIC = Room(name="main", legs=(CALLER,), music="default")
SILENCE = Room(name="main", legs=(CALLER,))
TALK = Room(name="main", legs=(CALLER, AGENT))
PLAY = PlayPrompts(id="c1", pbx="p", leg_id=CALLER, interaction_id="int_1", prompts=("/a/b",))
RECORD = RecordMessage(id="c1", pbx="p", leg_id=CALLER, interaction_id="int_1", file="msg_1", max_s=60, silence_s=5)
REFUSED, SUCCEEDED, UNKNOWN = CommandOutcome.REFUSED, CommandOutcome.SUCCEEDED, CommandOutcome.UNKNOWN


class Pbx:
    """Keeps what is sent; answers and events are fed by hand. The caller waits with music."""

    def __init__(self, **settings: Any) -> None:
        self.sent: list[tuple[dict[str, Any], OnAnswer]] = []
        self.facts: list[Fact] = []
        self.now_s = 100.0
        self.legs = Legs("p")
        self.wire = AmiWire(lambda fields, answer: self.sent.append((fields, answer)))
        self.commands = Commands(
            AsteriskSettings(pbx="p", username="u", secret="s", **{"step_timeout_s": 5.0, **settings}),
            self.legs,
            self.wire,
            self.facts.append,
            lambda: self.now_s,
        )
        for leg_id, uid, kind in ((CALLER, "a-1.1", LegKind.ARRIVED), (AGENT, AGENT, LegKind.DIALED)):
            leg = Leg(leg_id=leg_id, uid=uid, kind=kind, is_up=True, channel=f"PJSIP/name-{uid}")
            self.legs.add(leg)
        self.caller.context, self.caller.exten = "switchroom-wait", "default"
        self.caller.interaction_id = "int_1"

    @property
    def caller(self) -> Leg:
        leg = self.legs.by_uid("a-1.1")
        assert leg is not None
        return leg

    def want(self, version: int, *rooms: Room) -> None:
        self.commands.take(SetRooms(id=f"r{version}", pbx="p", interaction_id="int_1", version=version, rooms=rooms))

    def steps(self, *actions: str) -> list[dict[str, Any]]:
        return [fields for fields, _ in self.sent if fields["Action"] in (actions or ("Redirect", "Bridge"))]

    def answer(self, how: Answered, text: str = "") -> None:
        """To the newest step."""
        next(a for f, a in reversed(self.sent) if f["Action"] != "Setvar")(Answer(how, text))

    def changed(self) -> None:
        changed, self.legs.changed = self.legs.changed, set()
        self.commands.prompts.changed(changed)
        self.commands.convergence.changed(changed)

    def at(self, context: str, exten: str = "default") -> None:
        place = {"event": "UserEvent", "uniqueid": "a-1.1", "context": context, "exten": exten}
        self.legs.apply(AmiMessage(place))
        self.legs.settle(self.caller)
        self.changed()

    def bridged(self) -> None:
        for uid in ("a-1.1", AGENT):
            place = {"bridgeuniqueid": "b", "context": "switchroom-prompt", "exten": "default"}
            self.legs.apply(AmiMessage({"event": "BridgeEnter", "uniqueid": uid, **place}))
        self.changed()

    def heard(self, command_id: str, **fields: Any) -> list[Fact]:
        facts = self.commands.prompts.heard(self.caller, Heard(command_id=command_id, **fields))
        self.facts += facts
        return facts

    def ends(self) -> dict[str, CommandOutcome]:
        ends = [f for f in self.facts if isinstance(f, CommandEnded)]
        assert len({f.command_id for f in ends}) == len(ends), "a command ended twice"
        return {f.command_id: f.outcome for f in ends}

    def told(self) -> list[tuple[str, PromptOutcome]]:
        return [(f.command_id, f.outcome) for f in self.facts if isinstance(f, PromptsEnded | MessageEnded)]


def play(scenario: Callable[[Pbx], Awaitable[None]], **settings: Any) -> None:
    async def inner() -> None:
        pbx = Pbx(**settings)
        await scenario(pbx)
        pbx.commands.clear()

    run(inner())


def test_prompts_are_accepted_when_the_dialplan_has_begun_and_told_when_it_is_through() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(replace(PLAY, keys=KeyInput(max_digits=4, timeout_ms=5000, next_ms=3000), language="de"))
        variables = {f["Variable"]: f["Value"] for f in pbx.steps("Setvar")}
        assert variables == {
            "SR_ASK": "c1",
            "SR_PROMPT_1": "/a/b",
            "SR_PROMPTS": "1",
            "SR_PROMPT_LANGUAGE": "de",
            "SR_KEYS": "4",
            "SR_KEY_FIRST_S": "5.000",
            "SR_KEY_NEXT_S": "3.000",
        }
        (way,) = pbx.steps()
        assert (way["Context"], way["Exten"], way["Channel"]) == ("switchroom-prompt", "default", "a-1.1")
        pbx.answer(Answered.SUCCESS)
        assert pbx.ends() == {}
        pbx.at("switchroom-prompt")
        assert pbx.ends() == {"c1": SUCCEEDED}
        pbx.heard("c1", digits="12")
        pbx.at("switchroom-wait")
        (fact,) = [f for f in pbx.facts if isinstance(f, PromptsEnded)]
        assert (fact.outcome, fact.digits) == (PromptOutcome.FINISHED, "12")

    play(scenario)


def test_an_end_is_believed_once_and_only_of_what_runs() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(PLAY)
        pbx.at("switchroom-prompt")
        assert pbx.heard("c0") == []
        assert len(pbx.heard("c1", has_played=False)) == 1
        assert pbx.heard("c1") == []
        assert pbx.told() == [("c1", PromptOutcome.FAILED)]

    play(scenario)


def test_prompts_wait_for_rooms_that_are_not_reached_yet_and_know_the_new_music() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(2, SILENCE)
        pbx.commands.take(PLAY)
        await until(lambda: pbx.steps())
        assert [step["Context"] for step in pbx.steps()] == ["switchroom-idle"]
        pbx.at("switchroom-idle", "s")
        assert [step["Exten"] for step in pbx.steps()] == ["s", "no_music"]

    play(scenario)


@pytest.mark.parametrize("meanwhile", [SILENCE, TALK])
def test_prompts_that_still_wait_are_refused_when_other_rooms_are_wanted_meanwhile(meanwhile: Room) -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.want(2, replace(MUSIC, music="other"))
        pbx.commands.take(PLAY)
        pbx.want(3, meanwhile)
        await until(lambda: pbx.steps())
        if meanwhile is TALK:
            pbx.bridged()
        else:
            pbx.at("switchroom-idle", "s")
        assert pbx.ends()["c1"] is REFUSED
        assert pbx.told() == []
        assert not [step for step in pbx.steps() if step.get("Context") == "switchroom-prompt"]

    play(scenario)


def test_nothing_moves_a_leg_between_the_order_and_the_beginning_of_its_prompts() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(PLAY)
        pbx.want(2, TALK)
        await until(lambda: "r2" in pbx.ends())
        assert pbx.steps("Bridge") == []
        pbx.at("switchroom-prompt")
        assert len(pbx.steps("Bridge")) == 1
        assert pbx.told() == []
        pbx.bridged()
        assert pbx.told() == [("c1", PromptOutcome.INTERRUPTED)]

    play(scenario)


def test_before_a_join_the_dialplan_is_told_that_its_prompts_are_void() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(PLAY)
        pbx.at("switchroom-prompt")
        pbx.want(2, TALK)
        await until(lambda: pbx.steps("Bridge"))
        before = pbx.sent[[f["Action"] for f, _ in pbx.sent].index("Bridge") - 1][0]
        assert (before["Variable"], before["Value"], before["Channel"]) == ("SR_ASK", "", "a-1.1")

    play(scenario)


def test_of_orders_before_the_first_has_begun_the_last_one_counts() -> None:
    async def scenario(pbx: Pbx) -> None:
        for command_id in ("c1", "c2", "c3"):
            pbx.commands.take(replace(PLAY, id=command_id))
        assert len(pbx.steps()) == 1
        assert pbx.ends() == {"c2": REFUSED}
        pbx.at("switchroom-prompt")
        assert pbx.ends() == {"c1": SUCCEEDED, "c2": REFUSED}
        assert pbx.told() == [("c1", PromptOutcome.INTERRUPTED)]
        assert len(pbx.steps()) == 2
        pbx.at("switchroom-prompt")
        assert pbx.heard("c1") == []
        pbx.heard("c3")
        assert pbx.ends()["c3"] is SUCCEEDED
        assert pbx.told() == [("c1", PromptOutcome.INTERRUPTED), ("c3", PromptOutcome.FINISHED)]

    play(scenario)


def test_a_refused_way_is_tried_again_before_it_counts() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(PLAY)
        pbx.answer(Answered.ERROR, "Redirect failed")
        assert pbx.ends() == {}
        await until(lambda: len(pbx.steps()) == 2)
        pbx.answer(Answered.ERROR, "Redirect failed")
        assert pbx.ends() == {"c1": REFUSED}
        assert pbx.told() == []

    play(scenario, step_attempts=2)


@pytest.mark.req("SAFE-02")
def test_prompts_that_never_begin_are_not_known_to_have_failed_and_free_the_leg() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(PLAY)
        pbx.want(2, TALK)
        await until(lambda: pbx.ends().get("c1") is UNKNOWN)
        await until(lambda: pbx.steps("Bridge"))

    play(scenario, step_timeout_s=0.05)


@pytest.mark.req("SAFE-02")
def test_a_lost_link_ends_what_has_not_begun_and_forgets_what_plays() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(PLAY)
        pbx.at("switchroom-prompt")
        pbx.commands.take(replace(PLAY, id="c2"))
        pbx.commands.take(replace(PLAY, id="c3"))
        pbx.commands.clear()
        assert pbx.ends() == {"c1": SUCCEEDED, "c2": UNKNOWN, "c3": UNKNOWN}
        assert pbx.told() == [("c1", PromptOutcome.INTERRUPTED)]
        assert pbx.heard("c2") == []

    play(scenario)


@pytest.mark.parametrize("stage", ["waiting", "sent", "playing"])
def test_a_leg_that_is_gone_ends_the_order_and_nothing_else_is_told(stage: str) -> None:
    async def scenario(pbx: Pbx) -> None:
        if stage == "waiting":
            pbx.want(2, SILENCE)
        pbx.commands.take(PLAY)
        if stage == "playing":
            pbx.at("switchroom-prompt")
        caller = pbx.caller
        pbx.legs.drop(caller)
        pbx.changed()
        assert pbx.ends()["c1"] is (SUCCEEDED if stage == "playing" else REFUSED)
        assert pbx.told() == []
        assert pbx.commands.prompts.busy() == set()

    play(scenario)


@pytest.mark.parametrize("what", ["talks", "leaves", "is not taken", "goes back"])
def test_a_leg_that_is_not_at_rest_in_a_room_of_ours_gets_no_prompts(what: str) -> None:
    async def scenario(pbx: Pbx) -> None:
        match what:
            case "talks":
                pbx.bridged()
            case "leaves":
                pbx.caller.hang_up_cause = 16
            case "is not taken":
                pbx.caller.context = "switchroom"
            case "goes back":
                pbx.caller.is_returned = True
        pbx.commands.take(PLAY)
        assert pbx.ends() == {"c1": REFUSED}
        assert pbx.steps() == []

    play(scenario)


@pytest.mark.parametrize(
    ("said_s", "heard", "expected_ms"),
    [
        (4.0, Heard(command_id="c1"), 4000),
        (9.0, Heard(command_id="c1", silence_ms=5000), 4000),
        (5.5, Heard(command_id="c1", silence_ms=5000), 0),
        (0.9, Heard(command_id="c1"), 0),
        (4.0, Heard(command_id="c1", has_played=False), 0),
        (4.0, Heard(command_id="c1", duration_ms=3500), 3500),
        (4.0, None, 4000),
    ],
)
def test_a_message_lasts_from_its_beginning_without_the_silence_that_ended_it(
    said_s: float, heard: Heard | None, expected_ms: int
) -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(RECORD)
        pbx.at("switchroom-message")
        pbx.now_s += 0.4
        pbx.commands.prompts.recording(pbx.caller, "c1")
        pbx.now_s += said_s
        if heard is not None:
            (fact,) = pbx.commands.prompts.heard(pbx.caller, heard)
        else:
            gone = LegEnded(pbx="p", leg_id=CALLER, ended_by=EndedBy.REMOTE)
            (fact,) = pbx.commands.prompts.ahead_of(gone)
            assert pbx.commands.prompts.ahead_of(gone) == []
        assert isinstance(fact, MessageEnded)
        assert fact.duration_ms == expected_ms

    play(scenario)


def test_a_message_whose_leg_went_during_the_beep_is_empty_but_told() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(RECORD)
        pbx.at("switchroom-message")
        pbx.now_s += 60
        pbx.legs.drop(pbx.caller)
        pbx.changed()
        (fact,) = [f for f in pbx.facts if isinstance(f, MessageEnded)]
        assert fact.duration_ms == 0

    play(scenario)
