"""Several PBXs behind one queue: call control, outdials and new configurations across a trunk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core.commands import HangUpLeg, SetRecording, SetRooms
from routing.core.config import Numbers, Profile, Result, UnansweredTransfer
from routing.core.dial_rights import DialRights
from routing.core.facts import (
    DialOutcome,
    EndedBy,
    LegEnded,
    LinkLost,
    PhoneState,
)
from routing.core.interaction import InteractionState
from routing.core.orders import (
    GoAvailable,
    Hold,
    Invite,
    OnConsult,
    PauseRecording,
    Resume,
    StartConsult,
    StartOutdial,
    Transfer,
)
from routing.core.outdial import OutdialRules, OutdialSource
from tests.unit.core_driver import queue
from tests.unit.two_pbxs import ANNA, BEN, TO_A, TO_B, Site, site

MESH: dict[str, Any] = {"a": TO_B, "b": TO_A}
OVER = ("a", "PJSIP/1002@to-b")  # Ben, for a caller of a


def talking(**more: Any) -> tuple[Site, str]:
    """Anna talks with a caller of a; Ben is free on b."""
    d = Site(site(ANNA, BEN, **(MESH | more)), ready=("anna",))
    call = d.call_on("a", "c1")
    d.takes(call, "anna")
    d.sign_in("ben")
    return d, call


@pytest.mark.req("OPS-05", "CONS-01", "CONF-02", "CONSROLE-07")
def test_consult_conference_and_handing_over_go_across() -> None:
    d, call = talking()
    d.obeys(StartConsult, agent_id="anna", interaction_id=call, to_agent="ben")
    assert d.dials()[-1] == OVER
    assert d.takes(call, "ben").state is InteractionState.CONSULTING
    d.obeys(OnConsult, agent_id="anna", interaction_id=call, action="conference")
    assert d.confirms(call).state is InteractionState.CONFERENCE
    d.obeys(OnConsult, agent_id="anna", interaction_id=call, action="complete_transfer")
    talk = d.confirms(call)
    assert [p.agent_id for p in talk.parties] == ["ben"]
    for kind, state in ((Hold, InteractionState.HELD), (Resume, InteractionState.CONNECTED)):
        d.obeys(kind, agent_id="ben", interaction_id=call)
        assert d.confirms(call).state is state
    assert {c.pbx for c in d.commands if isinstance(c, SetRooms)} == {"a"}
    d.give(LegEnded(pbx="a", leg_id=talk.parties[0].leg_id, ended_by=EndedBy.REMOTE))
    assert d.ended[call].result is Result.ANSWERED


@pytest.mark.req("OPS-05", "CONF-07")
def test_an_instant_conference_goes_across() -> None:
    d, call = talking()
    d.obeys(Invite, agent_id="anna", interaction_id=call, to_agent="ben")
    assert d.takes(call, "ben").state is InteractionState.CONFERENCE
    assert d.dials()[-1] == OVER


@pytest.mark.req("OPS-05", "XFER-06")
def test_a_transfer_to_an_agent_goes_across() -> None:
    d, call = talking()
    d.obeys(Transfer, agent_id="anna", interaction_id=call, to_agent="ben")
    assert [p.agent_id for p in d.takes(call, "ben").parties] == ["ben"]
    assert d.dials()[-1] == OVER


@pytest.mark.req("OPS-05", "CONS-04", "XFER-13")
@pytest.mark.parametrize("kind", [StartConsult, Transfer])
def test_a_queue_as_target_finds_agents_of_the_other_pbx(kind: type) -> None:
    d, call = talking()
    d.obeys(kind, agent_id="anna", interaction_id=call, to_queue="sales")
    assert d.offered(call) == ("ben",)
    assert d.dials()[-1] == OVER


@pytest.mark.req("OPS-05", "XFER-07")
@pytest.mark.parametrize("kind", [StartConsult, Transfer, Invite])
def test_an_agent_behind_no_trunk_is_refused_as_target_with_the_reason(kind: type) -> None:
    d, call = talking(a={})
    before = d.interaction(call)
    reply = d.order(kind, agent_id="anna", interaction_id=call, to_agent="ben")
    assert (reply.code, reply.values["because"]) == ("agent-not-available", "other_pbx")
    assert d.interaction(call) == before


@pytest.mark.req("OPS-05", "XFER-07")
@pytest.mark.parametrize("away", ["a", "b"])
def test_an_agent_is_refused_as_target_while_his_pbx_or_that_of_the_call_is_away(away: str) -> None:
    d, call = talking()
    d.give(LinkLost(pbx=away))
    reply = d.order(StartConsult, agent_id="anna", interaction_id=call, to_agent="ben")
    assert reply.values["because"] == "pbx_link_down"


@pytest.mark.req("OPS-05", "XFER-08")
def test_a_declined_transfer_comes_back_to_its_sender_across_the_trunk() -> None:
    one = site(BEN, ANNA, unanswered_transfer=UnansweredTransfer.RETURN_TO_SENDER, **MESH)
    d = Site(one, ready=("ben",))
    call = d.call_on("a", "c1")
    d.takes(call, "ben")
    d.sign_in("anna")
    d.obeys(Transfer, agent_id="ben", interaction_id=call, to_agent="anna")
    d.rings_at(call, "anna")
    d.fails_at(call, "anna", DialOutcome.REJECTED)
    assert d.offered(call) == ("ben",)
    assert d.dials() == [OVER, ("a", "PJSIP/1001"), OVER]


@pytest.mark.req("OPS-05", "REC-02")
def test_the_recording_is_made_and_paused_on_the_customers_pbx() -> None:
    d = Site(site(BEN, profiles={"default": Profile(id="default", record=True)}, recording_pause_s=30, **MESH))
    call = d.call_on("a", "c1")
    d.takes(call, "ben")
    d.obeys(PauseRecording, agent_id="ben", interaction_id=call)
    assert {c.pbx for c in d.commands if isinstance(c, SetRecording)} == {"a"}


@pytest.mark.req("OPS-05", "OUT-13", "OUT-20")
def test_an_outdial_lives_on_the_agents_own_pbx_and_gives_way_to_a_caller_of_the_other() -> None:
    caller = Profile(id="default", outdial=True, dial_pad=True, dial=DialRights(allowed=("+1",)))
    rules: dict[str, Any] = {"outdial": OutdialRules(entry_point="sales"), "numbers": Numbers(country="1")}
    d = Site(site(BEN, profiles={"default": caller}, **rules, **MESH))
    reply = d.order(StartOutdial, agent_id="ben", number="+12015550150", source=OutdialSource.DIAL_PAD)
    outdial = str(reply.values["interaction_id"])
    assert d.dials() == [("b", "user/1002")]
    call = d.call_on("a", "c1")
    assert d.ended[outdial].result is Result.FAILED
    assert (d.offered(call), d.dials()[-1]) == (("ben",), OVER)
    assert [c.pbx for c in d.commands if isinstance(c, HangUpLeg)] == ["b"]


@pytest.mark.req("OPS-05", "DIAL-13")
def test_the_extension_of_an_agent_is_no_number_for_an_outdial() -> None:
    caller = Profile(id="default", outdial=True, dial_pad=True, dial=DialRights(allowed=("+1",)))
    ben = replace(BEN, extension="12015550150")
    d = Site(site(ben, profiles={"default": caller}, outdial=OutdialRules(entry_point="sales"), **MESH))
    reply = d.order(StartOutdial, agent_id="ben", number="+12015550150", source=OutdialSource.DIAL_PAD)
    assert (reply.code, reply.values["rule"]) == ("number-refused", "extension")


@pytest.mark.req("OPS-05", "FLOW-03")
@pytest.mark.parametrize(("trunks", "is_let_in"), [({}, False), (TO_B, True)])
def test_no_agents_means_none_whom_this_caller_can_reach(trunks: dict[str, str], is_let_in: bool) -> None:
    d = Site(site(BEN, queues=[queue(leave_when_no_agents=True)], a=trunks))
    assert bool(d.call_on("a", "c1")) is is_let_in
    assert d.call_on("b", "c2")


# ------------------------------------------------------------------ a new configuration


@pytest.mark.req("OPS-05", "OPS-02")
def test_a_trunk_that_is_removed_while_calls_wait_and_ring_takes_no_ringing_away_but_brings_no_further_offer() -> None:
    with_trunk = site(BEN, **MESH)
    d = Site(with_trunk)
    rings, waits = d.call_on("a", "c1"), d.call_on("a", "c2")
    d.rings_at(rings, "ben")
    d.apply(replace(with_trunk, pbxs=site().pbxs))
    assert d.offered(rings) == ("ben",)
    d.fails_at(rings, "ben", DialOutcome.REJECTED)
    d.order(GoAvailable, agent_id="ben")
    assert d.offered(rings) == d.offered(waits) == ()
    d.apply(with_trunk)
    assert d.offered(waits) == ("ben",)
    assert d.dials() == [OVER, OVER]


@pytest.mark.req("OPS-05", "OPS-02")
def test_an_agent_who_moves_to_the_other_pbx_is_rung_there_by_trunk_from_then_on() -> None:
    one = site(replace(BEN, pbx="a", phone="PJSIP/1002"), **MESH)
    d = Site(one)
    d.apply(replace(one, agents={"ben": BEN}))
    d.phone_is("ben", PhoneState.FREE)
    d.call_on("a", "c1")
    assert d.dials() == [OVER]
