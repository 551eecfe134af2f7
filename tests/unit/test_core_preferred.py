"""The preferred agent of a call (ROUTE-08), in the core as an engine drives it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core import preferences
from routing.core.config import AfterMiss, MissPolicy, Profile, RonaCause
from routing.core.events import EventType
from routing.core.facts import LegEnded, PhoneState
from routing.core.interaction import Interaction, Skip
from routing.core.orders import FinishWrapUp, GoIdle, SignIn, SignOut
from routing.core.step import settle
from routing.core.timers import Due, key
from routing.core.world import World
from routing.store.codec import PLAIN
from tests.unit.core_driver import WRAP, Driver, agent, config, queue

ANNA, BEN, OWNER = "anna", "ben", "owner"
CALM = {cause: MissPolicy(then=AfterMiss.AVAILABLE) for cause in RonaCause}


def center(*, ready: tuple[str, ...] = (ANNA, BEN), **changes: Any) -> Driver:
    """Anna and Ben serve sales; the owner is in no queue and has no skills."""
    people = [agent(ANNA), agent(BEN), agent(OWNER, queues=())]
    return Driver(config(people, [queue(on_miss=CALM, **changes)]), ready=ready)


def phones(d: Driver, state: PhoneState) -> None:
    for agent_id in (ANNA, BEN):
        d.phone(agent_id, state)


def busy(d: Driver, agent_id: str) -> str:
    """He is in a call that came before all others; its id."""
    d.phone(next(a for a in (ANNA, BEN) if a != agent_id), PhoneState.BUSY)
    interaction_id = d.call(f"before_{agent_id}")
    d.answer(interaction_id, agent_id)
    phones(d, PhoneState.FREE)
    return interaction_id


def waiting(d: Driver, agent_id: str, wait_s: int | None = 20, name: str = "c1", **fields: Any) -> str:
    """A call that waits for this agent: preferred in the same step in which it is queued, as a flow does it."""
    phones(d, PhoneState.BUSY)
    interaction_id = d.call(name, **fields)
    prefer(d, interaction_id, agent_id, wait_s)
    phones(d, PhoneState.FREE)
    return interaction_id


def prefer(d: Driver, interaction_id: str, agent_id: str, wait_s: int | None = 20) -> Interaction:
    d.seq += 1
    with d.world.step(d.now_ms, d.seq):
        preferences.prefer(d.world, d.interaction(interaction_id), agent_id, wait_s)
        settle(d.world)
    d.events += d.world.effects.events
    d.traces += d.world.effects.traces
    return d.interaction(interaction_id)


@pytest.mark.req("ROUTE-08")
def test_a_call_waits_for_its_preferred_agent_although_others_are_free_and_then_anyone_gets_it() -> None:
    d = center()
    busy(d, ANNA)
    call = waiting(d, ANNA)
    assert d.offered(call) == ()
    d.advance(19)
    assert d.offered(call) == ()
    d.advance(1)
    assert d.offered(call) == (BEN,)
    (over,) = d.told(EventType.INTERACTION_PREFERENCE_OVER)
    assert (over.agent_id, over.values["why"]) == (ANNA, "timeout")


@pytest.mark.req("ROUTE-08")
def test_the_preferred_agent_gets_it_as_soon_as_he_is_free() -> None:
    d = center(wrap_up=WRAP)
    first = busy(d, ANNA)
    call = waiting(d, ANNA)
    d.hang_up("leg_before_anna")
    assert d.state_of(ANNA) == "wrap_up"
    assert d.offered(call) == ()
    d.order(FinishWrapUp, agent_id=ANNA, interaction_id=first, reason="done")
    assert d.offered(call) == (ANNA,)
    d.answer(call, ANNA)
    assert key(Due.PREFER, call) not in d.world.state.timers


@pytest.mark.req("ROUTE-08")
def test_an_account_owner_gets_it_without_the_queue_and_the_skills() -> None:
    d = center(ready=(ANNA, BEN, OWNER), requires=(("gold", 5),))
    call = d.call()
    prefer(d, call, OWNER)
    assert d.offered(call) == (OWNER,)
    assert (d.traces[-1].winners, d.traces[-1].removed) == ((OWNER,), {f"waits for {OWNER}": 2})


@pytest.mark.req("ROUTE-08")
@pytest.mark.parametrize("why", ["out", "unknown", "no_permission", "skipped", "excluded"])
def test_nobody_waits_for_an_agent_who_cannot_get_it(why: str) -> None:
    """Signed out, removed, not permitted, or kept from this very call: anyone gets it at once."""
    d = center(ready=(BEN,) if why == "out" else (ANNA, BEN))
    if why == "no_permission":
        agents = {**d.world.config.agents, ANNA: replace(d.world.config.agents[ANNA], profile="no_calls")}
        d.apply(
            replace(d.world.config, agents=agents, profiles={"no_calls": Profile(id="no_calls", receive_calls=False)})
        )
    phones(d, PhoneState.BUSY)
    call = d.call()
    interaction = d.interaction(call)
    if why == "skipped":
        d.world.put_interaction(replace(interaction, skips=(Skip(agent_id=ANNA, until_ms=None, why="busy"),)))
    elif why == "excluded":
        d.world.put_interaction(replace(interaction, excluded=(ANNA,)))
    prefer(d, call, "nobody" if why == "unknown" else ANNA)
    d.phone(BEN, PhoneState.FREE)
    assert d.offered(call) == (BEN,)


@pytest.mark.req("ROUTE-08")
@pytest.mark.parametrize("how", ["sign out", "removal"])
def test_the_wait_is_over_when_the_preferred_agent_goes(how: str) -> None:
    d = center()
    d.order(SignIn, agent_id=OWNER)
    d.phone(OWNER, PhoneState.BUSY)
    call = waiting(d, OWNER)
    assert d.offered(call) == ()
    if how == "sign out":
        d.order(SignOut, agent_id=OWNER)
    else:
        d.apply(replace(d.world.config, agents={k: v for k, v in d.world.config.agents.items() if k != OWNER}))
    assert d.offered(call) == (ANNA,)


@pytest.mark.req("ROUTE-08")
def test_an_idle_preferred_agent_is_waited_for() -> None:
    d = center()
    d.order(GoIdle, agent_id=ANNA, reason="break")
    call = waiting(d, ANNA)
    assert d.offered(call) == ()
    d.available(ANNA)
    assert d.offered(call) == (ANNA,)


@pytest.mark.req("ROUTE-08")
def test_who_misses_the_offer_is_preferred_no_more() -> None:
    d = center()
    call = waiting(d, ANNA, 60)
    assert d.offered(call) == (ANNA,)
    d.advance(20)
    assert d.offered(call) == (BEN,)
    assert [e.values["why"] for e in d.told(EventType.INTERACTION_PREFERENCE_OVER)] == ["missed"]
    assert d.interaction(call).preferred is None


@pytest.mark.req("ROUTE-08", "ROUTE-04")
def test_a_preferred_call_does_not_jump_an_older_one() -> None:
    d = center(ready=(ANNA,))
    busy(d, ANNA)
    older = d.call("older")
    younger = d.call("younger")
    prefer(d, younger, ANNA, 600)
    urgent = d.call("urgent", options={"priority": "9"})
    for leg, following in (("before_anna", urgent), ("urgent", older), ("older", younger)):
        d.hang_up(f"leg_{leg}")
        assert d.offered(following) == (ANNA,)
        d.answer(following, ANNA)


@pytest.mark.req("ROUTE-08")
def test_the_queue_says_how_long_when_nobody_else_does() -> None:
    d = center(preferred_wait_s=7)
    busy(d, ANNA)
    call = waiting(d, ANNA, None)
    d.advance(6.5)
    assert d.offered(call) == ()
    d.advance(0.5)
    assert d.offered(call) == (BEN,)
    assert center().world.config.queues["sales"].preferred_wait_s == 0


@pytest.mark.req("ROUTE-08")
@pytest.mark.parametrize(
    ("options", "wait_s"),
    [
        ({"preferred_agent": ANNA, "preferred_wait_s": "30"}, 30),
        ({"preferred_agent": ANNA}, 7),
        ({"preferred_agent": ANNA, "preferred_wait_s": "-1"}, 7),
        ({"preferred_agent": ANNA, "preferred_wait_s": "0"}, 0),
        ({"preferred_agent": "nobody", "preferred_wait_s": "30"}, 0),
    ],
)
def test_the_hand_over_names_the_preferred_agent(options: dict[str, str], wait_s: int) -> None:
    d = center(preferred_wait_s=7)
    busy(d, ANNA)
    call = d.call("c1", options=options)
    waited_ms = 0
    while not d.offered(call):
        d.advance(1)
        waited_ms += 1000
    assert d.offered(call) == (BEN,)
    assert waited_ms == wait_s * 1000


@pytest.mark.req("ROUTE-08", "ROUTE-18")
def test_the_dry_run_says_for_whom_it_waits() -> None:
    d = center()
    busy(d, ANNA)
    call = waiting(d, ANNA)
    trace = d.world.sync_pool().explain(call, d.now_ms, d.world.agent_views())
    assert trace.winners == ()
    assert {c.agent_id: c.removed_by for c in trace.candidates} == {ANNA: "connected", BEN: f"waits for {ANNA}"}


@pytest.mark.req("ROUTE-08")
def test_a_preference_survives_a_restart() -> None:
    d = center()
    busy(d, ANNA)
    call = waiting(d, ANNA)
    stored = PLAIN.interactions.decode(PLAIN.encode(d.interaction(call)))
    d.world.state.interactions[call] = stored
    d.world = World(d.world.state)
    settle(d.world)
    assert d.offered(call) == ()
    d.advance(20)
    assert d.offered(call) == (BEN,)


@pytest.mark.req("ROUTE-08")
def test_a_preference_ends_with_the_call() -> None:
    d = center()
    busy(d, ANNA)
    call = waiting(d, ANNA)
    d.give(LegEnded(pbx="a", leg_id="leg_c1"))
    assert call in d.ended
    assert key(Due.PREFER, call) not in d.world.state.timers
