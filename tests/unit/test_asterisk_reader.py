"""Events that make the connector act by itself."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.facts import DialFailed, DialOutcome, Fact, LegTransferred
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
