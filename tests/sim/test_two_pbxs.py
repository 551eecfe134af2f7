"""Two PBXs joined by trunks: whatever happens, to the trunks too, the laws hold and all ends well."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given

from routing.core.config import Config
from routing.core.events import EventType
from routing.core.interaction import InteractionState
from routing.core.orders import ApplyConfig, GoAvailable, Hold, OnConsult, Resume, SignIn, StartConsult
from telephony.simulated.habits import Answers, Constant, RingsOut
from tests.factories import PBX, agent, config
from tests.sim.hall import Hall
from tests.sim.laws import Laws
from tests.sim.test_chaos import EFFORT, FAULTS, KEYS, ORDERS, OUTSIDERS, PEOPLE, STATES, Chaos, Deed, deeds, tenant

OTHER = "pbx2"
TRUNKS = {PBX: {OTHER: "SIM/{number}@to-pbx2"}, OTHER: {PBX: "SIM/to/pbx1/{number}"}}
JOINTS = ("trunk_fails", "trunk_works", "join", "join")


def joined(centre: Config, *, ways: int = 3) -> Config:
    """Every second agent is at the other PBX. `ways`: bit 1 joins the first with the other, bit 2 the other way."""
    moved = {a.id: replace(a, pbx=OTHER) if n % 2 else a for n, a in enumerate(centre.agents.values())}
    first = centre.pbxs[PBX]
    pbxs = {
        PBX: replace(first, trunks=TRUNKS[PBX] if ways & 1 else {}),
        OTHER: replace(first, id=OTHER, trunks=TRUNKS[OTHER] if ways & 2 else {}),
    }
    return replace(centre, agents=moved, pbxs=pbxs)


class JoinedChaos(Chaos):
    """As the other one, on two PBXs, with deeds for what joins them."""

    def __init__(self, seed: int = 0) -> None:
        self.whole = joined(tenant())
        super().__init__(seed, self.whole)

    def do_trunk_fails(self, deed: Deed) -> None:
        self.hall.cut_trunks(self.whole)

    def do_trunk_works(self, deed: Deed) -> None:
        self.hall.link_trunks(self.whole)

    def do_join(self, deed: Deed) -> None:
        """The configuration of the trunks changes while calls wait, ring and talk."""
        self.hall.order(ApplyConfig, config=joined(tenant(), ways=deed.much % 4))


@pytest.mark.req("OPS-05", "ROUTE-05", "ROUTE-06", "ROUTE-15")
@given(plan=deeds(*PEOPLE, *KEYS, *OUTSIDERS, *ORDERS, *JOINTS))
@EFFORT
def test_nothing_people_do_on_two_pbxs_breaks_a_law(plan: list[Deed]) -> None:
    chaos = JoinedChaos()
    chaos.carry_out(plan, is_calm=True)
    chaos.mend()
    chaos.close()
    chaos.check_replay()


@pytest.mark.req("OPS-05", "SAFE-01", "SAFE-02")
@given(plan=deeds(*PEOPLE, *KEYS, *OUTSIDERS, *ORDERS, *FAULTS, *JOINTS))
@EFFORT
def test_after_faults_of_either_pbx_and_of_the_trunks_everything_converges(plan: list[Deed]) -> None:
    chaos = JoinedChaos()
    chaos.carry_out(plan)
    chaos.mend()
    chaos.close()
    chaos.check_replay()


@pytest.mark.req("OPS-05", "XFER-07", "ROUTE-15")
@pytest.mark.parametrize("ways", [0, 3])
@given(
    plan=deeds("call", "call", "consult", "transfer", "invite", "end", "wrap_up", "available", "join", "cut", "restore")
)
@EFFORT
def test_orders_and_queues_ring_nobody_whom_a_missing_trunk_or_link_keeps_away(ways: int, plan: list[Deed]) -> None:
    chaos = JoinedChaos()
    chaos.do_join(Deed("join", 0, ways))
    for phone in (chaos.hall.phone_of(member) for member in chaos.whole.agents.values()):
        phone.habit = Answers(Constant(300), Constant(600_000))
    chaos.carry_out([Deed("call"), Deed("wait", 0, 1_000), *plan])
    chaos.mend()
    chaos.close()
    chaos.check_replay()


@pytest.mark.req("OPS-05", "SAFE-01", "SAFE-02")
@pytest.mark.parametrize("seed", range(4))
def test_a_long_day_on_two_pbxs_serves_callers_of_both_by_agents_of_both(seed: int) -> None:
    random, chaos = Random(seed), JoinedChaos(seed)
    work = (*PEOPLE, *ORDERS, "call", "call", *("register", "available", "sign_in") * 4, *STATES)
    homes = {a.id: a.pbx for a in chaos.whole.agents.values()}
    seen: set[tuple[str, str]] = set()

    def look(made: Hall, _item: object, _effects: object) -> None:
        calls = made.world.state.interactions.values()
        seen.update((call.pbx, homes[party.agent_id]) for call in calls for party in call.parties if party.agent_id)

    chaos.hall.observers.append(look)
    plan: list[Deed] = []
    for _ in range(1_500):
        what = random.choice(("cut", "trunk_fails", "join") if random.random() < 0.03 else work)
        plan += [
            Deed(what, random.randint(0, 7), random.randint(0, 7)),
            Deed("wait", 0, random.choice((5, 100, 4_000))),
        ]
        if what in ("cut", "trunk_fails", "join"):
            plan += [Deed("wait", 0, 3_000), replace(plan[-2], what="restore"), Deed("trunk_works"), Deed("join", 0, 3)]
    chaos.carry_out(plan)
    chaos.mend()
    chaos.close()
    chaos.check_replay()
    assert seen == {(one, other) for one in homes.values() for other in homes.values()}


# ------------------------------------------------------------------ scenarios


def hall(*names: str) -> Hall:
    """Agents `anna` here, `ben` there, and so on, with trunks both ways; all are signed in."""
    made = Hall(joined(config([agent(f"agt_{name}") for name in names])))
    made.observers.append(Laws())
    for member in made.world.config.agents.values():
        made.phone_of(member).habit = Answers(Constant(1_000), Constant(600_000))
        made.order(SignIn, agent_id=member.id)
        made.run(10)
    return made


@pytest.mark.req("OPS-05", "CONS-01", "HOLD-01")
def test_a_caller_here_talks_is_held_and_consulted_across_and_hears_whom_he_should() -> None:
    made = hall("anna", "ben")
    caller = made.call()
    made.run(2_000)
    call = made.interaction(caller)
    assert made.order(StartConsult, agent_id="agt_anna", interaction_id=call.id, to_agent="agt_ben").code == "ok"
    made.run(2_000)
    assert made.interaction(caller).state is InteractionState.CONSULTING
    assert made.pbx.hears(caller).music
    assert made.order(OnConsult, agent_id="agt_anna", interaction_id=call.id, action="complete_transfer").code == "ok"
    made.run(2_000)
    assert made.pbx.hears(caller).parties == {"SIM/ben@to-pbx2"}
    for kind, music in ((Hold, True), (Resume, False)):
        assert made.order(kind, agent_id="agt_ben", interaction_id=call.id).code == "ok"
        made.run(1_000)
        assert bool(made.pbx.hears(caller).music) is music
    made.pbx.hang_up(caller)
    made.run(1_000)
    assert made.agent("agt_ben").shown_state == "available"


@pytest.mark.req("OPS-05", "STATE-05", "ROUTE-15")
def test_an_agent_there_is_in_rona_when_he_lets_a_call_from_here_ring_and_back_by_his_own_doing() -> None:
    made = hall("anna", "ben")
    made.pbx.register(made.pbx.phones["SIM/anna"], False)
    made.phone_of(made.world.config.agents["agt_ben"]).habit = RingsOut()
    caller = made.call()
    made.run(10_000)
    phones = made.world.state.phones
    assert phones[f"{OTHER}|SIM/ben"].value == "ringing", "his own PBX tells of his phone"
    made.run(15_000)
    assert made.agent("agt_ben").shown_state == "rona"
    assert made.interaction(caller).state is InteractionState.QUEUED
    made.phone_of(made.world.config.agents["agt_ben"]).habit = Answers()
    assert made.order(GoAvailable, agent_id="agt_ben").code == "ok"
    assert not made.interaction(caller).offers, "not again for the same call"


@pytest.mark.req("OPS-05", "ROUTE-07")
def test_a_trunk_that_fails_costs_callers_a_moment_and_no_agent_his_state() -> None:
    made = hall("anna", "ben", "cleo")
    made.cut_trunks(made.world.config)
    made.pbx.register(made.pbx.phones["SIM/anna"], False)
    made.pbx.register(made.pbx.phones["SIM/cleo"], False)
    caller, there = made.call(), made.call(pbx=OTHER)
    made.run(2_000)
    assert made.agent("agt_ben").shown_state == "connected"
    assert made.interaction(there).state is InteractionState.CONNECTED
    assert made.interaction(caller).state is InteractionState.QUEUED
    assert [e.values["what"] for e in made.told(EventType.PBX_MISMATCH)] == ["trunk to pbx2 did not ring"]


@pytest.mark.req("OPS-05")
def test_pbxs_without_a_trunk_serve_their_own_callers_alone() -> None:
    made = hall("anna", "ben")
    made.order(ApplyConfig, config=joined(config([agent("agt_anna"), agent("agt_ben")]), ways=0))
    callers = [made.call(), made.call(), made.call(pbx=OTHER)]
    made.run(2_000)
    assert [made.interaction(c).state.value for c in callers] == ["connected", "queued", "connected"]
    assert {c.phone for c in made.nodes[OTHER].pbx.channels.values() if c.is_dialled} == {"SIM/ben"}
