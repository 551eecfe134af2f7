"""Several PBXs behind one queue: whom a caller reaches, by which dial string, and what happens when one is away."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.agent import AgentState
from routing.core.commands import HangUpLeg, SetRooms, WatchPhones
from routing.core.config import (
    AfterMiss,
    Config,
    MissPolicy,
    Pbx,
    Result,
    RonaCause,
    Strategy,
)
from routing.core.events import EventType
from routing.core.facts import (
    DialOutcome,
    LegEnded,
    LegState,
    LinkLost,
    PhoneState,
    SnapshotLeg,
)
from routing.core.interaction import InteractionState, OfferEnd
from routing.core.orders import (
    Transfer,
)
from routing.core.reach import Reach, dial_string, is_in_reach, number_of
from routing.core.step import step
from routing.core.world import World, WorldState
from tests.unit.core_driver import agent, config, queue
from tests.unit.two_pbxs import ANNA, BEN, CARL, TO_A, TO_B, Site, site

MESH: dict[str, Any] = {"a": TO_B, "b": TO_A}
OVER = ("a", "PJSIP/1002@to-b")  # Ben, for a caller of a


# ------------------------------------------------------------------ the dial string


@pytest.mark.req("OPS-05")
@pytest.mark.parametrize(
    ("phone", "extension", "number"),
    [
        ("PJSIP/1001", "", "1001"),
        ("user/1002@pbx.example", "", "1002"),
        ("sofia/gateway/branch/1004", "", "1004"),
        ("PJSIP/anna", "", "anna"),
        ("PJSIP/anna", "8001", "8001"),
        ("user/@odd", "", "@odd"),
    ],
)
def test_other_pbxs_dial_the_extension_or_the_last_part_of_the_phone(phone: str, extension: str, number: str) -> None:
    one = agent("anna", pbx="b", phone=phone, extension=extension)
    assert number_of(one) == number
    assert dial_string(site(one, a=TO_B), "a", one) == f"PJSIP/{number}@to-b"
    assert dial_string(site(one, a=TO_B), "b", one) == phone


@pytest.mark.req("OPS-05")
def test_a_trunk_leads_one_way_and_not_on_to_a_third_pbx() -> None:
    third = agent("dora", pbx="c", phone="user/9")
    one = site(ANNA, BEN, third, a=TO_B)
    one.pbxs["b"] = replace(one.pbxs["b"], trunks={"c": "x/{number}"})
    one.pbxs["c"] = Pbx(id="c", kind="simulated")
    reached = {(p, q) for p, q in product("abc", repeat=2) if is_in_reach(one, p, q)}
    assert reached == {("a", "a"), ("b", "b"), ("c", "c"), ("a", "b"), ("b", "c")}
    assert dial_string(one, "a", third) == dial_string(one, "b", ANNA) == ""


# ------------------------------------------------------------------ offers


@pytest.mark.req("OPS-05")
def test_an_agent_of_the_other_pbx_is_dialed_over_the_trunk_from_where_the_caller_is() -> None:
    d = Site(site(BEN, **MESH))
    call = d.call_on("a", "c1")
    assert d.offered(call) == ("ben",)
    assert d.dials() == [OVER]
    talk = d.takes(call, "ben")
    assert talk.state is InteractionState.CONNECTED
    legs = {
        leg for c in d.commands if isinstance(c, SetRooms) and c.pbx == "a" for room in c.rooms for leg in room.legs
    }
    assert legs == {"leg_c1", talk.parties[0].leg_id}


@pytest.mark.req("OPS-05")
def test_callers_of_both_pbxs_get_the_agent_of_either() -> None:
    d = Site(site(ANNA, BEN, **MESH))
    calls = [d.call_on("b", "c1"), d.call_on("a", "c2")]
    assert [d.offered(call) for call in calls] == [("anna",), ("ben",)]
    assert d.dials() == [("b", "sofia/gateway/to-a/1001"), OVER]


@pytest.mark.req("OPS-05", "ROUTE-17")
def test_without_a_trunk_agents_of_the_other_pbx_are_passed_over_and_the_decision_says_so() -> None:
    d = Site(site(BEN, CARL, ANNA, b=TO_A))
    call = d.call_on("a", "c1")
    assert d.offered(call) == ("anna",)
    (trace,) = d.traces
    assert {c.agent_id: c.removed_by for c in trace.candidates} == {"anna": "", "ben": "other_pbx", "carl": "other_pbx"}
    assert trace.removed == {"other_pbx": 2}
    assert trace.requires == ()
    dry = d.world.sync_pool().explain(d.call_on("a", "c2"), d.now_ms, d.world.agent_views())
    assert dry.winners == ()
    assert dry.removed["other_pbx"] == 2
    assert sum(dry.removed.values()) == 3


@pytest.mark.req("OPS-05", "ROUTE-03")
def test_what_a_trunk_reaches_is_no_skill_that_counts_for_the_most_skilled() -> None:
    best = queue(strategy=Strategy.MOST_SKILLED, requires=(("es", 3),))
    people = [agent("anna", skills={"es": 4}), agent("ben", pbx="b", skills={"es": 7})]
    d = Site(site(*people, queues=[best], a=TO_B))
    assert d.offered(d.call_on("b", "c1")) == ("ben",)
    assert {c.agent_id: c.sort_key[1:2] for c in d.traces[0].candidates} == {"ben": (-7,), "anna": ()}


@pytest.mark.req("OPS-05", "ROUTE-15")
@pytest.mark.parametrize("away", ["a", "b"])
def test_both_links_must_be_up_for_an_offer_over_the_trunk(away: str) -> None:
    d = Site(site(BEN, **MESH))
    d.give(LinkLost(pbx=away))
    call = d.call_on("a", "c1")
    assert not d.dials()
    d.restore(away, legs=(SnapshotLeg(leg_id="leg_c1", interaction_id=call, state=LegState.UP),) if away == "a" else ())
    assert d.offered(call) == ("ben",)


@pytest.mark.req("OPS-05", "ROUTE-15")
def test_his_phone_is_watched_on_his_own_pbx_alone() -> None:
    d = Site(site(ANNA, BEN, **MESH))
    watched = {c.pbx: c.phones for c in d.commands if isinstance(c, WatchPhones)}
    assert watched == {"a": ("PJSIP/1001",), "b": ("user/1002",)}
    d.phone_is("ben", PhoneState.BUSY)
    d.phone_is("anna", PhoneState.BUSY)
    call = d.call_on("a", "c1")
    assert d.offered(call) == ()
    d.phone_is("ben", PhoneState.FREE)
    assert d.offered(call) == ("ben",)


@pytest.mark.req("OPS-05", "SAFE-01")
def test_an_offer_in_flight_goes_on_when_the_link_to_his_pbx_goes_down_and_no_further_one_is_made() -> None:
    d = Site(site(BEN, CARL, **MESH))
    first = d.call_on("a", "c1")
    d.rings_at(first, "ben")
    d.give(LinkLost(pbx="b"))
    second = d.call_on("a", "c2")
    assert (d.offered(first), d.offered(second)) == (("ben",), ())
    assert d.takes(first, "ben").state is InteractionState.CONNECTED
    d.restore("b")  # what it lists has nothing to do with calls of the other one
    assert d.interaction(first).state is InteractionState.CONNECTED
    assert d.offered(second) == ("carl",)


@pytest.mark.req("OPS-05", "SAFE-02")
def test_after_a_gap_of_the_callers_pbx_its_snapshot_decides_about_the_leg_over_the_trunk() -> None:
    d = Site(site(BEN, **MESH))
    call = d.call_on("a", "c1")
    d.rings_at(call, "ben")
    leg = d.leg_of(call, "ben")
    d.give(LinkLost(pbx="a"))
    live = [("leg_c1", LegState.UP), (leg, LegState.UP)]
    d.restore("a", legs=tuple(SnapshotLeg(leg_id=i, interaction_id=call, state=s) for i, s in live))
    assert d.confirms(call).state is InteractionState.CONNECTED
    d.give(LinkLost(pbx="a"))
    d.restore("a", legs=(SnapshotLeg(leg_id="leg_c1", interaction_id=call, state=LegState.UP),))
    assert d.ended[call].result is Result.ANSWERED
    assert {c.pbx for c in d.commands if isinstance(c, HangUpLeg)} == {"a"}


@pytest.mark.req("OPS-05", "STATE-05")
def test_an_agent_who_lets_the_trunk_call_ring_out_is_in_rona_and_the_call_waits_on() -> None:
    d = Site(site(BEN, **MESH))
    call = d.call_on("a", "c1")
    leg = d.leg_of(call, "ben")
    d.rings_at(call, "ben")
    d.advance(20)
    assert d.world.agent("ben").state is AgentState.RONA
    assert [(c.pbx, c.leg_id) for c in d.commands if isinstance(c, HangUpLeg)] == [("a", leg)]
    assert d.interaction(call).state is InteractionState.QUEUED


# ------------------------------------------------------------------ a trunk that fails


@pytest.mark.req("OPS-05", "ROUTE-07")
@pytest.mark.parametrize("outcome", [DialOutcome.UNREACHABLE, DialOutcome.CONGESTION, DialOutcome.REJECTED, None])
def test_a_trunk_that_does_not_ring_his_phone_sends_nobody_into_rona(outcome: DialOutcome | None) -> None:
    d = Site(site(BEN, **MESH))
    call = d.call_on("a", "c1")
    if outcome is None:
        d.advance(20)  # a trunk that swallows the call
    else:
        d.fails_at(call, "ben", outcome)
    assert d.world.agent("ben").state is AgentState.AVAILABLE
    assert d.interaction(call).past_offers[-1].end is OfferEnd.UNREACHABLE
    (told,) = d.told(EventType.PBX_MISMATCH)
    assert (told.values["pbx"], told.values["what"], told.agent_id) == ("a", "trunk to b did not ring", "ben")
    assert d.offered(d.call_on("b", "c2")) == ("ben",)
    d.advance(29)
    assert len(d.dials()) == 2
    assert d.offered(call) == ()


@pytest.mark.req("OPS-05", "ROUTE-07")
def test_a_phone_that_is_busy_though_its_state_said_free_is_his_own_also_over_a_trunk() -> None:
    pause = {RonaCause.BUSY: MissPolicy(then=AfterMiss.IDLE, idle_reason="break")}
    d = Site(site(BEN, queues=[queue(on_miss=pause)], **MESH))
    d.fails_at(d.call_on("a", "c1"), "ben", DialOutcome.BUSY)
    assert d.world.agent("ben").state is AgentState.IDLE
    assert not d.told(EventType.PBX_MISMATCH)


@pytest.mark.req("OPS-05", "ROUTE-07")
def test_on_his_own_pbx_the_same_failure_is_his_phone() -> None:
    d = Site(site(BEN, **MESH))
    d.fails_at(d.call_on("b", "c1"), "ben", DialOutcome.UNREACHABLE)
    assert d.world.agent("ben").state is AgentState.RONA
    assert not d.told(EventType.PBX_MISMATCH)


@pytest.mark.req("OPS-05", "ROUTE-07")
@pytest.mark.parametrize("by_own", [None, PhoneState.RINGING, PhoneState.BUSY])
def test_a_phone_that_rang_and_was_declined_is_his_doing_whoever_said_so(by_own: PhoneState | None) -> None:
    d = Site(site(BEN, **MESH))
    call = d.call_on("a", "c1")
    if by_own is None:
        d.rings_at(call, "ben")
    else:
        d.phone_is("ben", by_own)
    d.fails_at(call, "ben", DialOutcome.REJECTED)
    assert d.world.agent("ben").state is AgentState.RONA


@pytest.mark.req("OPS-05", "XFER-08")
def test_a_blind_transfer_that_the_trunk_fails_never_drops_the_customer() -> None:
    d = Site(site(ANNA, BEN, **MESH), ready=("anna",))
    call = d.call_on("a", "c1")
    d.takes(call, "anna")
    d.sign_in("ben")
    d.obeys(Transfer, agent_id="anna", interaction_id=call, to_agent="ben")
    d.fails_at(call, "ben", DialOutcome.CONGESTION)
    assert d.interaction(call).state in (InteractionState.QUEUED, InteractionState.OFFERED)


# ------------------------------------------------------------------ order and speed


@pytest.mark.req("OPS-05", "ROUTE-04", "ROUTE-17")
@given(
    arrivals=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from((None, "1", "5", "9"))), min_size=2, max_size=12)
)
def test_the_order_of_callers_does_not_depend_on_the_pbx_they_came_in_by(
    arrivals: list[tuple[str, str | None]],
) -> None:
    """The same callers, all on one PBX and on two: each is served in the same turn (lessons 6 and 16)."""

    def served(pbxs: list[str]) -> list[int]:
        d = Site(site(ANNA, BEN, queues=[queue(ring_timeout_s=300)], **MESH), ready=())
        options = [{"priority": p} if p else {} for _, p in arrivals]
        calls = [d.call_on(pbx, f"c{n}", options=options[n]) for n, pbx in enumerate(pbxs)]
        order: list[int] = []
        d.sign_in("ben")
        while offered := next((call for call in calls if call not in d.ended and d.offered(call)), ""):
            order.append(calls.index(offered))
            d.takes(offered, "ben")
            d.give(LegEnded(pbx=d.pbx_of(offered), leg_id=d.interaction(offered).customer_leg))
        return order

    mixed = served([pbx for pbx, _ in arrivals])
    assert mixed == served(["b"] * len(arrivals))
    assert sorted(mixed) == list(range(len(arrivals)))


@pytest.mark.req("OPS-05", "ROUTE-04")
def test_a_caller_without_a_trunk_to_the_free_agent_is_passed_and_keeps_his_place() -> None:
    d = Site(site(ANNA, BEN, b=TO_A), ready=())
    first, second = d.call_on("a", "c1"), d.call_on("b", "c2")
    d.sign_in("ben")
    assert (d.offered(first), d.offered(second)) == ((), ("ben",))
    third = d.call_on("b", "c3")
    d.sign_in("anna")
    assert (d.offered(first), d.offered(third)) == (("anna",), ())


@pytest.mark.req("OPS-05")
def test_a_full_mesh_asks_for_nothing_and_pbxs_that_reach_the_same_share_a_requirement() -> None:
    names = [f"p{n}" for n in range(6)]
    people = [agent(f"a{n}", pbx=name) for n, name in enumerate(names[:4])]

    def made(links: dict[str, list[str]]) -> Reach:
        pbxs = {n: Pbx(id=n, kind="simulated", trunks=dict.fromkeys(links.get(n, []), "SIM/{number}@x")) for n in names}
        return Reach(config(people, pbxs=pbxs))

    mesh = made({n: [m for m in names[:4] if m != n] for n in names})
    assert {mesh.required((), n) for n in names} == {mesh.skilled((), n) for n in names} == {()}
    pairs = made({"p0": ["p1"], "p1": ["p0"], "p4": ["p0", "p1"], "p2": ["p0", "p1", "p3"], "p3": []})
    assert {n: pairs.required((), n) for n in names} == {
        "p0": (("@p0,p1", 1),),
        "p1": (("@p0,p1", 1),),
        "p2": (),
        "p3": (("@p3", 1),),
        "p4": (("@p0,p1", 1),),
        "p5": (("@", 1),),
    }
    assert pairs.skilled((("es", 5),), "p0") == (("@p0,p1", 1), ("es", 5))
    assert pairs.skilled((), "p2") == ()


@pytest.mark.req("OPS-05")
@given(
    trunks=st.sets(st.sampled_from([(p, q) for p in "abcd" for q in "abcd" if p != q])),
    away=st.sets(st.sampled_from("abcd")),
    calls=st.lists(st.sampled_from("abcd"), max_size=10),
)
def test_no_offer_ever_goes_over_a_missing_trunk_or_to_an_agent_whose_pbx_is_away_and_a_replay_is_the_same(
    trunks: set[tuple[str, str]], away: set[str], calls: list[str]
) -> None:
    people = [agent(f"{pbx}{n}", pbx=pbx, phone=f"SIM/{pbx}{n}") for pbx in "abcd" for n in range(2)]
    pbxs = {p: Pbx(id=p, kind="simulated", trunks={q: f"{q}/{{number}}" for r, q in trunks if r == p}) for p in "abcd"}
    d = Site(config(people, pbxs=pbxs))
    for pbx in sorted(away):
        d.give(LinkLost(pbx=pbx))
    made = [d.call_on(pbx, f"c{n}") for n, pbx in enumerate(calls)]
    free = {person.id for person in people}
    for call, pbx in zip(made, calls, strict=True):
        for agent_id in d.offered(call):
            assert agent_id[0] not in away
            assert pbx not in away
            assert agent_id[0] == pbx or (pbx, agent_id[0]) in trunks
            free.discard(agent_id)
    dials = dict(zip([c for c in made if d.offered(c)], [p for _, p in d.dials()], strict=True))
    for call, phone in dials.items():
        (agent_id,) = d.offered(call)
        assert phone == (f"SIM/{agent_id}" if agent_id[0] == d.pbx_of(call) else f"{agent_id[0]}/{agent_id}")
    for call, pbx in zip(made, calls, strict=True):  # and nobody waits whom somebody free could have taken
        if pbx not in away and not d.offered(call):
            assert not [a for a in free if a[0] not in away and (a[0] == pbx or (pbx, a[0]) in trunks)]
    again = World(WorldState(config=Config(tenant="test")))
    for now_ms, seq, item in d.log:
        step(again, item, now_ms, seq)
    assert again.state == d.world.state
