"""Who is where and with whom on a FreeSWITCH, from its events in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.facts import DialFailed, DialOutcome, EndedBy, LegAnswered, LegEnded, LegRinging
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.legs import Legs
from telephony.legs import Leg, LegKind
from telephony.rooms import Spot

C, A, B = "leg_c", "leg_a", "leg_b"


def legs_of(*, is_up: bool = True) -> Legs:
    legs = Legs("p")
    legs.add(Leg(leg_id=C, uid="c", kind=LegKind.ARRIVED, is_up=True))
    for leg_id in (A, B):
        legs.add(Leg(leg_id=leg_id, uid=leg_id, kind=LegKind.DIALED, is_up=is_up))
    return legs


def leg(legs: Legs, leg_id: str) -> Leg:
    found = legs.get(leg_id)
    assert found is not None
    return found


def place(context: str, exten: str = "s") -> EslEvent:
    return EslEvent({"Caller-Context": context, "Caller-Destination-Number": exten})


def spot(legs: Legs, leg_id: str) -> Spot:
    return legs.spots([leg_id])[leg_id]


def ended(cause: str = "NORMAL_CLEARING", **variables: str) -> EslEvent:
    shown = {f"variable_{name}": value for name, value in variables.items() if name != "answered"}
    at = {"Caller-Channel-Answered-Time": variables["answered"]} if "answered" in variables else {}
    return EslEvent({"Hangup-Cause": cause, **shown, **at})


# ---------------------------------------------------------------------- bridges


def test_two_legs_of_a_bridge_are_each_others_company_whoever_came_first() -> None:
    for one, other in (("c", A), (A, "c")):
        legs = legs_of()
        legs.bridged(one, other)
        assert spot(legs, C).company == {A}
        assert spot(legs, A).company == {C}
        assert spot(legs, C).bridge == spot(legs, A).bridge
        assert {C, A} <= legs.changed


def test_a_leg_left_alone_counts_as_alone_in_the_bridge_until_it_arrives_somewhere() -> None:
    legs = legs_of()
    legs.bridged("c", A)
    legs.unbridged("c", A)
    for leg_id in (C, A):
        assert spot(legs, leg_id).company == set()
        assert spot(legs, leg_id).bridge
    assert spot(legs, C).bridge != spot(legs, A).bridge
    legs.arrived_at(leg(legs, A), place("switchroom-idle"))
    assert (spot(legs, A).bridge, spot(legs, A).context, spot(legs, A).exten) == ("", "switchroom-idle", "s")
    assert spot(legs, C).bridge


def test_a_leg_that_has_arrived_elsewhere_is_not_put_back_by_the_end_of_its_bridge() -> None:
    legs = legs_of()
    legs.bridged("c", A)
    legs.arrived_at(leg(legs, C), place("switchroom-wait", "moh"))
    assert spot(legs, A).company == set()
    legs.unbridged("c", A)
    assert spot(legs, C) == Spot(context="switchroom-wait", exten="moh")
    assert spot(legs, A).bridge


def test_a_leg_bridged_directly_with_another_leaves_the_first_alone() -> None:
    legs = legs_of()
    legs.bridged("c", A)
    legs.bridged("c", B)
    legs.unbridged("c", A)
    assert spot(legs, C).company == {B}
    assert spot(legs, B).company == {C}
    assert spot(legs, A).company == set()
    legs.unbridged("c", B)
    assert spot(legs, C).company == set()


def test_the_end_of_a_bridge_told_late_does_not_part_the_same_two_in_a_conference() -> None:
    legs = legs_of()
    legs.bridged("c", A)
    legs.joined("room", "c")
    legs.joined("room", A)
    legs.unbridged("c", A)
    assert spot(legs, C).company == {A}
    assert spot(legs, C).conference == "room"


def test_a_stranger_in_the_bridge_is_company_by_the_name_of_its_channel() -> None:
    legs = legs_of()
    legs.bridged("c", "stranger")
    assert spot(legs, C).company == {"stranger"}
    legs.changed.clear()
    legs.gone("stranger")
    assert spot(legs, C).company == set()
    assert C in legs.changed


def test_a_stranger_whom_a_bridge_leaves_behind_is_in_none() -> None:
    legs = legs_of()
    legs.bridged("c", "stranger")
    legs.unbridged("c", "stranger")
    assert legs.bridges.of("stranger") is None
    assert spot(legs, C).bridge


def test_nobody_of_ours_in_a_bridge_changes_nobody_of_ours() -> None:
    legs = legs_of()
    legs.bridged("x", "y")
    legs.unbridged("x", "y")
    legs.gone("x")
    assert legs.changed.isdisjoint({C, A, B})
    assert all(not spot(legs, leg_id).bridge for leg_id in (C, A, B))


def test_the_last_mate_is_remembered_beyond_the_bridge_and_not_beyond_his_own_end() -> None:
    legs = legs_of()
    customer = leg(legs, C)
    assert legs.last_mate(customer) == ""
    legs.bridged("c", A)
    legs.unbridged("c", A)
    assert legs.last_mate(customer) == A
    assert legs.last_mate(leg(legs, A)) == C
    legs.drop(leg(legs, A))
    assert legs.last_mate(customer) == ""
    legs.bridged("c", "stranger")
    assert legs.last_mate(customer) == ""


# ---------------------------------------------------------------------- conferences


def test_members_of_a_conference_are_company_and_who_leaves_is_not() -> None:
    legs = legs_of()
    for uid in ("c", A, B):
        legs.joined("room", uid)
    assert spot(legs, C).company == {A, B}
    assert spot(legs, C).conference == "room"
    legs.changed.clear()
    legs.parted("room", B)
    assert spot(legs, C).company == {A}
    assert spot(legs, B) == Spot(context="", exten="")
    assert {C, A, B} <= legs.changed


def test_leaving_one_conference_late_does_not_leave_another() -> None:
    legs = legs_of()
    legs.joined("one", "c")
    legs.joined("two", "c")
    legs.parted("one", "c")
    assert spot(legs, C).conference == "two"


def test_leaving_a_conference_late_does_not_leave_a_bridge() -> None:
    legs = legs_of()
    legs.joined("room", "c")
    legs.joined("room", A)
    legs.bridged("c", A)
    legs.parted("room", "c")
    legs.parted("room", A)
    assert spot(legs, C).company == {A}
    assert not spot(legs, C).conference


def test_two_in_a_conference_are_not_in_a_bridge_of_two() -> None:
    legs = legs_of()
    legs.joined("room", "c")
    legs.joined("room", A)
    assert spot(legs, C).conference == spot(legs, A).conference == "room"


# ---------------------------------------------------------------------- the life of a leg


def test_a_place_is_counted_and_told_as_a_change() -> None:
    legs = legs_of()
    customer = leg(legs, C)
    legs.arrived_at(customer, place("switchroom-wait", "moh"))
    legs.arrived_at(customer, place("switchroom-wait", "moh"))
    assert customer.settled == 2
    assert C in legs.changed


def test_a_dialled_leg_rings_once_and_an_arrived_one_never() -> None:
    legs = legs_of(is_up=False)
    agent = leg(legs, A)
    assert legs.rings(agent) == [LegRinging(pbx="p", leg_id=A)]
    assert legs.rings(agent) == []
    assert legs.rings(leg(legs, C)) == []
    legs.answered(leg(legs, B))
    assert legs.rings(leg(legs, B)) == []


def test_a_leg_is_answered_once_and_not_when_nobody_wants_it_any_more() -> None:
    legs = legs_of(is_up=False)
    agent = leg(legs, A)
    assert legs.answered(agent) == [LegAnswered(pbx="p", leg_id=A)]
    assert A in legs.changed
    assert legs.answered(agent) == []
    unwanted = leg(legs, B)
    unwanted.hang_up_cause = 16
    assert legs.answered(unwanted) == []
    assert not unwanted.is_up
    gone = Leg(leg_id="leg_z", uid="leg_z", kind=LegKind.DIALED)
    assert legs.answered(gone) == []


@pytest.mark.parametrize(
    ("event", "by", "cause"),
    [
        (ended(sip_hangup_disposition="recv_bye"), EndedBy.REMOTE, 16),
        (ended(sip_hangup_disposition="recv_cancel", hangup_cause_q850="0"), EndedBy.REMOTE, 0),
        (ended(sip_hangup_disposition="send_bye"), EndedBy.SERVER, 16),
        (ended("NETWORK_OUT_OF_ORDER"), EndedBy.SERVER, 0),
        (ended("X", hangup_cause="USER_BUSY"), EndedBy.SERVER, 17),
        (ended("USER_BUSY", hangup_cause_q850="34"), EndedBy.SERVER, 34),
    ],
)
def test_the_end_of_a_leg_says_who_ended_it_and_why(event: EslEvent, by: EndedBy, cause: int) -> None:
    legs = legs_of()
    legs.bridged("c", A)
    legs.changed.clear()
    assert legs.hung_up(leg(legs, C), event) == [LegEnded(pbx="p", leg_id=C, ended_by=by, cause=cause)]
    assert legs.get(C) is None
    assert {C, A} <= legs.changed
    assert spot(legs, A).company == set()


def test_who_was_hung_up_by_us_did_not_hang_up_himself() -> None:
    legs = legs_of()
    customer = leg(legs, C)
    customer.hang_up_cause = 16
    assert legs.hung_up(customer, ended(sip_hangup_disposition="recv_bye")) == [
        LegEnded(pbx="p", leg_id=C, ended_by=EndedBy.SERVER, cause=16)
    ]


@pytest.mark.req("ROUTE-07")
@pytest.mark.parametrize(
    ("event", "has_rung", "how"),
    [
        (ended("USER_BUSY", sip_term_status="486"), False, DialOutcome.BUSY),
        (ended("NO_ANSWER"), True, DialOutcome.NO_ANSWER),
        (ended("NO_ANSWER"), False, DialOutcome.UNREACHABLE),
        (ended("CALL_REJECTED", sip_term_status="603", answered="0"), True, DialOutcome.REJECTED),
    ],
)
def test_a_dialled_leg_that_ends_unanswered_has_failed(event: EslEvent, has_rung: bool, how: DialOutcome) -> None:
    legs = legs_of(is_up=False)
    agent = leg(legs, A)
    agent.is_ringing = has_rung
    [fact] = legs.hung_up(agent, event)
    assert isinstance(fact, DialFailed)
    assert (fact.leg_id, fact.outcome) == (A, how)
    assert legs.get(A) is None


def test_a_dialled_leg_that_we_ended_while_it_rang_was_cancelled() -> None:
    legs = legs_of(is_up=False)
    agent = leg(legs, A)
    agent.hang_up_cause = 26
    [fact] = legs.hung_up(agent, ended("LOSE_RACE", answered="17"))
    assert isinstance(fact, DialFailed)
    assert fact.outcome is DialOutcome.CANCELLED


def test_who_answers_and_hangs_up_before_our_dialplan_has_him_was_answered_and_has_ended() -> None:
    legs = legs_of(is_up=False)
    facts = legs.hung_up(leg(legs, A), ended(answered="1700000000000000", sip_hangup_disposition="recv_bye"))
    assert facts == [
        LegAnswered(pbx="p", leg_id=A),
        LegEnded(pbx="p", leg_id=A, ended_by=EndedBy.REMOTE, cause=16),
    ]


def test_a_failed_job_without_a_channel_tells_its_own_reason_once() -> None:
    legs = legs_of(is_up=False)
    agent = leg(legs, A)
    assert legs.failed(agent, "USER_NOT_REGISTERED") == [
        DialFailed(pbx="p", leg_id=A, outcome=DialOutcome.UNREACHABLE, cause=20)
    ]
    assert legs.failed(agent, "USER_NOT_REGISTERED") == []


@pytest.mark.parametrize(
    ("kind", "is_up", "facts"),
    [
        (LegKind.ARRIVED, True, [LegEnded(pbx="p", leg_id="leg_v", ended_by=EndedBy.UNKNOWN)]),
        (LegKind.DIALED, True, [LegEnded(pbx="p", leg_id="leg_v", ended_by=EndedBy.UNKNOWN)]),
        (LegKind.DIALED, False, [DialFailed(pbx="p", leg_id="leg_v", outcome=DialOutcome.CONGESTION)]),
        (LegKind.FEATURE, True, []),
    ],
)
def test_a_leg_that_vanished_has_ended_or_failed_and_is_nobodys_company(
    kind: LegKind, is_up: bool, facts: list[LegEnded | DialFailed]
) -> None:
    legs = legs_of()
    lost = legs.add(Leg(leg_id="leg_v", uid="v", kind=kind, is_up=is_up))
    legs.bridged("c", "v")
    assert legs.vanish(lost) == facts
    assert legs.get("leg_v") is legs.by_uid("v") is None
    assert spot(legs, C).company == set()


def test_the_reason_of_one_dial_is_not_that_of_the_next_by_the_same_name() -> None:
    legs = legs_of(is_up=False)
    legs.failed(leg(legs, A), "USER_BUSY")
    again = legs.add(Leg(leg_id=A, uid=A, kind=LegKind.DIALED))
    [fact] = legs.settle_dial(again)
    assert isinstance(fact, DialFailed)
    assert fact.outcome is DialOutcome.CONGESTION


def test_everything_is_forgotten_before_a_snapshot() -> None:
    legs = legs_of()
    legs.bridged("c", A)
    legs.clear()
    customer = legs.add(Leg(leg_id=C, uid="c", kind=LegKind.ARRIVED))
    legs.add(Leg(leg_id=A, uid=A, kind=LegKind.DIALED))
    assert legs.last_mate(customer) == ""
    assert spot(legs, C).company == set()


NAMES = {"c": C, A: A, B: B, "z": "z"}
STEP = st.tuples(st.sampled_from(["bridge", "unbridge", "join", "part", "at", "gone"]), st.sampled_from(list(NAMES)))


@given(st.lists(st.tuples(STEP, st.sampled_from(list(NAMES))), max_size=25))
def test_company_is_mutual_after_any_events_and_every_change_of_it_is_told(
    steps: list[tuple[tuple[str, str], str]],
) -> None:
    legs = legs_of()
    ours = [C, A, B]
    for (step, one), other in steps:
        before = {leg_id: spot(legs, leg_id) for leg_id in ours if legs.get(leg_id)}
        legs.changed.clear()
        _apply(legs, step, one, other)
        after = {leg_id: spot(legs, leg_id) for leg_id in ours if legs.get(leg_id)}
        for leg_id, now in after.items():
            assert before[leg_id] == now or leg_id in legs.changed
            for mate in now.company & set(after):
                assert leg_id in after[mate].company
        assert all(leg_id not in now.company for leg_id, now in after.items())


def _apply(legs: Legs, step: str, one: str, other: str) -> None:
    found = legs.by_uid(one)
    match step:
        case "bridge" if one != other:
            legs.bridged(one, other)
        case "unbridge" if one != other:
            legs.unbridged(one, other)
        case "join":
            legs.joined("room", one)
        case "part":
            legs.parted("room", one)
        case "at" if found:
            legs.arrived_at(found, place("switchroom-wait", "moh"))
        case "gone" if found:
            legs.hung_up(found, ended())
        case "gone":
            legs.gone(one)
