"""Person or answering machine: what each PBX is asked for, what its words mean, and how it is told."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.commands import DetectMachine, PlayPrompts
from routing.core.facts import CommandOutcome, MachineDetected, MachineVerdict
from telephony import detection
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.detection import verdict as of_asterisk
from telephony.detection import AFTER_GREETING_MS, GREETING_MS, Verdict, deadline_ms
from telephony.freeswitch import detection as freeswitch
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.prompts import Sounds, after, heard, listening
from telephony.freeswitch.settling import Settling
from telephony.freeswitch.wire import EslWire
from telephony.legs import Leg, LegKind
from telephony.simulated.listening import MACHINE, PERSON, SILENCE, Greeting, judge, quiet_ms
from tests.unit.test_freeswitch_prompts import DIALPLAN, taken
from tests.unit.test_prompts import AGENT, CALLER, PLAY, TALK, Pbx, play
from tests.waiting import until

LISTEN = DetectMachine(id="c1", pbx="p", leg_id=CALLER, interaction_id="int_1", deadline_ms=3000)
HUMAN, IS_MACHINE, UNKNOWN = MachineVerdict.HUMAN, MachineVerdict.MACHINE, MachineVerdict.UNKNOWN


def verdicts(pbx: Pbx) -> list[MachineDetected]:
    return [f for f in pbx.facts if isinstance(f, MachineDetected)]


# ---------------------------------------------------------------------- Asterisk


def test_amd_is_given_the_deadline_and_its_verdict_is_told_once() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(LISTEN)
        variables = {f["Variable"]: f["Value"] for f in pbx.steps("Setvar")}
        assert variables == {"SR_ASK": "c1", "SR_LISTEN": "2500,1500,600,3000,100,50,5,256"}
        (way,) = pbx.steps()
        assert (way["Context"], way["Exten"], way["Channel"]) == ("switchroom-machine", "default", "a-1.1")
        pbx.at("switchroom-machine")
        assert pbx.ends() == {"c1": CommandOutcome.SUCCEEDED}
        pbx.now_s += 1.75
        found = Verdict(verdict=HUMAN, cause="HUMAN-700-700")
        (fact,) = pbx.heard("c1", verdict=found)
        assert fact == MachineDetected(
            pbx="p", leg_id=CALLER, command_id="c1", verdict=HUMAN, cause="HUMAN-700-700", took_ms=1750
        )
        assert pbx.heard("c1", verdict=found) == []

    play(scenario)


@pytest.mark.parametrize(("asked", "given"), [(1, 200), (1000, 1000), (10**9, 60_000)])
def test_a_deadline_stays_within_reason(asked: int, given: int) -> None:
    assert deadline_ms(replace(LISTEN, deadline_ms=asked)) == given


@pytest.mark.parametrize(
    ("status", "cause", "expected"),
    [
        ("HUMAN", "HUMAN-700-700", HUMAN),
        ("MACHINE", "LONGGREETING-1500-1500", IS_MACHINE),
        ("MACHINE", "MAXWORDS-6-5", IS_MACHINE),
        ("MACHINE", "INITIALSILENCE-2500-2500", UNKNOWN),
        ("NOTSURE", "TOOLONG-3000", UNKNOWN),
        ("HANGUP", "", UNKNOWN),
        ("", "", UNKNOWN),
        ("HUMAN", "x\r\nEvent: Forged", HUMAN),
    ],
)
def test_what_amd_says(status: str, cause: str, expected: MachineVerdict) -> None:
    found = of_asterisk(status, cause)
    assert found.verdict is expected
    assert found.cause
    assert "\n" not in found.cause


def test_without_the_application_the_cause_says_so() -> None:
    assert of_asterisk("", "") == Verdict(verdict=UNKNOWN, cause="NOAPP")


def test_a_dialplan_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "MIN_DEADLINE_MS", 1)
    monkeypatch.setattr("telephony.prompts.GRACE_S", 0.01)

    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(replace(LISTEN, deadline_ms=20))
        pbx.at("switchroom-machine")
        await until(lambda: verdicts(pbx))
        assert [(f.verdict, f.cause) for f in verdicts(pbx)] == [(UNKNOWN, "TOOLONG")]
        assert pbx.heard("c1", verdict=Verdict(verdict=HUMAN)) == [], "too late"

    play(scenario)


@pytest.mark.parametrize("how", ["moved", "prompted", "joined", "gone", "cut"])
def test_whatever_ends_the_listening_before_leaves_no_verdict(how: str) -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(LISTEN)
        pbx.at("switchroom-machine")
        if how == "moved":
            pbx.at("switchroom-wait", "other")
        elif how == "prompted":
            pbx.commands.take(replace(PLAY, id="c2"))
            assert pbx.steps()[-1]["Context"] == "switchroom-prompt"
        elif how == "joined":
            pbx.want(2, TALK)
            pbx.bridged()
        elif how == "gone":
            pbx.legs.end(pbx.caller)
            pbx.changed()
        else:
            pbx.commands.clear()
        if how != "gone":
            assert pbx.heard("c1", verdict=Verdict(verdict=HUMAN)) == []
        assert verdicts(pbx) == []

    play(scenario)


def test_who_has_just_answered_is_listened_to_when_the_dialplan_has_him() -> None:
    """Asterisk tells the answer a moment before or behind the place."""

    async def scenario(pbx: Pbx) -> None:
        leg = pbx.legs.by_uid(AGENT)
        assert leg is not None
        leg.context, leg.exten = "from-agent", "s"
        pbx.commands.take(replace(LISTEN, leg_id=AGENT))
        assert (pbx.steps(), pbx.ends()) == ([], {})
        place = {"event": "UserEvent", "uniqueid": AGENT, "context": "switchroom-agent", "exten": "s"}
        pbx.legs.apply(AmiMessage(place))
        pbx.legs.settle(leg)
        pbx.changed()
        (way,) = pbx.steps()
        assert (way["Context"], way["Exten"]) == ("switchroom-machine", "no_music")

    play(scenario)


@pytest.mark.parametrize("kind", ["prompts", "machine"])
def test_a_dialplan_of_an_older_version_is_not_asked_for_what_it_does_not_know(kind: str) -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.wire.missing = frozenset({"switchroom-machine"})
        looked: list[int] = []
        pbx.wire.look_again = lambda: looked.append(1)
        pbx.commands.take(LISTEN if kind == "machine" else PLAY)
        steps = [step["Context"] for step in pbx.steps()]
        assert (steps, looked) == (([], [1]) if kind == "machine" else (["switchroom-prompt"], []))
        assert pbx.ends() == ({"c1": CommandOutcome.REFUSED} if kind == "machine" else {})

    play(scenario)


def test_prompts_behind_a_silence_name_their_order() -> None:
    async def scenario(pbx: Pbx) -> None:
        pbx.commands.take(replace(PLAY, after_silence_ms=1500))
        variables = {f["Variable"]: f["Value"] for f in pbx.steps("Setvar")}
        assert variables["SR_AFTER"] == "c1:1500,1,30"
        pbx.at("switchroom-prompt")
        assert not pbx.commands.prompts.is_announcing(CALLER)

    play(scenario)


# ---------------------------------------------------------------------- FreeSWITCH


def event(**variables: str) -> EslEvent:
    named = {f"variable_{name}": value for name, value in variables.items()}
    return EslEvent({"Order": "c1", "variable_SR_HEARD": "listened", **named})


@pytest.mark.parametrize(
    ("found", "expected", "cause"),
    [
        ({"detect_audio_timeout": "true"}, UNKNOWN, "INITIALSILENCE"),
        ({"detect_audio_timeout": "false", "detect_silence_timeout": "false"}, HUMAN, f"HUMAN-{AFTER_GREETING_MS}"),
        (
            {"detect_audio_timeout": "false", "detect_silence_timeout": "true", "SR_SPEECH_MS": "1400"},
            IS_MACHINE,
            f"LONGGREETING-{GREETING_MS}",
        ),
        (
            {"detect_audio_timeout": "false", "detect_silence_timeout": "true", "SR_SPEECH_MS": "1399.9"},
            UNKNOWN,
            "TOOLONG",
        ),
        ({}, UNKNOWN, "NOAPP"),
    ],
)
def test_what_the_two_applications_leave_on_the_channel(
    found: dict[str, str], expected: MachineVerdict, cause: str
) -> None:
    assert heard(event(**found)).verdict == Verdict(verdict=expected, cause=cause)


def test_the_dialplan_reads_what_it_is_asked() -> None:
    assert taken("switchroom-machine", "listen", listening(LISTEN)) == (
        *("default", "c1", "128", "4", "2500", "29", "1400", "3000"),
    )
    short = listening(replace(LISTEN, deadline_ms=900))
    assert taken("switchroom-machine", "listen", short) == ("default", "c1", "128", "4", "900", "29", "1400", "900")


def conditions(extension: str) -> list[str]:
    (found,) = (e for e in ET.parse(DIALPLAN).iter("extension") if e.get("name") == extension)
    return [c.get("expression", "") for c in found.iter("condition")]


@given(asked=st.integers(1, 10**7), left=st.sampled_from(["c1", "c2"]))
def test_the_silence_before_prompts_is_the_orders_own(asked: int, left: str) -> None:
    order = PlayPrompts(id="c1", pbx="p", leg_id="l", interaction_id="i", prompts=("/a",), after_silence_ms=asked)
    question = f"c1;0;0;0;none;/a.wav;{after(replace(order, id=left))}"
    found = re.search(conditions("greeting")[1], question)
    assert (found is not None) == (left == "c1")
    if found:
        assert 1 <= int(found[2]) <= 1499
        assert found[3] == "30000"


@pytest.mark.parametrize(
    ("hits", "speech", "asked_again"),
    [("0", "1400", False), ("6", "1400", True), ("28", "1400.00", True), ("20", "900.5", False)],
)
def test_a_silence_that_has_begun_is_waited_for_unless_the_deadline_cuts_it(
    hits: str, speech: str, asked_again: bool
) -> None:
    field = f"true;{hits};{speech};{listening(LISTEN)}"
    assert bool(re.search(conditions("hush")[1], field)) is asked_again


def test_a_duration_is_more_packets_than_so_many() -> None:
    assert [freeswitch.frames(ms) for ms in (0, 20, 100, 700, 30_000)] == [1, 1, 4, 34, 1499]


def _wire() -> EslWire:
    class Nowhere:
        is_up = True

    return EslWire(Settling(Nowhere(), lambda: 0.0))  # type: ignore[arg-type]


def test_freeswitch_is_told_of_the_silence_ahead_of_the_prompts() -> None:
    wire, leg = _wire(), Leg(leg_id="l", uid="u", kind=LegKind.DIALED)
    wire.sounds = Sounds()
    order = PlayPrompts(id="c1", pbx="p", leg_id="l", interaction_id="i", prompts=("/a",))
    lines: list[Any] = [action.line for action in wire.play(leg, replace(order, after_silence_ms=1500), "no_music")]
    assert lines[0] == "uuid_setvar u SR_AFTER c1;74;30000"
    assert lines[1:] == [action.line for action in wire.play(leg, order, "no_music")]
    assert [action.line for action in wire.listen(leg, LISTEN, "no_music")][-1] == (
        "uuid_transfer u no_music XML switchroom-machine"
    )


# ---------------------------------------------------------------------- simulated


@pytest.mark.parametrize(
    ("greeting", "expected", "at_ms"),
    [
        (PERSON, HUMAN, 1700),
        (MACHINE, IS_MACHINE, 1700),
        (SILENCE, UNKNOWN, 2500),
        (Greeting(after_ms=2600, says_ms=500), UNKNOWN, 2500),
        (Greeting(after_ms=2000, says_ms=2000), UNKNOWN, 3000),
        (Greeting(says_ms=0, verdict=IS_MACHINE), IS_MACHINE, 2500),
        (Greeting(after_ms=2000, says_ms=2000, verdict=HUMAN), HUMAN, 3000),
    ],
)
def test_a_simulated_telephone_is_judged_by_what_is_said(
    greeting: Greeting, expected: MachineVerdict, at_ms: int
) -> None:
    judgment = judge(LISTEN, greeting, 0)
    assert (judgment.found.verdict, judgment.at_ms) == (expected, at_ms)


@given(
    after_ms=st.integers(0, 8000),
    says_ms=st.integers(0, 20_000),
    since_ms=st.integers(0, 9000),
    asked_ms=st.integers(0, 10_000),
)
def test_no_simulated_verdict_comes_behind_the_deadline(
    after_ms: int, says_ms: int, since_ms: int, asked_ms: int
) -> None:
    order = replace(LISTEN, deadline_ms=asked_ms)
    judgment = judge(order, Greeting(after_ms=after_ms, says_ms=says_ms), since_ms)
    assert 0 <= judgment.at_ms <= deadline_ms(order)


@pytest.mark.parametrize(
    ("greeting", "since_ms", "waits_ms"),
    [
        (SILENCE, 0, 1500),
        (MACHINE, 0, 8100),
        (MACHINE, 5000, 3100),
        (MACHINE, 7000, 1500),
        (Greeting(after_ms=2000), 0, 1500),
        (Greeting(says_ms=60_000), 0, 30_000),
    ],
)
def test_simulated_prompts_wait_for_the_end_of_a_greeting(greeting: Greeting, since_ms: int, waits_ms: int) -> None:
    order = PlayPrompts(id="c1", pbx="p", leg_id="l", interaction_id="i", prompts=(), after_silence_ms=1500)
    assert quiet_ms(order, greeting, since_ms) == waits_ms
    assert quiet_ms(replace(order, after_silence_ms=0), greeting, since_ms) == 0
