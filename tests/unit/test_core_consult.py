"""Consult, conference and transfer: the role tables cell by cell, and what becomes of everybody."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.agent import EngagementState
from routing.core.commands import HangUpLeg, Room
from routing.core.config import Config, EntryPoint, Queue, Result, UnansweredTransfer
from routing.core.declarations import CadType, CadVariable
from routing.core.events import EventType
from routing.core.facts import DialOutcome, LegState, LinkLost, LinkRestored, PhoneState, SnapshotLeg
from routing.core.interaction import InteractionState, Role
from routing.core.orders import (
    AcceptRecord,
    AddNote,
    AnswerGuide,
    CancelOutdial,
    CancelPlannedCallback,
    DeclineRecord,
    DialRecord,
    Dispose,
    EndInteraction,
    GoIdle,
    Hold,
    Invite,
    MarkDone,
    OnConsult,
    PauseRecording,
    PlanCallback,
    ReplayMessage,
    Reply,
    Resume,
    ResumeRecording,
    SendDigits,
    StartConsult,
    Transfer,
)
from routing.core.recording import RecordingState
from routing.core.roles import RECORDING_ACTIONS, ROLE_TABLE, Action
from tests.unit.core_driver import CAD, WRAP, Driver, agent, config, queue

S = InteractionState
ANNA, BEN, CLEO = "anna", "ben", "cleo"


def centre(help_queue: Queue | None = None, **changes: Any) -> Config:
    """Anna in sales talks; Ben in help is consulted; Cleo is in help, too."""
    help_ = (("help", 1),)
    agents = [agent(ANNA), agent(BEN, queues=help_), agent(CLEO, queues=help_)]
    return config(agents, [queue(wrap_up=WRAP), help_queue or queue("help", wrap_up=WRAP)], **changes)


class Talk:
    """One call, brought to the state that a test is about."""

    def __init__(self, configuration: Config | None = None) -> None:
        self.d = Driver(configuration or centre())
        self.id = self.d.call(cad={"case": "7", "tier": "gold", "card": "4111"})
        self.d.answer(self.id, ANNA)

    @property
    def state(self) -> InteractionState:
        return self.d.interaction(self.id).state

    def order(self, kind: type, by: str = ANNA, **fields: Any) -> Reply:
        reply = self.d.order(kind, agent_id=by, interaction_id=self.id, **fields)
        if self.id in self.d.world.state.interactions:
            self.d.reach(self.id)
        return reply

    def act(self, action: Action, by: str = ANNA) -> Reply:
        return self.order(OnConsult, by, action=action.value)

    def consult(self, to: str = BEN) -> None:
        self.order(StartConsult, to_agent=to)
        self.d.answer(self.id, to)

    def to(self, state: InteractionState) -> Talk:
        """Bring the call there by what agents do."""
        match state:
            case S.HELD:
                self.order(Hold)
            case S.CONSULT_REQUESTED:
                self.order(StartConsult, to_agent=BEN)
            case S.INVITING:
                self.order(Invite, to_agent=BEN)
            case S.CONSULTING:
                self.consult()
            case S.CONSULT_HELD:
                self.consult()
                self.act(Action.HOLD_CONSULT)
            case S.CONFERENCE:
                self.consult()
                self.act(Action.CONFERENCE)
        assert self.state is state
        return self

    def leg(self, agent_id: str) -> str:
        return self.d.leg_of(self.id, agent_id)

    def rooms(self) -> tuple[Room, ...]:
        return self.d.interaction(self.id).rooms

    def hears(self) -> list[set[str]]:
        """Who is together, by name; `music` stands for a leg alone with music."""
        interaction = self.d.interaction(self.id)
        names = {interaction.customer_leg: "customer"} | {p.leg_id: p.agent_id for p in interaction.parties}
        return [{names[leg] for leg in room.legs} | ({"music"} if room.music else set()) for room in self.rooms()]


TALKING = [S.CONNECTED, S.HELD, S.CONSULT_REQUESTED, S.INVITING, S.CONSULTING, S.CONSULT_HELD, S.CONFERENCE]
WITH_BEN = [S.CONSULTING, S.CONSULT_HELD, S.CONFERENCE]
PLAIN = {
    Action.HOLD: Hold,
    Action.RESUME: Resume,
    Action.END: EndInteraction,
    Action.PAUSE_RECORDING: PauseRecording,
    Action.RESUME_RECORDING: ResumeRecording,
    Action.REPLAY_MESSAGE: ReplayMessage,
    Action.ACCEPT_RECORD: AcceptRecord,
    Action.DIAL_RECORD: DialRecord,
    Action.DECLINE_RECORD: DeclineRecord,
    Action.MARK_DONE: MarkDone,
    Action.DISPOSE: Dispose,
    Action.CANCEL_PLANNED_CALLBACK: CancelPlannedCallback,
    Action.ANSWER_GUIDE: AnswerGuide,
}


def attempt(talk: Talk, action: Action, by: str) -> Reply:
    if action in PLAIN:
        return talk.order(PLAIN[action], by)
    if action in (Action.TRANSFER, Action.INSTANT_TRANSFER):
        return talk.order(Transfer, by, to_queue="help")
    if action is Action.SEND_DIGITS:
        return talk.order(SendDigits, by, digits="1")
    if action is Action.ADD_NOTE:
        return talk.order(AddNote, by, text="spoke")
    if action is Action.CANCEL_OUTDIAL:
        return talk.order(CancelOutdial, by)
    if action is Action.PLAN_CALLBACK:
        return talk.order(PlanCallback, by, at_ms=talk.d.now_ms + 1, zone="UTC")
    if action is Action.CONSULT:
        return talk.order(StartConsult, by, to_agent=CLEO)
    if action is Action.INVITE:
        return talk.order(Invite, by, to_agent=CLEO)
    return talk.act(action, by)


CONTROLS = [a for a in Action if a not in (Action.EDIT_CAD, Action.FINISH_WRAP_UP, Action.EXTEND_WRAP_UP)]


@pytest.mark.req("OFFER-05", "CONSROLE-04", "CONSROLE-12", "CONFROLE-05", "CONFROLE-06", "CONFROLE-10", "HOLD-09")
@pytest.mark.parametrize("action", CONTROLS)
@pytest.mark.parametrize(
    ("state", "by"), [*((s, ANNA) for s in TALKING), *((s, BEN) for s in WITH_BEN)], ids=lambda v: str(v)
)
def test_each_role_may_do_what_its_table_says(state: InteractionState, by: str, action: Action) -> None:
    talk = Talk().to(state)
    role = Role.OWNER if by == ANNA else Role.CONSULTED
    before = talk.d.interaction(talk.id)
    reply = attempt(talk, action, by)
    if action in ROLE_TABLE[state, role]:
        assert reply.code == "ok"
    else:
        assert reply.code == "action-not-allowed"
        assert reply.values["allowed_actions"] == sorted(a.value for a in ROLE_TABLE[state, role])
        assert talk.d.interaction(talk.id) == before


@pytest.mark.req("OFFER-05")
def test_after_accept_the_agent_may_edit_hold_transfer_consult_invite_and_end() -> None:
    wanted = {Action.EDIT_CAD, Action.HOLD, Action.TRANSFER, Action.CONSULT, Action.INVITE, Action.END}
    assert wanted <= ROLE_TABLE[S.CONNECTED, Role.OWNER]
    assert RECORDING_ACTIONS[RecordingState.RECORDING, False] == {Action.PAUSE_RECORDING}
    assert RECORDING_ACTIONS[RecordingState.PAUSED, False] == {Action.RESUME_RECORDING}


@pytest.mark.req("HOLD-06", "CONSROLE-02", "CONS-06")
def test_starting_a_consult_puts_the_customer_on_hold() -> None:
    talk = Talk().to(S.CONSULT_REQUESTED)
    assert talk.hears() == [{"customer", "music"}, {ANNA}]
    (told,) = talk.d.told(EventType.CONSULT_REQUESTED)
    assert told.values["status"] == "consult requested"
    assert talk.d.state_of(ANNA) == "consulting"


@pytest.mark.req("CONS-09")
def test_after_accept_the_two_agents_talk_and_the_customer_waits() -> None:
    talk = Talk().to(S.CONSULTING)
    assert talk.hears() == [{"customer", "music"}, {ANNA, BEN}]
    assert (talk.d.state_of(ANNA), talk.d.state_of(BEN)) == ("consulting", "consulting")


@pytest.mark.req("HOLD-07", "HOLD-08", "CONS-10", "CONSROLE-05", "CONSROLE-06", "CONSROLE-11")
@pytest.mark.parametrize("how", ["resume the customer", "hold agent 2"])
def test_the_customer_and_the_consult_are_never_both_on_hold(how: str) -> None:
    talk = Talk().to(S.CONSULTING)
    assert (talk.order(Resume) if how == "resume the customer" else talk.act(Action.HOLD_CONSULT)).code == "ok"
    assert talk.hears() == [{"customer", ANNA}, {BEN, "music"}]
    assert talk.d.state_of(BEN) == "held"
    assert (talk.order(Hold) if how == "resume the customer" else talk.act(Action.RESUME_CONSULT)).code == "ok"
    assert talk.hears() == [{"customer", "music"}, {ANNA, BEN}]


@pytest.mark.req("CONS-05")
def test_a_waiting_consult_can_be_cancelled_and_the_call_resumed() -> None:
    talk = Talk().to(S.CONSULT_REQUESTED)
    leg = talk.leg(BEN)
    assert talk.act(Action.CANCEL_CONSULT).code == "ok"
    assert leg in talk.d.hung_up()
    assert (talk.state, talk.d.state_of(BEN)) == (S.HELD, "available")
    assert talk.order(Resume).code == "ok"
    assert talk.hears() == [{"customer", ANNA}]


@pytest.mark.req("CONS-11")
@pytest.mark.parametrize(
    ("outcome", "told", "after"),
    [
        (DialOutcome.REJECTED, "rejected", "rona"),
        (DialOutcome.BUSY, "busy", "available"),
        (DialOutcome.UNREACHABLE, "unreachable", "rona"),
    ],
)
def test_a_refused_consult_says_why_and_leaves_the_call_to_be_resumed(
    outcome: DialOutcome, told: str, after: str
) -> None:
    talk = Talk().to(S.CONSULT_REQUESTED)
    talk.d.fail(talk.id, BEN, outcome)
    assert [e.values["outcome"] for e in talk.d.told(EventType.CONSULT_NOT_TAKEN)] == [told]
    assert (talk.state, talk.d.state_of(BEN), talk.d.state_of(ANNA)) == (S.HELD, after, "held")
    assert talk.d.interaction(talk.id).consult is None


def test_a_consult_that_rings_out_gives_rona_to_the_consulted_agent_only() -> None:
    talk = Talk().to(S.CONSULT_REQUESTED)
    talk.d.advance(20)
    assert (talk.d.state_of(BEN), talk.state) == ("rona", S.HELD)


@pytest.mark.req("CONS-01")
def test_a_consult_needs_an_active_call() -> None:
    d = Driver(centre())
    call = d.call()
    assert d.order(StartConsult, agent_id=ANNA, interaction_id=call, to_agent=BEN).code == "action-not-allowed"


@pytest.mark.req("CONS-02", "XFER-06", "XFER-07")
@pytest.mark.parametrize("kind", [StartConsult, Invite, Transfer])
def test_a_target_that_cannot_be_rung_is_refused_and_nothing_changes(kind: type) -> None:
    talk = Talk()
    talk.d.order(GoIdle, agent_id=BEN, reason="break")
    talk.d.phone(CLEO, PhoneState.BUSY)
    before = talk.d.interaction(talk.id)
    replies = [
        talk.order(kind, to_agent=BEN),
        talk.order(kind, to_agent=CLEO),
        talk.order(kind, to_agent=ANNA),
        talk.order(kind, to_agent="nobody"),
        talk.order(kind, to_queue="nowhere"),
        talk.order(kind),
        talk.order(kind, to_agent=BEN, to_queue="help"),
    ]
    codes = ["agent-not-available"] * 3 + ["agent-unknown"] + ["target-unknown"] * 3
    assert [r.code for r in replies] == codes
    assert [r.values.get("because") for r in replies[:3]] == ["idle", "phone_busy", "connected"]
    assert talk.d.interaction(talk.id) == before


@pytest.mark.req("CONS-04")
def test_a_consult_to_a_queue_finds_an_agent_there_and_the_next_one_when_he_does_not_answer() -> None:
    talk = Talk()
    talk.order(StartConsult, to_queue="help")
    first = talk.d.offered(talk.id)
    assert len(first) == 1
    assert set(first) < {BEN, CLEO}
    talk.d.advance(20)
    second = talk.d.offered(talk.id)
    assert set(first + second) == {BEN, CLEO}
    talk.d.answer(talk.id, second[0])
    assert talk.hears() == [{"customer", "music"}, {ANNA, second[0]}]
    assert [t.winners for t in talk.d.traces[-2:]] == [first, second]
    assert {t.interaction_id for t in talk.d.traces} == {talk.id}


@pytest.mark.req("CONS-04", "CONS-05")
def test_a_consult_waits_in_the_queue_until_somebody_is_free_and_can_be_cancelled() -> None:
    talk = Talk()
    for name in (BEN, CLEO):
        talk.d.order(GoIdle, agent_id=name, reason="break")
    talk.order(StartConsult, to_queue="help")
    assert talk.d.offered(talk.id) == ()
    talk.act(Action.CANCEL_CONSULT)
    talk.d.available(BEN)
    assert talk.d.offered(talk.id) == ()
    talk.order(StartConsult, to_queue="help")
    assert talk.d.offered(talk.id) == (BEN,)


@pytest.mark.req("CONS-04", "ROUTE-05")
def test_a_consult_asked_of_a_queue_while_the_link_is_down_is_offered_in_the_step_that_brings_it_back() -> None:
    talk = Talk()
    legs = ("leg_c1", talk.d.leg_of(talk.id, ANNA))
    talk.d.give(LinkLost(pbx="a"))
    talk.d.order(StartConsult, agent_id=ANNA, interaction_id=talk.id, to_queue="help")
    assert talk.d.offered(talk.id) == ()
    up = tuple(SnapshotLeg(leg_id=leg, interaction_id=talk.id, state=LegState.UP) for leg in legs)
    talk.d.give(LinkRestored(pbx="a", legs=up))
    assert len(talk.d.offered(talk.id)) == 1


@pytest.mark.req("CONS-07", "CONS-08")
def test_the_consult_offer_shows_at_most_nine_variables_three_of_them_the_initiators() -> None:
    many = tuple(CadVariable(name=f"v{n}", label=f"V{n}", order=n) for n in range(12))
    talk = Talk(centre(cad=(*CAD, *many))).to(S.CONSULT_REQUESTED)
    talk.d.ring(talk.id, BEN)
    card = next(e for e in talk.d.told(EventType.OFFER_RINGING) if e.agent_id == BEN).values
    defaults = {"agent_name": "Anna", "agent_dn": "PJSIP/anna", "agent_team": "t"}
    assert {k: card[k] for k in defaults} == defaults
    assert card["label"] == "consult"
    assert len(card["variables"]) == 6  # type: ignore[arg-type]


@pytest.mark.req("CONF-01")
def test_a_conference_can_only_start_from_a_consult() -> None:
    talk = Talk()
    assert talk.act(Action.CONFERENCE).code == "action-not-allowed"
    assert talk.order(Hold).code == "ok"
    assert talk.act(Action.CONFERENCE).code == "action-not-allowed"


@pytest.mark.req("CONF-02", "CONF-04", "CONFROLE-02", "CONSROLE-08", "CONSROLE-16", "CONFROLE-13")
@pytest.mark.parametrize("state", [S.CONSULTING, S.CONSULT_HELD])
def test_a_conference_joins_all_three_and_tells_who_was_consulted(state: InteractionState) -> None:
    talk = Talk().to(state)
    assert talk.act(Action.CONFERENCE).code == "ok"
    assert talk.hears() == [{"customer", ANNA, BEN}]
    (told,) = talk.d.told(EventType.CONFERENCE_STARTED)
    assert (told.values["consulted_name"], told.values["consulted_dn"]) == ("Ben", "PJSIP/ben")
    assert (talk.d.state_of(ANNA), talk.d.state_of(BEN)) == ("conference", "conference")
    assert talk.d.interaction(talk.id).held_since_ms is None


@pytest.mark.req("CONF-07")
def test_an_invited_agent_joins_at_his_answer_and_the_customer_is_never_held() -> None:
    talk = Talk().to(S.INVITING)
    assert talk.hears() == [{"customer", ANNA}]
    talk.d.answer(talk.id, BEN)
    assert talk.state is S.CONFERENCE
    assert talk.hears() == [{"customer", ANNA, BEN}]
    assert talk.d.interaction(talk.id).held_ms == 0


@pytest.mark.req("CONSROLE-14", "CONFROLE-12")
@pytest.mark.parametrize("by_phone", [True, False])
@pytest.mark.parametrize(
    ("state", "then"), [(S.CONSULTING, S.HELD), (S.CONSULT_HELD, S.CONNECTED), (S.CONFERENCE, S.CONNECTED)]
)
def test_agent_2_may_leave_without_wrap_up_and_the_others_go_on(
    state: InteractionState, then: InteractionState, by_phone: bool
) -> None:
    talk = Talk().to(state)
    if by_phone:
        talk.d.hang_up(talk.leg(BEN))
    else:
        talk.act(Action.EXIT_CONFERENCE if state is S.CONFERENCE else Action.EXIT_CONSULT, BEN)
    assert (talk.state, talk.d.state_of(BEN)) == (then, "available")
    assert not talk.d.world.agent(BEN).engagements
    assert not talk.d.ended


@pytest.mark.req("CONS-12", "CONSROLE-07", "CONSROLE-15", "CONFROLE-07", "CONFROLE-14", "CONF-05", "XFER-11")
@pytest.mark.parametrize("state", WITH_BEN)
def test_transfer_to_the_consulted_agent_leaves_him_with_the_customer_and_agent_1_wraps_up(
    state: InteractionState,
) -> None:
    talk = Talk().to(state)
    leg = talk.leg(ANNA)
    assert talk.act(Action.COMPLETE_TRANSFER).code == "ok"
    assert talk.hears() == [{"customer", BEN}]
    assert leg in talk.d.hung_up()
    assert (talk.d.state_of(ANNA), talk.d.state_of(BEN)) == ("wrap_up", "connected")
    assert talk.d.interaction(talk.id).role_of(BEN) is Role.OWNER
    talk.d.hang_up("leg_c1")
    assert talk.d.state_of(BEN) == "wrap_up"
    assert len(talk.d.told(EventType.INTERACTION_ENDED)) == 1


@pytest.mark.req("CONSROLE-03", "CONSROLE-09", "CONSROLE-17", "CONFROLE-03", "CONFROLE-08", "CONFROLE-15")
@pytest.mark.parametrize("state", WITH_BEN)
def test_when_the_customer_leaves_it_is_over_agent_1_wraps_up_and_agent_2_does_not(state: InteractionState) -> None:
    talk = Talk().to(state)
    legs = {talk.leg(ANNA), talk.leg(BEN)}
    talk.d.hang_up("leg_c1")
    assert talk.d.ended[talk.id].result is Result.ANSWERED
    assert legs <= set(talk.d.hung_up())
    assert (talk.d.state_of(ANNA), talk.d.state_of(BEN)) == ("wrap_up", "available")


@pytest.mark.req("CONSROLE-10", "CONFROLE-09")
@pytest.mark.parametrize(
    ("state", "how"), [*((s, how) for s in WITH_BEN for how in ("end", "phone")), (S.CONFERENCE, "end conference")]
)
def test_agent_1_may_end_everything(state: InteractionState, how: str) -> None:
    talk = Talk().to(state)
    legs = {"leg_c1", talk.leg(BEN)}
    if how == "phone":
        talk.d.hang_up(talk.leg(ANNA))
    elif how == "end":
        talk.order(EndInteraction)
    else:
        talk.act(Action.END_CONFERENCE)
    assert legs <= set(talk.d.hung_up())
    assert talk.d.ended[talk.id].ended_by == ANNA
    assert (talk.d.state_of(ANNA), talk.d.state_of(BEN)) == ("wrap_up", "available")


def test_ending_while_a_consult_still_rings_stops_the_ringing() -> None:
    talk = Talk().to(S.CONSULT_REQUESTED)
    leg = talk.leg(BEN)
    talk.order(EndInteraction)
    assert leg in talk.d.hung_up()
    assert talk.d.state_of(BEN) == "available"
    assert not [k for k in talk.d.world.state.timers if k.startswith("offer")]


# ---------------------------------------------------------------------- blind transfer


@pytest.mark.req("XFER-01", "XFER-02", "XFER-10", "XFER-11")
def test_a_blind_transfer_rings_the_named_agent_while_agent_1_wraps_up() -> None:
    talk = Talk()
    assert talk.order(Transfer, to_agent=BEN).code == "ok"
    assert talk.d.state_of(ANNA) == "wrap_up"
    assert talk.hears() == [{"customer", "music"}]
    assert talk.d.offered(talk.id) == (BEN,)
    talk.d.answer(talk.id, BEN)
    assert talk.hears() == [{"customer", BEN}]


@pytest.mark.req("XFER-08")
@pytest.mark.parametrize("outcome", [None, DialOutcome.REJECTED])
def test_a_blind_transfer_that_is_not_accepted_drops_the_call(outcome: DialOutcome | None) -> None:
    talk = Talk()
    talk.order(Transfer, to_agent=BEN)
    if outcome:
        talk.d.fail(talk.id, BEN, outcome)
    else:
        talk.d.advance(20)
    assert talk.d.ended[talk.id].ended_by == "server"
    assert "leg_c1" in talk.d.hung_up()
    assert talk.d.state_of(BEN) == "rona"


def test_a_blind_transfer_that_is_not_accepted_waits_in_its_queue_where_so_configured() -> None:
    talk = Talk(centre(unanswered_transfer=UnansweredTransfer.QUEUE))
    entered = talk.d.interaction(talk.id).entered_at_ms
    talk.order(Transfer, to_agent=BEN)
    talk.d.advance(20)
    assert (talk.state, talk.d.interaction(talk.id).entered_at_ms) == (S.QUEUED, entered)
    assert talk.d.state_of(BEN) == "rona"


@pytest.mark.req("XFER-02", "A22")
def test_a_transfer_to_a_queue_keeps_the_place_and_the_clocks_apart() -> None:
    talk = Talk(centre(queue("help", max_wait_s=60)))
    entered = talk.d.interaction(talk.id).entered_at_ms
    for name in (BEN, CLEO):
        talk.d.order(GoIdle, agent_id=name, reason="break")
    talk.d.now_ms += 100_000
    assert talk.order(Transfer, to_queue="help").code == "ok"
    assert (talk.state, talk.d.interaction(talk.id).queue) == (S.QUEUED, "help")
    assert talk.d.interaction(talk.id).entered_at_ms == entered
    talk.d.advance(59)
    assert talk.state is S.QUEUED
    talk.d.available(BEN)
    talk.d.answer(talk.id, BEN)
    talk.d.now_ms += 5_000
    talk.d.hang_up("leg_c1")
    (ended,) = talk.d.told(EventType.INTERACTION_ENDED)
    assert 104_000 < ended.values["talked_ms"] < 106_000  # type: ignore[operator]
    assert 58_000 < ended.values["waited_ms"] < 61_000  # type: ignore[operator]


def test_a_queue_asks_the_colleagues_before_the_one_who_sent_the_call_there() -> None:
    talk = Talk(config([agent(ANNA), agent(BEN)], [queue(ring_timeout_s=10)]))
    talk.order(Transfer, to_queue="sales")
    assert talk.d.offered(talk.id) == (BEN,)
    talk.d.advance(59)
    assert (talk.d.state_of(BEN), talk.d.offered(talk.id)) == ("rona", ())
    talk.d.advance(1)
    assert talk.d.offered(talk.id) == (ANNA,)


def entry_points() -> dict[str, EntryPoint]:
    own = (
        CadVariable(name="case", label="Case", type=CadType.INTEGER),
        CadVariable(name="tier", label="Tier", type=CadType.INTEGER),
    )
    return {
        "sales": EntryPoint(id="sales", queue="sales"),
        "second": EntryPoint(id="second", queue="sales", priority=9, cad=own),
    }


@pytest.mark.req("EP-03", "EP-04", "EP-05")
def test_an_entry_point_transfer_carries_what_has_the_same_name_and_type() -> None:
    talk = Talk(centre(entry_points=entry_points()))
    assert talk.order(Transfer, to_entry_point="second").code == "ok"
    moved = talk.d.interaction(talk.id)
    assert moved.cad == {"case": "7", "card": "4111"}
    assert (moved.entry_point, moved.priority) == ("second", 9)
    assert talk.order(Transfer, to_entry_point="nowhere").code != "ok"


@pytest.mark.req("EP-07", "EP-08")
def test_it_never_comes_back_to_the_agent_who_transferred_it() -> None:
    queues: dict[str, Queue] = {"sales": queue(max_wait_s=300, ring_timeout_s=10)}
    two = config([agent(ANNA), agent(BEN)], list(queues.values()), entry_points=entry_points())
    talk = Talk(two)
    talk.order(Transfer, to_entry_point="second")
    assert talk.d.offered(talk.id) == (BEN,)
    talk.d.advance(10)
    assert talk.d.state_of(ANNA) == "available"
    assert talk.d.offered(talk.id) == ()
    talk.d.apply(two)
    assert talk.d.offered(talk.id) == ()
    talk.d.advance(290)
    assert talk.d.ended[talk.id].result is Result.TIMEOUT


def test_hang_ups_are_said_once_per_leg_in_every_ending() -> None:
    for state in WITH_BEN:
        talk = Talk().to(state)
        talk.order(EndInteraction)
        legs = [c.leg_id for c in talk.d.commands if isinstance(c, HangUpLeg)]
        assert len(legs) == len(set(legs))


def test_an_agent_in_a_consult_is_engaged_and_gets_no_calls() -> None:
    talk = Talk().to(S.CONSULTING)
    assert talk.d.world.agent(BEN).engagements[talk.id].state is EngagementState.CONSULTING
    assert talk.d.world.unavailable_because(BEN) == "consulting"
