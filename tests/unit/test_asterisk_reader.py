"""Events that make the connector act by itself."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.commands import KeyInput, PlayPrompts, RecordMessage
from routing.core.facts import (
    DialFailed,
    DialOutcome,
    Fact,
    LegTransferred,
    MessageEnded,
    PromptOutcome,
    PromptsEnded,
)
from telephony.asterisk.arrivals import Arrivals
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.legs import Legs
from telephony.asterisk.port import AsteriskPort
from telephony.asterisk.reader import EventReader
from telephony.asterisk.session import AmiSession
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.watching import Watching
from telephony.asterisk.wire import AmiWire
from telephony.commands import Commands
from telephony.legs import Leg, LegKind
from tests.waiting import run, until

SETTINGS = AsteriskSettings(pbx="p", username="u", secret="s")


def a_reader(legs: Legs, told: list[Fact]) -> EventReader:
    commands = Commands(SETTINGS, legs, AmiWire(lambda fields, _: None), told.append, lambda: 0.0)
    watching = Watching("p", AmiSession(SETTINGS, AsteriskPort(SETTINGS), lambda: 0.0), told.append)
    reader = EventReader("p", legs, Arrivals("p"), commands, watching)
    reader.system_name = "lab"
    return reader


def event(name: str, **headers: str) -> AmiMessage:
    return AmiMessage({"event": name, "privilege": "call,all", "systemname": "lab", **headers})


REFUSED = event("OriginateResponse", uniqueid="leg_x", response="Failure", reason="0")
MADE = event("Newchannel", uniqueid="leg_x", channel="PJSIP/1001-1")
GONE = event("Hangup", uniqueid="leg_x", cause="1", techcause="404")


@pytest.mark.req("ROUTE-07")
@pytest.mark.parametrize("order", [(MADE, GONE, REFUSED), (MADE, REFUSED, GONE), (REFUSED, MADE, GONE)])
def test_the_outcome_is_the_same_in_whatever_order_the_news_of_a_failed_dialling_comes(
    order: tuple[AmiMessage, ...],
) -> None:
    async def play() -> None:
        legs, told = Legs("p"), list[Fact]()
        reader = a_reader(legs, told)
        legs.add(Leg(leg_id="leg_x", uid="leg_x", kind=LegKind.DIALED))
        facts = [fact for news in order for fact in reader.read(news)]
        assert facts == [DialFailed(pbx="p", leg_id="leg_x", outcome=DialOutcome.INVALID, cause=1)]

    run(play())


def test_a_phone_for_which_no_channel_was_made_is_unreachable_after_a_moment() -> None:
    async def play() -> None:
        legs, told = Legs("p"), list[Fact]()
        reader = a_reader(legs, told)
        legs.add(Leg(leg_id="leg_x", uid="leg_x", kind=LegKind.DIALED))
        assert reader.read(REFUSED) == []
        await until(lambda: told == [DialFailed(pbx="p", leg_id="leg_x", outcome=DialOutcome.UNREACHABLE)], 1.0)

    run(play())


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_a_phone_that_begins_to_ring_only_after_the_link_that_dialled_it_broke_is_hung_up_at_once() -> None:
    legs, sent, told = Legs("p"), list[dict[str, Any]](), list[Fact]()
    commands = Commands(SETTINGS, legs, AmiWire(lambda fields, _: sent.append(fields)), told.append, lambda: 0.0)
    watching = Watching("p", AmiSession(SETTINGS, AsteriskPort(SETTINGS), lambda: 0.0), told.append)
    reader = EventReader("p", legs, Arrivals("p"), commands, watching)
    reader.system_name = "lab"

    def channel(uid: str) -> AmiMessage:
        origin = {"event": "Newchannel", "privilege": "call,all", "systemname": "lab"}
        return AmiMessage({**origin, "uniqueid": uid, "channel": "PJSIP/1001-1"})

    commands.disown([Leg(leg_id="leg_x", uid="leg_x", kind=LegKind.DIALED)])
    assert reader.read(channel("somebody else's")) == []
    assert reader.read(channel("leg_x")) == [DialFailed(pbx="p", leg_id="leg_x", outcome=DialOutcome.CANCELLED)]
    assert [(fields["Action"], fields["Channel"]) for fields in sent] == [("Hangup", "leg_x")]


CUSTOMER, AGENT = "lab-1.1", "leg_x"


def transfer(name: str, result: str = "Success", **headers: str) -> AmiMessage:
    """As Asterisk 22 tells it: repeated ChanVariable headers of each channel, among them."""
    of = "transferer" if name == "BlindTransfer" else "origtransferer"
    whole = {f"{of}uniqueid": AGENT, "secondtransfereruniqueid": "lab-1.4", "extension": "1003", "desttype": "Bridge"}
    repeated = {f"{of}chanvariable": ["SR_IID=int_1", "SR_LEG=leg_x"], "transfereechanvariable": ["SR_IID=", "SR_LEG="]}
    told = event(name, result=result, **(whole | headers))
    return AmiMessage(told.headers | {n: values[0] for n, values in repeated.items()}, repeated)


def on_a_call(sent: list[dict[str, Any]]) -> tuple[EventReader, Legs]:
    """A reader with a caller and an agent's leg that is up."""
    legs = Legs("p")
    legs.add(Leg(leg_id="leg_c", uid=CUSTOMER, kind=LegKind.ARRIVED, is_up=True))
    legs.add(Leg(leg_id=AGENT, uid=AGENT, kind=LegKind.DIALED, is_up=True))
    commands = Commands(SETTINGS, legs, AmiWire(lambda fields, _: sent.append(fields)), lambda _: None, lambda: 0.0)
    watching = Watching("p", AmiSession(SETTINGS, AsteriskPort(SETTINGS), lambda: 0.0), lambda _: None)
    reader = EventReader("p", legs, Arrivals("p"), commands, watching)
    reader.system_name = "lab"
    return reader, legs


@pytest.mark.req("CONS-14")
@pytest.mark.parametrize(
    ("news", "how", "to"),
    [
        (transfer("BlindTransfer", transfereeuniqueid=CUSTOMER), "blind", "1003"),
        (transfer("AttendedTransfer", transfereeuniqueid=CUSTOMER, extension=""), "attended", ""),
        (
            transfer("AttendedTransfer", transfertargetuniqueid=CUSTOMER, transfereeuniqueid="lab-1.5"),
            "attended",
            "1003",
        ),
    ],
)
def test_a_leg_that_a_telephone_transferred_is_told_and_not_ours_any_more(news: AmiMessage, how: str, to: str) -> None:
    sent: list[dict[str, Any]] = []
    reader, legs = on_a_call(sent)
    assert reader.read(news) == [LegTransferred(pbx="p", leg_id="leg_c", by_leg_id=AGENT, how=how, to=to)]
    assert reader.distrusted is None
    assert legs.get("leg_c") is None
    cleared = {(f["Action"], f["Channel"], f["Variable"], f["Value"]) for f in sent}
    assert cleared == {("Setvar", CUSTOMER, name, "") for name in ("SR_LEG", "SR_IID", "SR_RETURNS")}
    assert reader.read(news) == []


@pytest.mark.req("CONS-14")
def test_a_transfer_that_failed_or_of_strangers_changes_nothing() -> None:
    sent: list[dict[str, Any]] = []
    reader, legs = on_a_call(sent)
    assert reader.read(transfer("BlindTransfer", "Fail", transfereeuniqueid=CUSTOMER)) == []
    strangers = {"transfereruniqueid": "lab-1.8", "transfereeuniqueid": "lab-1.9"}
    assert reader.read(transfer("BlindTransfer", **strangers)) == []
    assert (sent, len(legs.all())) == ([], 2)


@pytest.mark.req("CONS-14")
def test_a_telephone_that_put_itself_out_of_a_conference_is_hung_up() -> None:
    sent: list[dict[str, Any]] = []
    reader, _ = on_a_call(sent)
    assert reader.read(transfer("AttendedTransfer")) == []
    assert [(f["Action"], f["Channel"]) for f in sent] == [("Hangup", AGENT)]


class Asked:
    """A caller who waits, with an order for him that has begun; `now_s` is the port's clock."""

    def __init__(self, order: PlayPrompts | RecordMessage) -> None:
        self.now_s = 0.0
        self.told: list[Fact] = []
        self.legs = Legs("p")
        commands = Commands(SETTINGS, self.legs, AmiWire(lambda *_: None), self.told.append, lambda: self.now_s)
        watching = Watching("p", AmiSession(SETTINGS, AsteriskPort(SETTINGS), lambda: 0.0), self.told.append)
        self.reader = EventReader("p", self.legs, Arrivals("p"), commands, watching)
        self.reader.system_name = "lab"
        leg = Leg(leg_id="leg_c", uid=CUSTOMER, kind=LegKind.ARRIVED, is_up=True, context="switchroom-wait", exten="m")
        self.legs.add(leg)
        commands.take(order)
        self.say("SwitchroomAt")
        commands.prompts.changed({"leg_c"})

    def say(self, name: str, **headers: str) -> list[Fact]:
        place = {"uniqueid": CUSTOMER, "context": "switchroom-prompt", "exten": "m"}
        return self.reader.read(event("UserEvent", userevent=name, **{**place, **headers}))


KEYS = KeyInput(max_digits=4, timeout_ms=1000, next_ms=1000)
ASKED = PlayPrompts(id="cmd_1", pbx="p", leg_id="leg_c", interaction_id="i", prompts=("a",), keys=KEYS)
SPEAK = RecordMessage(id="cmd_1", pbx="p", leg_id="leg_c", interaction_id="i", file="msg", max_s=60, silence_s=5)


@pytest.mark.parametrize(
    ("headers", "outcome", "digits"),
    [
        ({"played": "1", "digits": "12*#"}, PromptOutcome.FINISHED, "12*#"),
        ({"played": "1", "digits": ""}, PromptOutcome.FINISHED, ""),
        ({"played": "0"}, PromptOutcome.FAILED, ""),
        ({"played": "1", "digits": "1" * 65}, PromptOutcome.FINISHED, ""),
        ({"played": "1", "digits": "1\u0663"}, PromptOutcome.FINISHED, ""),
    ],
)
def test_the_end_of_prompts_brings_keys_and_nothing_else(
    headers: dict[str, str], outcome: PromptOutcome, digits: str
) -> None:
    async def play() -> None:
        asked = Asked(ASKED)
        assert asked.say("SwitchroomHeard", ask="cmd_0", **headers) == []
        ended = PromptsEnded(pbx="p", leg_id="leg_c", command_id="cmd_1", outcome=outcome, digits=digits)
        assert asked.say("SwitchroomHeard", ask="cmd_1", **headers) == [ended]

    run(play())


@pytest.mark.parametrize(("silence", "expected_ms"), [("05", 3000), ("0", 8000), ("x", 8000), ("", 8000)])
def test_a_message_counts_from_the_beginning_of_its_recording_without_the_silence_at_its_end(
    silence: str, expected_ms: int
) -> None:
    async def play() -> None:
        asked = Asked(SPEAK)
        asked.now_s = 0.4
        assert asked.say("SwitchroomRecording", ask="cmd_1") == []
        asked.now_s = 8.4
        (fact,) = asked.say("SwitchroomHeard", ask="cmd_1", played="1", silence=silence)
        assert isinstance(fact, MessageEnded)
        assert fact.duration_ms == expected_ms

    run(play())


def test_a_manager_user_who_is_no_channel_ends_nothing() -> None:
    async def play() -> None:
        asked = Asked(ASKED)
        assert asked.reader.read(event("UserEvent", userevent="SwitchroomHeard", ask="cmd_1", played="1")) == []
        assert asked.say("SwitchroomHeard", ask="cmd_1", uniqueid="lab-1.9") == []

    run(play())
