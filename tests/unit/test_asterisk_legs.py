"""Legs from events: failed diallings told in halves, who hung up, bridges, snapshots, hand-overs."""

from __future__ import annotations

from itertools import permutations

import pytest

from routing.core.facts import (
    DialFailed,
    DialOutcome,
    EndedBy,
    Fact,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegRinging,
    LegState,
    PhoneState,
)
from telephony.asterisk.arrivals import Arrivals
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.legs import Legs
from telephony.asterisk.phones import Phones
from telephony.asterisk.snapshot import Listing, build
from telephony.handover import options_of
from telephony.legs import Leg, LegKind

PLACE = {"channel": "PJSIP/1001-1", "context": "switchroom-agent", "exten": "s"}


def event(kind: str, uid: str = "leg_1", /, **headers: str) -> AmiMessage:
    return AmiMessage({"event": kind, "uniqueid": uid, **headers})


def dialed(**fields: object) -> Legs:
    legs = Legs("p")
    legs.add(Leg(leg_id="leg_1", uid="leg_1", kind=LegKind.DIALED, interaction_id="int_1", **fields))  # type: ignore[arg-type]
    return legs


def told(legs: Legs, *events: AmiMessage) -> list[Fact]:
    return [fact for e in events for fact in legs.apply(e)]


NEW = event("Newchannel", **PLACE)
RINGS = event("Newstate", channelstate="5", **PLACE)
FAILS = event("OriginateResponse", response="Failure", reason="0")
ANSWERS = event("OriginateResponse", response="Success", reason="4")
BUSY = event("Hangup", cause="17", techcause="486", **PLACE)


@pytest.mark.parametrize("halves", list(permutations([FAILS, BUSY])))
def test_a_failed_dialling_is_told_once_when_both_halves_are_there(halves: tuple[AmiMessage, ...]) -> None:
    facts = told(dialed(), NEW, RINGS, RINGS, *halves, *halves)
    assert facts == [
        LegRinging(pbx="p", leg_id="leg_1"),
        DialFailed(pbx="p", leg_id="leg_1", outcome=DialOutcome.BUSY, cause=17),
    ]


def test_a_half_whose_other_half_never_comes_is_enough_in_the_end() -> None:
    legs = dialed()
    assert told(legs, NEW, BUSY) == []
    leg = legs.get("leg_1")
    assert leg
    assert legs.settle_dial(leg) == [DialFailed(pbx="p", leg_id="leg_1", outcome=DialOutcome.BUSY, cause=17)]
    assert legs.settle_dial(leg) == []


@pytest.mark.parametrize("last", [[FAILS, BUSY], [ANSWERS, BUSY], [BUSY, ANSWERS]])
def test_a_dialling_that_we_hung_up_is_cancelled_whatever_else_happens(last: list[AmiMessage]) -> None:
    facts = told(dialed(hang_up_cause=16), NEW, *last)
    assert [f.outcome for f in facts if isinstance(f, DialFailed)] == [DialOutcome.CANCELLED]
    assert not [f for f in facts if isinstance(f, LegAnswered | LegEnded)]


def test_a_hang_up_that_overtakes_the_answer_ends_the_leg_all_the_same() -> None:
    legs = dialed()
    facts = told(legs, NEW, event("HangupRequest", **PLACE), event("Hangup", cause="16", **PLACE), ANSWERS)
    assert [type(f) for f in facts] == [LegAnswered, LegEnded]
    assert legs.all() == []


@pytest.mark.parametrize(
    ("before", "ended_by"),
    [
        ([event("HangupRequest", **PLACE), event("SoftHangupRequest", **PLACE)], EndedBy.REMOTE),
        ([event("SoftHangupRequest", **PLACE)], EndedBy.SERVER),
        ([], EndedBy.SERVER),
    ],
)
def test_who_hung_up_is_told_by_what_came_first(before: list[AmiMessage], ended_by: EndedBy) -> None:
    facts = told(dialed(), NEW, ANSWERS, ANSWERS, *before, event("Hangup", cause="16", **PLACE))
    assert facts == [
        LegAnswered(pbx="p", leg_id="leg_1"),
        LegEnded(pbx="p", leg_id="leg_1", ended_by=ended_by, cause=16),
    ]


def bridge(name: str, uid: str, bridge_id: str = "b", **more: str) -> AmiMessage:
    return event(name, uid, bridgeuniqueid=bridge_id, bridgetype="basic", **{**PLACE, **more})


def test_company_is_who_is_in_the_bridge_and_strangers_count() -> None:
    legs = dialed()
    told(legs, NEW, bridge("BridgeEnter", "leg_1"), bridge("BridgeEnter", "stranger"))
    assert legs.spots(["leg_1"])["leg_1"].company == {"stranger"}
    told(legs, bridge("BridgeLeave", "stranger", "another"))
    assert legs.spots(["leg_1"])["leg_1"].company == {"stranger"}
    told(legs, bridge("BridgeDestroy", ""))
    assert legs.spots(["leg_1"])["leg_1"].company == set()
    assert legs.spots(["leg_1"])["leg_1"].bridge == ""


def test_a_leg_that_enters_a_bridge_has_left_the_one_before() -> None:
    legs = dialed()
    told(legs, NEW, bridge("BridgeEnter", "leg_1"), bridge("BridgeEnter", "leg_1", "c", bridgecreator="ConfBridge"))
    assert legs.bridges.members("b") == set()
    assert legs.bridges.members("c") == {"leg_1"}


STATUS = {"channel": "PJSIP/1001-1", "context": "switchroom-agent", "exten": "s"}


def status(uid: str, leg_id: str, iid: str = "", **headers: str) -> AmiMessage:
    return AmiMessage(
        {"event": "Status", "uniqueid": uid, "channelstate": "6", "variable": f"SR_LEG={leg_id}", **STATUS, **headers},
        {"variable": [f"SR_LEG={leg_id}", f"SR_IID={iid}"]},
    )


def test_a_snapshot_replaces_everything_and_finds_our_legs_by_their_variables() -> None:
    legs = dialed()
    told(legs, bridge("BridgeEnter", "leg_1", "stale"))
    channels = (
        status("leg_2", "leg_2", "int_2", bridgeid="b"),
        status("u.1", "leg_u.1", "int_2", bridgeid="b", context="switchroom-wait"),
        status("u.2", "leg_u.2", "(null)", context="switchroom"),
        status("leg_3", "leg_3", "int_3", channelstate="5", context="from-agent"),
        status("leg_4", "leg_4", "int_4", context="from-agent"),
        status("u.3", "(null)"),
        status("u.4", "leg_2"),
        AmiMessage({"event": "Status", "channel": "PJSIP/cut-short"}),
    )
    build(legs, Listing(channels, (AmiMessage({"bridgeuniqueid": "b"}),)), 0.0)
    found = {leg.leg_id: (leg.interaction_id, leg.state) for leg in legs.snapshot()}
    assert found == {
        "leg_2": ("int_2", LegState.UP),
        "leg_u.1": ("int_2", LegState.UP),
        "leg_u.2": ("", LegState.UP),
        "leg_3": ("int_3", LegState.RINGING),
        "leg_4": ("int_4", LegState.DIALING),
    }
    assert legs.spots(["leg_2"])["leg_2"].company == {"leg_u.1"}
    assert [leg.leg_id for leg in legs.all() if legs.is_untaken(leg)] == ["leg_u.2"]


@pytest.mark.req("CONS-14")
def test_who_is_joined_with_a_stranger_or_stands_in_a_foreign_dialplan_was_sent_away() -> None:
    legs = dialed()
    channels = (
        status("u.1", "leg_u.1", "int_1", bridgeid="pair", context="switchroom-wait"),
        status("u.2", "(null)", bridgeid="pair"),
        status("u.3", "leg_u.3", "int_3", context="from-agent"),
        status("u.4", "leg_u.4", "int_4", bridgeid="room", context="switchroom-room"),
        status("announcer", "(null)", bridgeid="room"),
        status("u.5", "leg_u.5", "int_5", bridgeid="ours", context="switchroom-wait"),
        status("leg_5", "leg_5", "int_5", bridgeid="ours"),
        status("u.6", "leg_u.6", context="switchroom"),
        status("u.7", "leg_u.7", context="switchroom-wait"),
        status("leg_8", "leg_8", "int_8", context="from-agent"),
    )
    room = AmiMessage({"bridgeuniqueid": "room", "bridgename": "r", "bridgecreator": "ConfBridge"})
    build(legs, Listing(channels, (room,)), 0.0)
    assert [leg.leg_id for leg in legs.sent_away()] == ["leg_u.1", "leg_u.3"]


def test_a_hand_over_is_put_together_from_its_events() -> None:
    arrivals = Arrivals("p")
    for name, value in (("note", "a%2Cb%0D%0A%F0%9F%98%80(("), ("broken", "%ff"), ("plain", "42")):
        assert arrivals.take(event("UserEvent", "u.1", userevent="SwitchroomCad", name=name, value=value)) is None
    arrivals.take(event("UserEvent", "u.2", userevent="SwitchroomCad", name="other", value="x"))
    arrivals.take(event("UserEvent", "u.1", userevent="SwitchroomCad", name="long", toolong="5000"))
    call = {"entry": "sales", "dnis": "7001", "ani": "%2B49", "options": "priority%3D8%26%26", "ani-name": "Zo%C3%AB"}
    fact = arrivals.take(event("UserEvent", "u.1", userevent="SwitchroomCall", **call))
    assert fact == LegArrived(
        pbx="p",
        leg_id="leg_u.1",
        entry_point="sales",
        dnis="7001",
        ani="+49",
        ani_name="Zoë",
        cad={"note": "a,b\r\n\U0001f600((", "broken": "�", "plain": "42"},
        options={"priority": "8", "cad_too_long": "long"},
    )


def test_data_of_calls_that_never_come_are_forgotten() -> None:
    arrivals = Arrivals("p")
    for n in range(3000):
        arrivals.take(event("UserEvent", f"u.{n}", userevent="SwitchroomCad", name="a", value="1"))
    assert len(arrivals._cad) <= 1000


def test_options_are_pairs_and_a_plus_is_a_comma() -> None:
    assert options_of("requires=german:5+vip:1&priority=7&&junk&=x") == {"requires": "german:5,vip:1", "priority": "7"}


@pytest.mark.req("ROUTE-15")
def test_phones_tell_changes_only_and_only_those_watched() -> None:
    phones = Phones()
    phones.watch(["PJSIP/1", "PJSIP/2"])
    assert phones.take("PJSIP/1", "NOT_INUSE") is PhoneState.FREE
    assert phones.take("PJSIP/1", "NOT_INUSE") is None
    assert phones.take("PJSIP/1", "INUSE") is PhoneState.BUSY
    assert phones.take("PJSIP/1", "BUSY") is None
    assert phones.take("PJSIP/9", "BUSY") is None
    assert phones.take("PJSIP/1", "UNAVAILABLE") is PhoneState.UNREACHABLE
    phones.watch(["PJSIP/1"])
    assert phones.states == {"PJSIP/1": PhoneState.UNREACHABLE}


@pytest.mark.parametrize("settles_first", [True, False])
def test_a_recorded_leg_counts_as_answered_only_once_its_recording_runs(settles_first: bool) -> None:
    legs = dialed(recording="rec_1")
    leg = legs.get("leg_1")
    assert leg
    assert told(legs, NEW, RINGS) == [LegRinging(pbx="p", leg_id="leg_1")]
    facts = [*(legs.settle(leg) if settles_first else []), *told(legs, ANSWERS)]
    assert facts == ([LegAnswered(pbx="p", leg_id="leg_1")] if settles_first else [])
    assert legs.settle(leg) == ([] if settles_first else [LegAnswered(pbx="p", leg_id="leg_1")])


def test_a_recorded_leg_that_is_gone_before_its_recording_runs_has_failed() -> None:
    legs = dialed(recording="rec_1")
    facts = told(legs, NEW, ANSWERS, event("Hangup", cause="16", **PLACE))
    assert [type(fact) for fact in facts] == [DialFailed]
    assert legs.get("leg_1") is None
