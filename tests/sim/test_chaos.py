"""Whatever callers, agents, phones, link and connector do, in any order: the laws hold and all ends well."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from routing.core.agent import EngagementState
from routing.core.config import (
    AfterMiss,
    Config,
    MissPolicy,
    Numbers,
    Pbx,
    Profile,
    RonaCause,
    Strategy,
    UnansweredTransfer,
)
from routing.core.dial_rights import DialRights
from routing.core.events import EventType
from routing.core.facts import DialOutcome
from routing.core.guard import allowed_actions
from routing.core.limits import CallLimits
from routing.core.orders import (
    AddNote,
    CancelOutdial,
    CapacityGranted,
    EditCad,
    EndInteraction,
    ExtendWrapUp,
    FinishWrapUp,
    GoAvailable,
    GoIdle,
    Hold,
    Invite,
    OnConsult,
    PauseRecording,
    Resume,
    ResumeRecording,
    SendDigits,
    SignIn,
    SignOut,
    StartConsult,
    StartOutdial,
    Transfer,
)
from routing.core.outdial import OutdialRules
from routing.core.recorder import wanted
from routing.core.recording import RecordingState
from routing.core.roles import Action
from routing.core.world import WorldState
from telephony.simulated import SimulatedPbx
from telephony.simulated.channel import Channel, Phone, Place
from telephony.simulated.habits import Answers, Constant, Habit, Human, IsDead, LogNormal, Rejects, RingsOut
from tests.factories import PBX, agent, config, queue, relaxation, requirement, wrap_up
from tests.sim.hall import Hall
from tests.sim.laws import Laws
from tests.sim.node import Node

AGENTS = ("agt_anna", "agt_ben", "agt_cleo", "agt_dan")
OUTSIDE = ("5550", "5551")  # numbers whose telephones the simulated PBX reaches by its trunk
CUSTOMERS = ("+12015550150", "+12015550151", "+12015550152")  # the last one is nobody's telephone
ENTRY_POINTS = ("sales", "support", "team", "nowhere")
CONSULT_CONTROLS = {
    Action.CANCEL_CONSULT,
    Action.HOLD_CONSULT,
    Action.RESUME_CONSULT,
    Action.END_CONSULT,
    Action.COMPLETE_TRANSFER,
    Action.CONFERENCE,
    Action.END_CONFERENCE,
    Action.EXIT_CONSULT,
    Action.EXIT_CONFERENCE,
}
HABITS: tuple[Habit, ...] = (
    Answers(Constant(400), Constant(20_000)),
    Answers(Constant(0)),
    RingsOut(),
    Rejects(DialOutcome.REJECTED, Constant(300)),
    Rejects(DialOutcome.BUSY),
    IsDead(),
    Human(LogNormal(3_000, 0.8), LogNormal(30_000, 0.6), misses=0.2, rejects=0.1),
)


CALLER = Profile(id="default", dial=DialRights(allowed=("5", "+1")), outdial=True, dial_pad=True, outdial_to_queue=True)


def tenant() -> Config:
    """Every rule that moves calls or agents by itself, on few agents, so that they meet often."""
    skipping = {RonaCause.REJECTED: MissPolicy(then=AfterMiss.AVAILABLE, skip_s=5)}
    idle = {RonaCause.BUSY: MissPolicy(then=AfterMiss.IDLE, idle_reason="break")}
    centre = config(
        [
            agent("agt_anna", "sales", "support", "team", skills={"spanish": 9}),
            agent("agt_ben", "sales", "team", skills={"spanish": 2}),
            agent("agt_cleo", "support", "team", skills={"spanish": 5}),
            agent("agt_dan", "sales"),
        ],
        [
            queue("sales", ring_timeout_s=6, wrap_up=wrap_up(8), max_talking=2, on_miss=skipping),
            queue(
                "support",
                requires=requirement(spanish=5),
                relaxation=(relaxation(10), relaxation(20, spanish=9)),
                ring_timeout_s=5,
                strategy=Strategy.MOST_SKILLED,
                wrap_up=wrap_up(None),
                max_wait_s=60,
            ),
            queue(
                "team",
                strategy=Strategy.RING_ALL,
                ring_timeout_s=8,
                max_waiting=2,
                leave_when_no_agents=True,
                on_miss=idle,
            ),
        ],
        pbxs={PBX: Pbx(id=PBX, kind="simulated", dial="OUT/{number}@trunk")},
        profiles={"default": CALLER, "keen": replace(CALLER, id="keen", available_after_outdial=True)},
        numbers=Numbers(ring_timeout_s=7, country="1"),
        outdial=OutdialRules(entry_point="sales", agent_ring_timeout_s=5, customer_ring_timeout_s=9),
        limits=CallLimits(tenant_calls=7, dials_per_minute=20),
    )
    centre.agents["agt_dan"] = replace(centre.agents["agt_dan"], profile="keen")
    profiles = {name: replace(profile, record=True) for name, profile in centre.profiles.items()}
    return replace(
        centre,
        profiles=profiles,
        recording_pause_s=12,
        unanswered_transfer=UnansweredTransfer.RETURN_TO_SENDER,
        wrap_up_after_consult=True,
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that happens: what, to which of those there are, how much."""

    what: str
    which: int = 0
    much: int = 0


PEOPLE = ("call", "call", "call", "give_up", "pick_habit", "hang_up_phone", "private_call", "register", "unregister")
KEYS = ("transfer_away",)
OUTSIDERS = ("share", "pick_outside", "hang_up_outside")
STATES = ("sign_in", "sign_out", "available", "available", "idle", "feature")
CONTROL = ("consult", "consult", "invite", "transfer", "dial", "control", "control", "control")
RECORDER = ("pause_recording", "resume_recording")
OUTDIALS = ("outdial", "outdial", "cancel_outdial")
WRITING = ("digits", "note", "cad")
ORDERS = (*STATES, *OUTDIALS, *WRITING, "hold", "resume", "end", "wrap_up", "extend", *RECORDER, *CONTROL)
SHARES = (None, None, 1, 3, None, 6, 8, None)  # of the data centre's calls
FAULTS = ("cut", "stall", "restore", "kill", "start", "double", "lose", "refuse")
SMALL = st.integers(0, 7)


def deeds(*kinds: str) -> st.SearchStrategy[list[Deed]]:
    one = st.builds(Deed, st.sampled_from(kinds), SMALL, SMALL)
    wait = st.builds(Deed, st.just("wait"), st.just(0), st.sampled_from((0, 1, 2, 40, 500, 3_000, 7_000, 25_000)))
    return st.lists(one | wait, max_size=60)


class Chaos:
    """Carries deeds out in a hall. `kept`: a copy of the state in the middle, to replay from."""

    def __init__(self, seed: int = 0, centre: Config | None = None) -> None:
        self.hall = Hall(centre or tenant(), seed=seed)
        self.nodes = list(self.hall.nodes.values())
        numbers = (*OUTSIDE, *CUSTOMERS[:2])
        self.outside = [node.pbx.add_phone(f"OUT/{number}@trunk") for node in self.nodes for number in numbers]
        self.laws = Laws()
        self.hall.observers.append(self.laws)
        self.hall.sign_in_all()
        self.kept: WorldState | None = None

    def carry_out(self, plan: list[Deed], *, is_calm: bool = False) -> None:
        """With `is_calm` there are no faults, and PBX and core must agree after every deed."""
        for number, deed in enumerate(plan):
            if number == len(plan) // 2:
                self.kept = copy.deepcopy(self.hall.world.state)
            getattr(self, f"do_{deed.what}")(deed)
            if is_calm:
                self.hall.let_pass()
                self.check_legs()

    # ------------------------------------------------------------------ people

    def do_wait(self, deed: Deed) -> None:
        self.hall.run(deed.much)

    def do_call(self, deed: Deed) -> None:
        patience_ms = (None, 200, 5_000, 40_000)[deed.much % 4]
        options = {"priority": "9"} if deed.much == 7 else {}
        pbx = self._node(deed).pbx.name
        self.hall.call(ENTRY_POINTS[deed.which % 4], patience_ms, pbx=pbx, options=options)

    def _node(self, deed: Deed) -> Node:
        return self.nodes[(deed.which + deed.much) % len(self.nodes)]

    def _hang_up(self, channel: Channel) -> None:
        """On the PBX that it is a channel of."""
        next(node.pbx for node in self.nodes if channel.leg_id in node.pbx.channels).hang_up(channel)

    def do_give_up(self, deed: Deed) -> None:
        callers = [c for node in self.nodes for c in node.pbx.channels.values() if c.arrival]
        if callers:
            self._hang_up(callers[deed.which % len(callers)])

    def _phone(self, deed: Deed) -> Phone:
        return self.hall.phone_of(self.hall.world.config.agents[AGENTS[deed.which % len(AGENTS)]])

    def _home(self, phone: Phone) -> SimulatedPbx:
        return self.hall.nodes[phone.node].pbx

    def do_pick_habit(self, deed: Deed) -> None:
        self._phone(deed).habit = HABITS[deed.much % len(HABITS)]

    def do_hang_up_phone(self, deed: Deed) -> None:
        if live := self._phone(deed).live:
            self._hang_up(live)

    def do_pick_outside(self, deed: Deed) -> None:
        self.outside[deed.which % len(self.outside)].habit = HABITS[deed.much % len(HABITS)]

    def do_hang_up_outside(self, deed: Deed) -> None:
        if live := self.outside[deed.which % len(self.outside)].live:
            self._hang_up(live)

    def do_private_call(self, deed: Deed) -> None:
        phone = self._phone(deed)
        if phone.live is None:
            self._home(phone).private_call(phone)

    def do_transfer_away(self, deed: Deed) -> None:
        """By the key of a phone on its own PBX; over a trunk there is nothing that such a key could send elsewhere."""
        live = self._phone(deed).live
        if live and live.leg_id in self._home(self._phone(deed)).channels:
            self._home(self._phone(deed)).transfer_away(live)

    def do_register(self, deed: Deed) -> None:
        self._home(self._phone(deed)).register(self._phone(deed), True)

    def do_unregister(self, deed: Deed) -> None:
        self._home(self._phone(deed)).register(self._phone(deed), False)

    def do_feature(self, deed: Deed) -> None:
        codes = ("sign_in", "sign_out", "available", "idle", "wrap_up_done", "nonsense")
        phone = self._phone(deed)
        if phone.live is None and phone.is_registered:
            self._home(phone).dial_feature(phone, codes[deed.much % len(codes)])

    # ------------------------------------------------------------------ orders

    def _order(self, kind: type, deed: Deed, **fields: Any) -> None:
        self.hall.order(kind, agent_id=AGENTS[deed.which % len(AGENTS)], **fields)

    def _on_call(self, kind: type, deed: Deed, **fields: Any) -> None:
        engaged = list(self.hall.agent(AGENTS[deed.which % len(AGENTS)]).engagements)
        live = list(self.hall.world.state.interactions)
        for interaction_id in (engaged or live)[:1]:
            self._order(kind, deed, interaction_id=interaction_id, **fields)

    def do_sign_in(self, deed: Deed) -> None:
        self._order(SignIn, deed, idle_reason="break" if deed.much % 2 else None)

    def do_sign_out(self, deed: Deed) -> None:
        self._order(SignOut, deed)

    def do_available(self, deed: Deed) -> None:
        self._order(GoAvailable, deed)

    def do_idle(self, deed: Deed) -> None:
        self._order(GoIdle, deed, reason="break" if deed.much % 4 else "no such reason")

    def do_hold(self, deed: Deed) -> None:
        self._on_call(Hold, deed)

    def do_resume(self, deed: Deed) -> None:
        self._on_call(Resume, deed)

    def do_end(self, deed: Deed) -> None:
        self._on_call(EndInteraction, deed)

    def do_pause_recording(self, deed: Deed) -> None:
        self._on_call(PauseRecording, deed)

    def do_resume_recording(self, deed: Deed) -> None:
        self._on_call(ResumeRecording, deed)

    def do_digits(self, deed: Deed) -> None:
        self._on_call(SendDigits, deed, digits="12#"[: deed.much])

    def do_note(self, deed: Deed) -> None:
        self._on_call(AddNote, deed, text="x" * deed.much)

    def do_cad(self, deed: Deed) -> None:
        for interaction_id in list(self.hall.world.state.interactions)[: deed.which]:
            self.hall.order(EditCad, agent_id="", interaction_id=interaction_id, expected_version=deed.much or None)

    def _target(self, deed: Deed) -> dict[str, str]:
        queues = ("sales", "support", "team", "nowhere")
        return {"to_agent": AGENTS[deed.much]} if deed.much < len(AGENTS) else {"to_queue": queues[deed.much % 4]}

    def do_consult(self, deed: Deed) -> None:
        self._on_call(StartConsult, deed, **self._target(deed))

    def do_invite(self, deed: Deed) -> None:
        self._on_call(Invite, deed, **self._target(deed))

    def do_transfer(self, deed: Deed) -> None:
        target = {"to_entry_point": "support"} if deed.much == 7 else self._target(deed)
        self._on_call(Transfer, deed, **target)

    def do_dial(self, deed: Deed) -> None:
        kind = (StartConsult, Transfer, Invite)[deed.much % 3]
        self._on_call(kind, deed, to_number=OUTSIDE[deed.much % 2])

    def do_outdial(self, deed: Deed) -> None:
        self._order(StartOutdial, deed, number=CUSTOMERS[deed.much % len(CUSTOMERS)])

    def do_cancel_outdial(self, deed: Deed) -> None:
        self._on_call(CancelOutdial, deed)

    def do_control(self, deed: Deed) -> None:
        """What a person would do: one of the controls that he has now, else one that he has not."""
        agent = self.hall.agent(AGENTS[deed.which % len(AGENTS)])
        state = self.hall.world.state
        calls = [(state.interactions.get(call), e) for call, e in agent.engagements.items()]
        allowed = {a for call, e in calls for a in allowed_actions(state.config, call, agent, e)}
        actions = sorted(allowed & CONSULT_CONTROLS) or sorted(CONSULT_CONTROLS)
        self._on_call(OnConsult, deed, action=actions[deed.much % len(actions)].value)

    def do_wrap_up(self, deed: Deed) -> None:
        self._order(FinishWrapUp, deed, reason="done" if deed.much % 2 else None)

    def do_extend(self, deed: Deed) -> None:
        self._order(ExtendWrapUp, deed)

    # ------------------------------------------------------------------ faults

    def do_share(self, deed: Deed) -> None:
        self.hall.feed(CapacityGranted(calls=SHARES[deed.much]))

    def do_cut(self, deed: Deed) -> None:
        self._node(deed).port.cut()

    def do_stall(self, deed: Deed) -> None:
        self._node(deed).port.stall()

    def do_restore(self, deed: Deed) -> None:
        self._node(deed).port.restore()

    def do_kill(self, deed: Deed) -> None:
        self._node(deed).kill_connector()

    def do_start(self, deed: Deed) -> None:
        self._node(deed).start_connector()

    def do_double(self, deed: Deed) -> None:
        self._node(deed).port.double += deed.much

    def do_lose(self, deed: Deed) -> None:
        self._node(deed).port.lose += deed.much % 3

    def do_refuse(self, deed: Deed) -> None:
        self._node(deed).port.refuse += deed.much % 3

    # ------------------------------------------------------------------ the end

    def mend(self) -> None:
        """All faults are over, and what they left behind has had time to be put right."""
        hall = self.hall
        for node in self.nodes:
            node.start_connector()
            node.port.lose = node.port.refuse = node.port.double = 0
            node.port.restore()
        hall.run(15_000)
        hall.let_pass()
        assert all(hall.world.state.links[node.pbx.name] for node in self.nodes), "a link is not back"
        self.check_legs()
        for member in hall.world.config.agents.values():
            state = hall.nodes[member.pbx].pbx.phone_state(member.phone)
            assert hall.world.state.phones[f"{member.pbx}|{member.phone}"] is state

    def check_legs(self) -> None:
        """What lives in the PBX and what lives in the core is the same.

        A call that nobody took is still the dialplan's: it falls back by itself (FLOW-04).
        """
        hall = self.hall
        known = self.known_legs()
        taken = [c for c in hall.our_legs() if c.place is Place.OWN]
        orphans = [c for c in taken if c.leg_id not in known]
        assert not orphans, f"nobody's legs: {orphans}"
        in_pbx = {c.leg_id for c in hall.our_legs()}
        customers = {i.customer_leg for i in hall.world.state.interactions.values() if i.customer_leg}
        assert customers <= in_pbx, "calls without a caller"
        self.check_recordings()

    def known_legs(self) -> set[str]:
        """Those of the core."""
        interactions = self.hall.world.state.interactions.values()
        return {leg for i in interactions for leg in (i.customer_leg, *_agent_legs(i))}

    def check_recordings(self) -> None:
        """What gets into each file is what the core wants."""
        for interaction in self.hall.world.state.interactions.values():
            for party in interaction.parties:
                channel = self.hall.nodes[interaction.pbx].pbx.channels[party.leg_id]
                assert channel.file == party.recording
                talks = bool(party.agent_id) and interaction.message is None
                assert bool(party.recording) == talks, "all agents who talk are recorded here, nobody else is"
                if not talks:
                    continue
                wanted_silent = wanted(interaction, party) is RecordingState.PAUSED
                assert channel.is_silenced == wanted_silent, f"{party} is recorded wrongly: {interaction}"

    def close(self) -> None:
        """Everybody goes home: then nothing of any call is left anywhere."""
        hall = self.hall
        for caller in [c for node in self.nodes for c in node.pbx.channels.values() if c.arrival]:
            self._hang_up(caller)
        for phone in self.outside:
            if phone.live:
                self._hang_up(phone.live)
        hall.run(120_000)
        for agent_id in AGENTS:
            if any(e.state is EngagementState.WRAP_UP for e in hall.agent(agent_id).engagements.values()):
                hall.order(FinishWrapUp, agent_id=agent_id, reason="done")
        assert not hall.world.state.interactions
        assert not hall.our_legs()
        assert not hall.world.state.timers
        assert not [a for a in hall.world.state.agents.values() if a.engagements], "an agent is stuck"

    def check_replay(self) -> None:
        assert self.hall.replay().state == self.hall.world.state
        if self.kept is not None:
            assert self.hall.replay(self.kept).state == self.hall.world.state


def _agent_legs(interaction: Any) -> list[str]:
    return [o.leg_id for o in interaction.offers] + [p.leg_id for p in interaction.parties]


EFFORT = settings(
    max_examples=int(os.environ.get("SWITCHROOM_SIM_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)


@pytest.mark.req("ROUTE-05", "ROUTE-06", "STATE-02", "STATE-07", "STATE-08", "STATE-09", "ROUTE-07", "ROUTE-16")
@given(plan=deeds(*PEOPLE, *KEYS, *OUTSIDERS, *ORDERS))
@EFFORT
def test_nothing_people_do_breaks_a_law_or_leaves_something_behind(plan: list[Deed]) -> None:
    chaos = Chaos()
    chaos.carry_out(plan, is_calm=True)
    chaos.mend()
    chaos.close()
    chaos.check_replay()


# The agent's own leg is left behind by his transfer key, and the PBX refuses to hang it up.
REFUSED_HANG_UP = [Deed("call"), Deed("wait", 0, 40), Deed("transfer_away"), Deed("refuse", 0, 1), Deed("wait", 0, 2)]


@pytest.mark.req("SAFE-01", "SAFE-02", "ROUTE-06", "REC-05", "REC-06")
@given(plan=deeds(*PEOPLE, *KEYS, *OUTSIDERS, *ORDERS, *FAULTS, *FAULTS))
@example(plan=REFUSED_HANG_UP)
@EFFORT
def test_after_any_faults_everything_converges(plan: list[Deed]) -> None:
    chaos = Chaos()
    chaos.carry_out(plan)
    chaos.mend()
    chaos.close()
    chaos.check_replay()


TALK = (
    *KEYS,
    *WRITING,
    "call",
    "available",
    "wrap_up",
    *CONTROL,
    *CONTROL,
    *OUTDIALS,
    "hold",
    "resume",
    "hang_up_phone",
    "give_up",
    "hang_up_outside",
)


@pytest.mark.req("HOLD-08", "SAFE-01", "CONS-02", "XFER-02")
@given(plan=deeds(*TALK), faults=deeds("cut", "restore", "kill", "start", "lose"))
@EFFORT
def test_call_control_in_any_order_and_through_faults_converges(plan: list[Deed], faults: list[Deed]) -> None:
    chaos = Chaos()
    for phone in chaos.hall.pbx.phones.values():
        phone.habit = Answers(Constant(300), Constant(600_000))
    chaos.carry_out([Deed("call"), Deed("wait", 0, 1_000), *plan], is_calm=True)
    chaos.carry_out(faults)
    chaos.carry_out(plan)
    chaos.mend()
    chaos.close()
    chaos.check_replay()


@pytest.mark.req("OUT-03", "OUT-06", "A16")
@pytest.mark.parametrize("seed", range(4))
def test_whoever_calls_whom_the_limits_of_calls_hold(seed: int) -> None:
    random, kinds = Random(seed), ("call", "call", "outdial", "share", "give_up", "available", "wrap_up", "wait")
    chaos = Chaos(seed)
    plan = [Deed(random.choice(kinds), random.randint(0, 7), random.randint(0, 7)) for _ in range(400)]
    chaos.carry_out([one if one.what != "wait" else replace(one, much=one.much * 1_000) for one in plan], is_calm=True)
    chaos.mend()
    chaos.close()
    chaos.check_replay()
    assert {e.values.get("reason_code") for e in chaos.hall.told(EventType.INTERACTION_ENDED)} == {None, 26, 27}


# Each fault with what ends it, so that most of a long day is work.
OUTAGES = (("cut", "restore"), ("stall", "restore"), ("kill", "start"), ("double", "wait"), ("lose", "wait"))


def long_day(random: Random, deeds: int) -> list[Deed]:
    """Mostly work, an outage of up to 8 s now and then."""
    plan: list[Deed] = []

    def add(what: str, wait_ms: int) -> None:
        plan.append(Deed(what, random.randint(0, 7), random.randint(0, 7)))
        plan.append(Deed("wait", 0, wait_ms))

    while len(plan) < deeds:
        if random.random() < 0.06:
            fault, remedy = random.choice(OUTAGES)
            add(fault, random.choice((0, 20, 8_000)))
            for what in random.choices((*PEOPLE, *STATES), k=3):
                add(what, random.choice((0, 10, 1_000)))
            add(remedy, random.choice((0, 1, 30, 2_000)))
        else:
            work = random.choice((*PEOPLE, *KEYS, *ORDERS, "call", "call", *("register", "available", "sign_in") * 3))
            add(work, random.choice((1, 5, 100, 1_000, 4_000)))
    return plan


@pytest.mark.req("SAFE-01", "SAFE-02")
@pytest.mark.parametrize("seed", range(6))
def test_a_long_day_with_outages_converges(seed: int) -> None:
    chaos = Chaos(seed)
    chaos.carry_out(long_day(Random(seed), 3_000))
    chaos.mend()
    chaos.close()
    chaos.check_replay()
    assert len(chaos.hall.ended) > 60
    assert len([i for i in chaos.hall.ended if i.parties]) > 10
