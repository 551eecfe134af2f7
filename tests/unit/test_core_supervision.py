"""Supervisors hear, whisper and barge; whatever they do, the call is what it was (DESK-02)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from routing.core.commands import DialLeg, Ear, HeardBy, SetRooms
from routing.core.config import Config, Pbx, Profile, WrapUp
from routing.core.dial_rights import DialRights
from routing.core.events import Event, EventType
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialFailed,
    DialOutcome,
    EarsReached,
    EarsRefused,
    EndedBy,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegState,
    LinkLost,
    LinkRestored,
    PhoneState,
    RoomsReached,
    SnapshotLeg,
)
from routing.core.guard import allowed_actions
from routing.core.interaction import Interaction, InteractionState, Role
from routing.core.orders import (
    ChangeSupervision,
    Hold,
    OnConsult,
    Reply,
    Resume,
    StartConsult,
    StopSupervision,
    Supervise,
    Transfer,
)
from routing.core.roles import Action
from routing.core.supervising import RING_S
from routing.core.supervision import ShowSupervision, Supervision, SupervisionMode, SupervisionState, SupervisorConfig
from routing.store.codec import PLAIN, encode
from tests.unit.core_driver import WRAP, Driver, agent, config, queue

ANNA, BEN, CLEO, RITA, MAX = "anna", "ben", "cleo", "rita", "max"
M, S = SupervisionMode, SupervisionState


def centre(**changes: Any) -> Config:
    """Anna and Ben talk; Cleo is of another team, and an agent at whose telephone one may listen, too. Rita and Max
    are supervisors, Max of Anna's team alone.
    """
    rights = Profile(id="default", dial=DialRights(allowed=("+1",), international=True))
    agents = [
        agent(ANNA),
        agent(BEN, queues=(("help", 1),)),
        agent(CLEO, team="other", queues=(("help", 1),)),
    ]
    supervisors = {
        RITA: SupervisorConfig(id=RITA, name="Rita", pbx="a", phone="PJSIP/900"),
        MAX: SupervisorConfig(id=MAX, name="Max", pbx="a", phone="PJSIP/901", teams=("t",)),
    }
    pbxs = {"a": Pbx(id="a", kind="simulated", dial="PJSIP/{number}@trunk")}
    base = config(
        agents,
        [queue(wrap_up=WRAP), queue("help", wrap_up=WrapUp(timeout_s=0))],
        supervisors=supervisors,
        pbxs=pbxs,
        profiles={"default": rights},
    )
    return replace(base, **changes)


class Listening:
    """A call of Anna's, to which somebody may listen."""

    def __init__(self, configuration: Config | None = None, *, ready: tuple[str, ...] | None = None) -> None:
        self.d = Driver(configuration or centre(), ready=ready)
        self.id = self.d.call()
        self.d.answer(self.id, ANNA)

    @property
    def call(self) -> Interaction:
        return self.d.interaction(self.id)

    @property
    def supervision(self) -> Supervision:
        found = self.call.supervision
        assert found is not None
        return found

    @property
    def ears(self) -> tuple[Ear, ...]:
        return self.d.rooms().ears

    def supervise(self, mode: SupervisionMode = M.MONITOR, supervisor: str = RITA, **fields: Any) -> Reply:
        fields = fields or {"supervisor": supervisor}
        return self.d.order(Supervise, interaction_id=self.id, mode=mode, actor="user:rita", **fields)

    def picked_up(self) -> None:
        self.d.give(LegRinging(pbx="a", leg_id=self.supervision.leg_id))
        self.d.give(LegAnswered(pbx="a", leg_id=self.supervision.leg_id))

    def confirmed(self) -> None:
        self.d.give(EarsReached(pbx="a", interaction_id=self.id, version=self.call.ears_version))

    def listen(self, mode: SupervisionMode = M.MONITOR, supervisor: str = RITA, **fields: Any) -> None:
        assert self.supervise(mode, supervisor, **fields).code == "ok"
        self.picked_up()
        self.confirmed()
        assert self.supervision.state is S.ACTIVE

    def act(self, kind: type, by: str = ANNA, **fields: Any) -> Reply:
        reply = self.d.order(kind, agent_id=by, interaction_id=self.id, **fields)
        if self.id in self.d.world.state.interactions:
            self.d.reach(self.id)
        return reply

    def hears(self, agent_id: str) -> None:
        (ear,) = self.ears
        assert ear.hears == self.d.leg_of(self.id, agent_id)

    def told_states(self) -> list[object]:
        return [e.values["state"] for e in self.d.told(EventType.SUPERVISION_CHANGED)]

    def ended(self) -> Event:
        (event,) = self.d.told(EventType.SUPERVISION_ENDED)
        return event


def of_the_call(call: Interaction) -> Interaction:
    """All of a call but who listens to it."""
    return replace(call, version=0, supervision=None, ears=(), ears_version=0)


# ------------------------------------------------------------------ hearing, whispering, barging


@pytest.mark.req("DESK-02")
@pytest.mark.parametrize(
    ("mode", "heard_by"), [(M.MONITOR, HeardBy.NOBODY), (M.WHISPER, HeardBy.LEG), (M.BARGE, HeardBy.ROOM)]
)
def test_a_supervisor_is_rung_and_then_an_ear_at_the_agent(mode: SupervisionMode, heard_by: HeardBy) -> None:
    t = Listening()
    reply = t.supervise(mode)
    assert reply.values["state"] == "ringing"
    dial = next(c for c in reversed(t.d.commands) if isinstance(c, DialLeg))
    assert (dial.phone, dial.leg_id, dial.recording) == ("PJSIP/900", t.supervision.leg_id, "")
    assert t.call.ears == ()
    t.picked_up()
    assert t.ears == (Ear(leg=t.supervision.leg_id, hears=t.d.leg_of(t.id, ANNA), heard_by=heard_by),)
    t.confirmed()
    told = [(e.type, e.values["state"]) for e in t.d.events if e.type.value.startswith("supervision.")]
    assert told == [
        (EventType.SUPERVISION_STARTED, "ringing"),
        (EventType.SUPERVISION_CHANGED, "joining"),
        (EventType.SUPERVISION_CHANGED, "active"),
    ]


def test_another_mode_is_confirmed_anew() -> None:
    t = Listening()
    t.listen()
    t.d.order(ChangeSupervision, interaction_id=t.id, mode=M.WHISPER)
    assert (t.supervision.state, t.ears[0].heard_by) == (S.JOINING, HeardBy.LEG)
    t.confirmed()
    assert (t.supervision.state, t.supervision.mode) == (S.ACTIVE, M.WHISPER)


def test_a_mode_that_is_chosen_while_it_rings_counts_from_the_answer_on() -> None:
    t = Listening()
    t.supervise()
    t.d.order(ChangeSupervision, interaction_id=t.id, mode=M.BARGE)
    t.picked_up()
    assert t.ears[0].heard_by is HeardBy.ROOM


def test_an_old_confirmation_says_nothing_of_the_new_mode() -> None:
    t = Listening()
    t.listen()
    old = t.call.ears_version
    t.d.order(ChangeSupervision, interaction_id=t.id, mode=M.WHISPER)
    t.d.give(EarsReached(pbx="a", interaction_id=t.id, version=old))
    assert t.supervision.state is S.JOINING


# ------------------------------------------------------------------ supervisors are no parties


@pytest.mark.req("DESK-02")
@pytest.mark.parametrize("mode", list(M))
@pytest.mark.parametrize("is_held", [False, True])
def test_coming_and_going_changes_nothing_of_the_call(mode: SupervisionMode, is_held: bool) -> None:
    t = Listening()
    if is_held:
        t.act(Hold)
    before, anna = t.call, t.d.world.agent(ANNA)
    allowed = allowed_actions(t.d.world.config, before, anna, anna.engagements[t.id])
    events = len(t.d.events)
    t.listen(mode)
    t.d.give(RoomsReached(pbx="a", interaction_id=t.id, version=t.call.rooms_version))
    assert of_the_call(t.call) == of_the_call(before)
    t.d.order(ChangeSupervision, interaction_id=t.id, mode=M.WHISPER)
    t.d.give(LegEnded(pbx="a", leg_id=t.supervision.leg_id, ended_by=EndedBy.REMOTE))
    assert of_the_call(t.call) == of_the_call(before)
    anna = t.d.world.agent(ANNA)
    assert allowed_actions(t.d.world.config, t.call, anna, anna.engagements[t.id]) == allowed
    others = [e.type.value for e in t.d.events[events:] if not e.type.value.startswith(("supervision.", "order."))]
    assert others == []


@pytest.mark.parametrize(
    "fails",
    [
        lambda t: t.d.give(DialFailed(pbx="a", leg_id=t.supervision.leg_id, outcome=DialOutcome.BUSY)),
        lambda t: t.d.give(CommandEnded(pbx="a", command_id=t.supervision.id, outcome=CommandOutcome.REFUSED)),
        lambda t: t.d.give(CommandEnded(pbx="a", command_id=t.supervision.id, outcome=CommandOutcome.UNKNOWN)),
        lambda t: t.d.advance(RING_S + 1),
        lambda t: t.d.order(StopSupervision, interaction_id=t.id),
    ],
    ids=["busy", "refused", "unknown", "no answer", "stopped"],
)
def test_a_telephone_that_is_not_answered_leaves_no_trace_on_the_call(fails: Any) -> None:
    t = Listening()
    before = t.call
    t.supervise()
    fails(t)
    assert of_the_call(t.call) == of_the_call(before)
    assert t.call.supervision is None
    assert not t.d.world.supervised
    assert t.supervise().code == "ok"


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (DialOutcome.BUSY, "busy"),
        (DialOutcome.NO_ANSWER, "no_answer"),
        (DialOutcome.REJECTED, "rejected"),
        (DialOutcome.INVALID, "unreachable"),
    ],
)
def test_how_his_telephone_came_to_nothing_is_told(outcome: DialOutcome, why: str) -> None:
    t = Listening()
    t.supervise()
    t.d.give(DialFailed(pbx="a", leg_id=t.supervision.leg_id, outcome=outcome))
    assert t.ended().values["why"] == why


def test_a_telephone_that_rings_out_is_hung_up_by_us() -> None:
    t = Listening()
    t.supervise()
    leg = t.supervision.leg_id
    t.d.give(LegRinging(pbx="a", leg_id=leg))
    t.d.advance(RING_S + 1)
    assert t.d.hung_up() == [leg]
    t.d.give(LegAnswered(pbx="a", leg_id=leg))  # in the very moment
    assert t.d.hung_up() == [leg, leg]


def test_what_the_pbx_cannot_do_ends_it_without_touching_the_call() -> None:
    t = Listening()
    t.listen(M.BARGE)
    before, leg = t.call, t.supervision.leg_id
    t.d.give(EarsRefused(pbx="a", interaction_id=t.id, version=t.call.ears_version, reason="no such application"))
    assert of_the_call(t.call) == of_the_call(before)
    assert (t.ended().values["why"], t.d.hung_up(), t.ears) == ("refused", [leg], ())


# ------------------------------------------------------------------ he stays with the call


@pytest.mark.req("DESK-02")
def test_he_stays_at_the_agent_through_hold_consult_and_conference() -> None:
    t = Listening()
    t.listen()
    t.act(Hold)
    t.hears(ANNA)
    t.act(Resume)
    t.hears(ANNA)
    t.act(StartConsult, to_agent=BEN)
    t.hears(ANNA)
    t.d.answer(t.id, BEN)
    t.hears(ANNA)
    t.act(OnConsult, action=Action.CONFERENCE.value)
    t.hears(ANNA)
    t.act(OnConsult, action=Action.END_CONFERENCE.value)
    assert t.ended().values["why"] == "call_ended"


@pytest.mark.req("DESK-02")
def test_he_follows_the_call_to_its_new_owner() -> None:
    t = Listening()
    t.listen(M.WHISPER)
    t.act(StartConsult, to_agent=BEN)
    t.d.answer(t.id, BEN)
    t.act(OnConsult, action=Action.COMPLETE_TRANSFER.value)
    t.hears(BEN)
    t.confirmed()
    assert t.supervision.state is S.ACTIVE


def test_while_nobody_has_the_call_he_waits_in_silence() -> None:
    t = Listening()
    t.listen()
    t.act(Transfer, to_agent=BEN)
    assert (t.call.state, t.ears[0].hears) == (InteractionState.OFFERED, "")
    t.confirmed()
    assert t.supervision.state is S.WAITING
    t.d.answer(t.id, BEN)
    t.hears(BEN)
    t.confirmed()
    assert t.told_states()[-2:] == ["waiting", "active"]


def test_he_does_not_hear_an_outside_number_that_has_the_call() -> None:
    t = Listening()
    t.listen()
    assert t.act(Transfer, to_number="+12015550111").code == "ok"
    (offer,) = t.call.offers
    t.d.give(LegAnswered(pbx="a", leg_id=offer.leg_id))
    owner = t.call.party(Role.OWNER)
    assert owner is not None
    assert owner.number
    assert (t.ended().values["why"], t.call.supervision) == ("external", None)
    asked = [c for c in t.d.commands if isinstance(c, SetRooms)]
    assert not [ear for c in asked for ear in c.ears if ear.hears == offer.leg_id], "not even for a moment"


@pytest.mark.req("DESK-02")
def test_a_supervisor_of_one_team_leaves_a_call_that_goes_to_another() -> None:
    t = Listening()
    t.listen(supervisor=MAX)
    leg = t.supervision.leg_id
    t.act(Transfer, to_agent=CLEO)
    t.d.answer(t.id, CLEO)
    assert (t.ended().values["why"], leg in t.d.hung_up()) == ("team", True)


def test_he_is_hung_up_when_the_call_ends() -> None:
    t = Listening()
    t.listen()
    leg = t.supervision.leg_id
    t.d.now_ms += 5000
    t.d.hang_up("leg_c1")
    assert leg in t.d.hung_up()
    assert (t.ended().values["why"], t.ended().values["heard_ms"]) == ("call_ended", 5000)
    types = [e.type for e in t.d.events]
    assert types.index(EventType.SUPERVISION_ENDED) < types.index(EventType.INTERACTION_ENDED)


def test_a_supervisor_whom_the_configuration_removes_leaves() -> None:
    t = Listening()
    t.listen()
    t.d.apply(centre(supervisors={}))
    assert t.ended().values["why"] == "removed"
    assert t.call.state is InteractionState.CONNECTED


# ------------------------------------------------------------------ who may, and when


def refused(t: Listening, **fields: Any) -> tuple[str, object]:
    reply = t.supervise(**fields)
    return reply.code, reply.values.get("because")


@pytest.mark.req("DESK-02")
def test_a_supervisor_of_one_team_hears_no_other() -> None:
    t = Listening(centre(agents={a.id: a for a in (agent(ANNA, team="other"), agent(BEN), agent(CLEO))}))
    assert refused(t, supervisor=MAX) == ("supervision-not-possible", "team")
    assert t.d.dialed() == ["PJSIP/anna"]


def test_a_call_that_no_agent_has_cannot_be_heard() -> None:
    t = Listening(ready=(ANNA,))
    t.act(Transfer, to_queue="help")
    assert refused(t) == ("supervision-not-possible", "state")


def test_one_supervisor_at_a_time_hears_a_call() -> None:
    t = Listening()
    t.listen()
    assert t.supervise(supervisor=MAX).code == "supervision-exists"


def test_a_supervisor_hears_one_call_at_a_time() -> None:
    t = Listening(ready=(ANNA, BEN))
    t.listen()
    other = t.d.call("c2", entry_point="help")
    t.d.answer(other, BEN)
    reply = t.d.order(Supervise, interaction_id=other, mode=M.MONITOR, supervisor=RITA)
    assert (reply.code, reply.values["because"]) == ("supervisor-not-available", "supervising")


def test_nobody_is_rung_over_a_link_that_is_down() -> None:
    t = Listening()
    t.d.give(LinkLost(pbx="a"))
    assert refused(t) == ("supervisor-not-available", "pbx_link_down")


def test_whom_nobody_knows_is_refused() -> None:
    t = Listening()
    assert t.supervise(supervisor="nobody").code == "supervisor-unknown"
    assert t.supervise(phone_of="nobody").code == "agent-unknown"
    assert t.d.order(StopSupervision, interaction_id=t.id).code == "supervision-unknown"


def test_a_supervisor_may_change_and_stop_his_own_alone() -> None:
    t = Listening()
    t.listen()
    for order in (
        t.d.order(StopSupervision, interaction_id=t.id, supervisor=MAX),
        t.d.order(ChangeSupervision, interaction_id=t.id, mode=M.BARGE, supervisor=MAX),
    ):
        assert order.code == "supervision-unknown"
    assert t.d.order(StopSupervision, interaction_id=t.id, supervisor=RITA).code == "ok"


# ------------------------------------------------------------------ at an agent's telephone


@pytest.mark.req("DESK-02")
def test_who_listens_at_an_agents_telephone_is_offered_nothing_meanwhile() -> None:
    t = Listening()
    t.listen(phone_of=BEN)
    assert t.d.world.unavailable_because(BEN) == "supervising"
    t.act(Transfer, to_queue="help")
    assert t.d.offered(t.id) == (CLEO,)
    t.d.order(StopSupervision, interaction_id=t.id)
    assert t.d.world.unavailable_because(BEN) == ""


def test_an_agent_on_a_call_cannot_listen() -> None:
    t = Listening()
    other = t.d.call("c2", entry_point="help")
    t.d.answer(other, t.d.offered(other)[0])
    busy = next(a for a in (BEN, CLEO) if other in t.d.world.agent(a).engagements)
    assert refused(t, phone_of=busy) == ("supervisor-not-available", "connected")
    free = ({BEN, CLEO} - {busy}).pop()
    t.d.phone(free, PhoneState.BUSY)
    assert refused(t, phone_of=free) == ("supervisor-not-available", "phone_busy")


def test_a_supervisor_whose_telephone_is_an_agents_listens_as_that_agent() -> None:
    supervisors = {RITA: SupervisorConfig(id=RITA, name="Rita", pbx="a", phone="PJSIP/ben")}
    t = Listening(centre(supervisors=supervisors))
    t.listen()
    assert t.d.world.unavailable_because(BEN) == "supervising"


# ------------------------------------------------------------------ several PBXs, older servers


def apart(**trunks: str) -> Config:
    """Rita's telephone is at another PBX."""
    pbxs = {"a": Pbx(id="a", kind="simulated", trunks=trunks), "b": Pbx(id="b", kind="simulated")}
    supervisors = {RITA: SupervisorConfig(id=RITA, name="Rita", pbx="b", phone="PJSIP/900", extension="4900")}
    return centre(pbxs=pbxs, supervisors=supervisors)


def test_a_telephone_of_another_pbx_is_rung_over_the_trunk() -> None:
    t = Listening(apart(b="PJSIP/{number}@to-b"))
    assert refused(t) == ("supervisor-not-available", "pbx_link_down")
    t.d.give(LinkRestored(pbx="b"))
    t.supervise()
    assert t.d.dialed()[-1] == "PJSIP/4900@to-b"
    t.picked_up()
    t.hears(ANNA)


def test_without_a_trunk_it_is_out_of_reach() -> None:
    t = Listening(apart())
    t.d.give(LinkRestored(pbx="b"))
    assert refused(t) == ("supervisor-not-available", "other_pbx")


def older(value: object, *new: str) -> bytes:
    """As a server has stored it that knew nothing of these fields."""
    stored = json.loads(encode(value))
    for name in new:
        del stored[name]
    return json.dumps(stored).encode()


def test_what_a_server_without_supervisors_has_stored_is_read() -> None:
    t, codecs = Listening(), PLAIN
    call = codecs.interactions.decode(older(t.call, "supervision", "ears", "ears_version"))
    assert (call.supervision, call.ears, call.ears_version) == (None, (), 0)
    assert codecs.agents.decode(older(t.d.world.agent(ANNA), "supervising")).supervising == ""
    config_ = codecs.configs.decode(older(t.d.world.config, "supervisors", "show_supervision"))
    assert (config_.supervisors, config_.show_supervision) == ({}, ShowSupervision.HEARD)


# ------------------------------------------------------------------ gaps


@pytest.mark.req("DESK-02")
def test_after_a_gap_he_hears_again_what_he_heard() -> None:
    t = Listening()
    t.listen(M.WHISPER)
    legs = ["leg_c1", t.d.leg_of(t.id, ANNA), t.supervision.leg_id]
    t.d.give(LinkLost(pbx="a"))
    live = tuple(SnapshotLeg(leg_id=leg, interaction_id=t.id, state=LegState.UP) for leg in legs)
    t.d.give(LinkRestored(pbx="a", legs=live))
    asked = [c for c in t.d.last.commands if isinstance(c, SetRooms)]
    assert [c.ears for c in asked] == [t.call.ears]
    assert t.call.ears
    assert t.supervision.state is S.ACTIVE


def test_who_was_found_gone_after_a_gap_leaves_the_call_alone() -> None:
    t = Listening()
    t.listen()
    before = t.call
    t.d.give(LinkLost(pbx="a"))
    live = tuple(
        SnapshotLeg(leg_id=leg, interaction_id=t.id, state=LegState.UP) for leg in ("leg_c1", t.d.leg_of(t.id, ANNA))
    )
    t.d.give(LinkRestored(pbx="a", legs=live))
    assert of_the_call(t.call) == of_the_call(before)
    assert t.ended().values["why"] == "lost"


def test_who_answered_in_a_gap_hears_after_it() -> None:
    t = Listening()
    t.supervise()
    t.d.give(LegRinging(pbx="a", leg_id=t.supervision.leg_id))
    t.d.give(LinkLost(pbx="a"))
    legs = ("leg_c1", t.d.leg_of(t.id, ANNA), t.supervision.leg_id)
    t.d.give(
        LinkRestored(pbx="a", legs=tuple(SnapshotLeg(leg_id=x, interaction_id=t.id, state=LegState.UP) for x in legs))
    )
    t.hears(ANNA)


@pytest.mark.parametrize(
    ("show", "shown"),
    [
        (ShowSupervision.NEVER, {}),
        (ShowSupervision.HEARD, {M.WHISPER, M.BARGE}),
        (ShowSupervision.ALWAYS, {*M}),
    ],
)
def test_events_say_whether_agents_may_see_them(show: ShowSupervision, shown: set[SupervisionMode]) -> None:
    for mode in M:
        t = Listening(centre(show_supervision=show))
        t.supervise(mode)
        (event,) = t.d.told(EventType.SUPERVISION_STARTED)
        assert event.values["is_shown"] is (mode in shown)
        assert event.agent_id == ""
