"""Supervisors in the midst of everything: laws hold, nothing is left behind, and no call is any different (DESK-02)."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.commands import HeardBy
from routing.core.config import Config
from routing.core.events import Event, EventType
from routing.core.orders import ChangeSupervision, StopSupervision, Supervise
from routing.core.supervision import SupervisionMode, SupervisionState, SupervisorConfig
from telephony.simulated.channel import Phone, Place
from telephony.simulated.habits import Answers, Constant, Habit, IsDead, Rejects, RingsOut
from tests.factories import PBX
from tests.sim.test_chaos import (
    AGENTS,
    CONTROL,
    EFFORT,
    FAULTS,
    KEYS,
    ORDERS,
    OUTSIDERS,
    PEOPLE,
    Chaos,
    Deed,
    deeds,
    tenant,
)

SUPERVISORS = ("rita", "max")
MODES = tuple(SupervisionMode)
OF_SUPERVISORS = ("supervise", "supervise", "supervise", "mode", "mode", "stop_supervision", "hang_up_supervisor")
HABITS: tuple[Habit, ...] = (
    Answers(Constant(200)),
    Answers(Constant(0)),
    Answers(Constant(1500), Constant(9_000)),
    Rejects(),
    RingsOut(),
    IsDead(),
)


def supervised_tenant() -> Config:
    supervisors = {
        name: SupervisorConfig(id=name, name=name.title(), pbx=PBX, phone=f"SUP/{name}") for name in SUPERVISORS
    }
    return replace(tenant(), supervisors=supervisors)


class Supervised(Chaos):
    """`is_blind`: supervisors do nothing at all."""

    def __init__(self, *, is_blind: bool = False, at_agents: bool = True) -> None:
        super().__init__(centre=supervised_tenant())
        self.is_blind, self.at_agents = is_blind, at_agents
        self.telephones = [self.hall.pbx.add_phone(f"SUP/{name}", HABITS[0]) for name in SUPERVISORS]

    def _call(self, deed: Deed) -> str:
        live = list(self.hall.world.state.interactions)
        return live[deed.which % len(live)] if live else "int_none"

    def _telephone(self, deed: Deed) -> Phone:
        return self.telephones[deed.which % len(self.telephones)]

    def do_supervise(self, deed: Deed) -> None:
        if self.is_blind:
            return
        whose = {"supervisor": SUPERVISORS[deed.much % 2]}
        if self.at_agents and deed.much > 5:
            whose = {"phone_of": AGENTS[deed.which % len(AGENTS)]}
        mode = MODES[deed.much % 3]
        self.hall.order(Supervise, interaction_id=self._call(deed), mode=mode, **whose)

    def do_mode(self, deed: Deed) -> None:
        if not self.is_blind:
            mode = MODES[deed.much % 3]
            self.hall.order(ChangeSupervision, interaction_id=self._call(deed), mode=mode)

    def do_stop_supervision(self, deed: Deed) -> None:
        if not self.is_blind:
            self.hall.order(StopSupervision, interaction_id=self._call(deed))

    def do_hang_up_supervisor(self, deed: Deed) -> None:
        self._telephone(deed).habit = HABITS[deed.much % len(HABITS)]
        if (live := self._telephone(deed).live) is not None:
            self._hang_up(live)

    def check_legs(self) -> None:
        """Also of supervisors: none is forgotten, and each hears and is heard as he shall be."""
        interactions = self.hall.world.state.interactions.values()
        listening = {i.supervision.leg_id for i in interactions if i.supervision}
        strangers = [c.leg_id for c in self.hall.our_legs() if c.leg_id in listening and c.place is not Place.OWN]
        assert not strangers
        for interaction in interactions:
            if interaction.supervision and interaction.supervision.state is SupervisionState.ACTIVE:
                self._check_ear(interaction.id)
        super().check_legs()

    def known_legs(self) -> set[str]:
        supervisions = (i.supervision for i in self.hall.world.state.interactions.values())
        return super().known_legs() | {s.leg_id for s in supervisions if s}

    def _check_ear(self, interaction_id: str) -> None:
        """What the simulated PBX lets people hear, against what was wanted."""
        interaction = self.hall.world.interaction(interaction_id)
        pbx = self.hall.nodes[interaction.pbx].pbx
        (ear,) = interaction.ears
        listener, agent = pbx.channels[ear.leg], pbx.channels[ear.hears]
        assert agent.party in pbx.hears(listener).parties, "he does not hear the agent"
        assert (listener.party in pbx.hears(agent).parties) is (ear.heard_by is not HeardBy.NOBODY)
        others = [room.legs for room in interaction.rooms if ear.hears in room.legs]
        for leg in {leg for legs in others for leg in legs} - {ear.hears}:
            is_heard = listener.party in pbx.hears(pbx.channels[leg]).parties
            assert is_heard is (ear.heard_by is HeardBy.ROOM), f"{leg} hears whom it shall not, or not whom it shall"

    def close(self) -> None:
        super().close()
        assert not self.hall.world.supervised
        assert not [a.id for a in self.hall.world.state.agents.values() if a.supervising]
        assert all(phone.live is None for phone in self.telephones)

    def story(self) -> list[tuple[int, str, str, str]]:
        """Everything that was told of calls and agents, but for who listened."""
        return [
            (e.at_ms, e.type.value, e.agent_id, str(e.values.get("state") or e.values.get("result") or ""))
            for e in self.hall.events
            if not e.type.value.startswith(("supervision.", "order."))
        ]


@pytest.mark.req("DESK-02")
@given(plan=deeds(*PEOPLE, *KEYS, *OUTSIDERS, *ORDERS, *OF_SUPERVISORS, *OF_SUPERVISORS))
@EFFORT
def test_whoever_listens_hears_what_he_shall_and_leaves_nothing_behind(plan: list[Deed]) -> None:
    chaos = Supervised()
    chaos.carry_out(plan, is_calm=True)
    chaos.mend()
    chaos.close()
    chaos.check_replay()


@pytest.mark.req("DESK-02")
@given(plan=deeds(*PEOPLE, *KEYS, *OUTSIDERS, *ORDERS, *FAULTS, *FAULTS, *OF_SUPERVISORS, *OF_SUPERVISORS))
@EFFORT
def test_after_any_faults_those_who_listen_converge_too(plan: list[Deed]) -> None:
    chaos = Supervised()
    chaos.carry_out(plan)
    chaos.mend()
    chaos.close()
    chaos.check_replay()


CALLS = ("call", "available", "wrap_up", "hold", "resume", "end", "give_up", *CONTROL, *CONTROL)
OUTAGES = ("cut", "restore", "kill", "start")


@pytest.mark.req("DESK-02")
@given(plan=deeds(*CALLS, *OF_SUPERVISORS, *OF_SUPERVISORS), faults=st.booleans(), more=deeds(*CALLS, *OUTAGES))
@EFFORT
def test_no_call_is_any_different_whoever_listens(plan: list[Deed], faults: bool, more: list[Deed]) -> None:
    stories = []
    for is_blind in (False, True):
        chaos = Supervised(is_blind=is_blind, at_agents=False)
        for phone in chaos.hall.pbx.phones.values():
            if phone not in chaos.telephones:
                phone.habit = Answers(Constant(300), Constant(600_000))
        chaos.carry_out([Deed("call"), Deed("wait", 0, 1_000), *plan, *(more if faults else ())])
        chaos.mend()
        chaos.close()
        stories.append(chaos.story())
    assert stories[0] == stories[1]


def test_what_is_tried_here_does_happen() -> None:
    """Of all that supervisors want at random, much is heard, in every mode, and ends in many ways."""
    kinds, told = (*CALLS, *OF_SUPERVISORS, *OF_SUPERVISORS), list[Event]()
    for seed in range(12):
        random, chaos = Random(seed), Supervised(at_agents=False)
        for phone in chaos.hall.pbx.phones.values():
            phone.habit = Answers(Constant(300), Constant(600_000))
        plan = [Deed("call"), Deed("wait", 0, 1_000)]
        for _ in range(40):
            deed = Deed(random.choice(kinds), random.randint(0, 7), random.randint(0, 7))
            plan += [deed, Deed("wait", 0, random.choice((1, 40, 500, 3_000)))]
        chaos.carry_out(plan, is_calm=True)
        chaos.mend()
        chaos.close()
        told += chaos.hall.events
    changed = [e.values for e in told if e.type is EventType.SUPERVISION_CHANGED]
    ends = {e.values["why"] for e in told if e.type is EventType.SUPERVISION_ENDED}
    assert {values["mode"] for values in changed if values["state"] == "active"} == {*SupervisionMode}
    assert {"call_ended", "hung_up", "stopped", "external"} <= ends
    assert "refused" not in ends
