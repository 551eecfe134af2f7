"""Seats: agents whose telephones are up before there is a contact, and who comes first (PROG-07, DIALER-10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core.agent import AgentState
from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import Blend, DialMode
from routing.core.commands import DialLeg, SetRecording
from routing.core.config import Profile
from routing.core.events import EventType
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialOutcome,
    EndedBy,
    LegEnded,
    LegState,
    LinkLost,
    LinkRestored,
    PhoneState,
    SnapshotLeg,
)
from routing.core.guard import allowed_actions
from routing.core.interaction import InteractionState
from routing.core.orders import (
    ControlCampaign,
    EndInteraction,
    FinishWrapUp,
    GoIdle,
    JoinCampaign,
    LeaveCampaign,
    SignOut,
)
from routing.core.record import RecordState
from routing.core.recording import RecordingState
from routing.core.roles import Action
from routing.core.tallies import AGENT, QUEUE, Count, Figures
from tests.unit.campaign_line import ANNA, BEN, CALLER, centre
from tests.unit.core_driver import queue
from tests.unit.customers_line import PROMPTS, Outbound, numbered, paced, seated

S = InteractionState
PROGRESSIVE = DialMode.PROGRESSIVE


def line(mode: DialMode = DialMode.PREDICTIVE, **changes: Any) -> Outbound:
    keep = {name: changes.pop(name) for name in ("agents", "records") if name in changes}
    return Outbound(seated(mode, **changes), **keep)


def talking() -> tuple[Outbound, str]:
    """Anna has come from her seat to a contact."""
    found = line(records=numbered(2)).sits().dial(1)
    return found, found.answers()


# ---------------------------------------------------------------------- taking a seat


@pytest.mark.req("PROG-07")
def test_ready_agents_are_seated_with_an_empty_record() -> None:
    found = line(records=[])
    seats = [found.seat(agent_id) for agent_id in (ANNA, BEN)]
    assert [(seat.kind, seat.state) for seat in seats] == [("seat", S.CALLING_AGENT)] * 2
    assert [seat.campaign.record_id for seat in seats if seat.campaign] == ["", ""]
    assert {e.values["label"] for e in found.d.told(EventType.OFFER_RESERVED)} == {"campaign seat"}
    found.sits()
    assert (found.d.state_of(ANNA), found.seat().state) == ("seated", S.SEATED)
    (room,) = found.seat().rooms
    assert (room.legs, room.music) == ((found.d.leg_of(found.seat().id, ANNA),), "")
    told = [(e.agent_id, e.values["campaign"]) for e in found.d.told(EventType.SEAT_TAKEN)]
    assert told == [(ANNA, "spring"), (BEN, "spring")]
    assert not found.d.told(EventType.RECORD_SHOWN)


def test_a_seat_is_no_call_for_anybody_else() -> None:
    found = line(records=[]).sits()
    assert not found.d.told(EventType.INTERACTION_ARRIVED, EventType.PARTY_JOINED, EventType.INTERACTION_CONNECTED)
    assert found.d.world.customer_calls == 0
    found.d.order(GoIdle, agent_id=ANNA, reason="break")
    assert not found.d.told(EventType.INTERACTION_ENDED, EventType.PARTY_LEFT, EventType.WRAP_UP_STARTED)


@pytest.mark.req("ROUTE-13")
def test_a_seat_is_ready_time_and_no_offer_of_a_queue() -> None:
    found = line(records=[]).sits()
    found.d.advance(60)
    found.d.order(GoIdle, agent_id=ANNA, reason="break")
    figures = found.d.world.state.figures[AGENT + ANNA]
    assert isinstance(figures, Figures)
    counts = figures.day(found.d.now_ms)
    assert counts[Count.READY_MS] >= 60_000
    assert (counts[Count.OFFERED], counts[Count.HANDLED], counts[Count.TALK_MS]) == (0, 0, 0)
    assert QUEUE + "calls" not in found.d.world.state.figures


@pytest.mark.req("STATE-05", "STATE-06")
def test_who_does_not_take_his_seat_is_rona_and_not_rung_again() -> None:
    found = line(records=[])
    seat = found.seat()
    found.d.advance(15)
    assert (found.d.state_of(ANNA), seat.id in found.d.world.state.interactions) == ("rona", False)
    found.d.advance(600)
    assert found.d.dialed().count("PJSIP/anna") == 1
    found.d.available(ANNA)
    assert found.seat().state is S.CALLING_AGENT


@pytest.mark.req("SAFE-05")
@pytest.mark.parametrize("how", ["busy", "refused", "unknown"])
def test_a_telephone_that_fails_is_left_alone_for_a_while(how: str) -> None:
    found = line(records=[], agents=(ANNA,))
    seat = found.seat()
    if how == "busy":
        found.d.fail(seat.id, ANNA, DialOutcome.BUSY)
    else:
        outcome = CommandOutcome.REFUSED if how == "refused" else CommandOutcome.UNKNOWN
        found.d.give(CommandEnded(pbx="a", command_id=seat.offers[0].id, outcome=outcome))
    assert found.d.state_of(ANNA) == "available"
    found.d.advance(9)
    assert found.d.dialed().count("PJSIP/anna") == 1
    found.d.advance(1)
    assert found.d.dialed().count("PJSIP/anna") == 2


@pytest.mark.req("STATE-06")
def test_who_puts_his_telephone_down_is_not_rung_again_before_he_says_so() -> None:
    found = line(records=[]).sits()
    seat = found.seat()
    leg = found.d.leg_of(seat.id, ANNA)
    found.d.give(LegEnded(pbx="a", leg_id=leg, ended_by=EndedBy.REMOTE))
    assert found.d.state_of(ANNA) == "rona"
    (left,) = found.d.told(EventType.SEAT_LEFT)
    assert (left.agent_id, left.values["why"]) == (ANNA, "hung_up")
    found.d.advance(60)
    assert found.d.dialed().count("PJSIP/anna") == 1


@pytest.mark.req("SAFE-01")
def test_a_seat_that_is_gone_after_a_lost_link_is_nobodys_fault() -> None:
    found = line(records=[], agents=(ANNA,)).sits(ANNA)
    found.d.give(LinkLost(pbx="a"))
    found.d.give(LinkRestored(pbx="a", phones={"PJSIP/anna": PhoneState.FREE}))
    assert found.d.state_of(ANNA) == "available"
    found.d.advance(10)
    found.sits(ANNA)
    assert found.d.state_of(ANNA) == "seated"


@pytest.mark.req("SAFE-01")
def test_a_seat_that_lives_on_is_kept_over_a_lost_link() -> None:
    found = line(records=[], agents=(ANNA,)).sits(ANNA)
    seat = found.seat()
    leg = SnapshotLeg(leg_id=found.d.leg_of(seat.id, ANNA), interaction_id=seat.id, state=LegState.UP)
    found.d.give(LinkLost(pbx="a"))
    found.d.give(LinkRestored(pbx="a", legs=(leg,), phones={"PJSIP/anna": PhoneState.BUSY}))
    assert found.seat().id == seat.id
    assert found.d.state_of(ANNA) == "seated"


# ---------------------------------------------------------------------- leaving it


@pytest.mark.parametrize("how", ["idle", "leave", "pause", "stop", "sign_out", "team", "removed", "mode"])
@pytest.mark.parametrize("is_seated", [True, False])
def test_a_seat_lasts_as_long_as_its_agent_is_free_and_the_campaign_runs(how: str, is_seated: bool) -> None:
    found = line(records=[], agents=(ANNA,))
    if is_seated:
        found.sits(ANNA)
    leg = found.d.leg_of(found.seat().id, ANNA)
    config = found.d.world.config
    match how:
        case "idle":
            found.d.order(GoIdle, agent_id=ANNA, reason="break")
        case "leave":
            found.d.order(LeaveCampaign, agent_id=ANNA, campaign="spring")
        case "pause" | "stop":
            found.control(CampaignTrigger(how))
        case "sign_out":
            assert found.d.order(SignOut, agent_id=ANNA).code == "ok"
        case "team":
            found.d.apply(replace(config, campaigns={"spring": replace(config.campaigns["spring"], teams=())}))
        case "removed":
            found.d.apply(replace(config, agents={BEN: config.agents[BEN]}))
        case "mode":
            found.d.apply(
                replace(config, campaigns={"spring": replace(config.campaigns["spring"], seize_agents=False)})
            )
    assert not [i for i in found.d.world.state.interactions.values() if i.kind == "seat"]
    assert leg in found.d.hung_up()
    agent = found.d.world.state.agents.get(ANNA)
    assert agent is None or not agent.engagements
    assert len(found.d.told(EventType.SEAT_LEFT)) == is_seated


@pytest.mark.req("DIALER-05", "DIALER-07")
def test_paused_whom_it_was_calling_still_finds_a_seat_and_the_others_are_let_go() -> None:
    found = line(records=numbered(3)).sits().dial(1)
    found.control(CampaignTrigger.PAUSE)
    assert [found.d.state_of(agent_id) for agent_id in (ANNA, BEN)] == ["seated", "available"]
    of = found.answers()
    assert (found.state(of), found.d.state_of(ANNA)) == (S.CONNECTED, "connected")
    assert found.ready() == ["rec_2", "rec_3"]


def test_paused_the_last_seat_is_let_go_when_nobody_is_called_any_more() -> None:
    found = line(records=numbered(3)).sits().dial(1)
    found.control(CampaignTrigger.PAUSE)
    found.fails(DialOutcome.NO_ANSWER)
    assert [found.d.state_of(agent_id) for agent_id in (ANNA, BEN)] == ["available"] * 2


def test_signing_out_is_refused_in_rona_and_the_seat_is_as_it_was() -> None:
    found, of = talking()
    assert found.d.order(SignOut, agent_id=ANNA).code == "agent-engaged"
    assert found.state(of) is S.CONNECTED


@pytest.mark.req("PROG-10")
def test_a_seated_agent_can_do_nothing_with_his_seat() -> None:
    found = line(records=[]).sits()
    seat, before = found.seat(), len(found.d.commands)
    assert found.d.order(EndInteraction, agent_id=ANNA, interaction_id=seat.id).code == "action-not-allowed"
    assert len(found.d.commands) == before


# ---------------------------------------------------------------------- a contact


@pytest.mark.req("PROG-07", "PROG-09", "PROG-01")
def test_the_agents_leg_moves_to_the_contact_who_has_answered() -> None:
    found = line().sits()
    seat = found.seat()
    leg = found.d.leg_of(seat.id, ANNA)
    found.dial(1)
    assert not found.d.told(EventType.RECORD_SHOWN), "it is shown when the contact is there, not before"
    told_before = len(found.d.told(EventType.AGENT_STATE_CHANGED))
    of = found.answers()
    assert (found.state(of), found.party(of), found.d.leg_of(of, ANNA)) == (S.CONNECTED, ANNA, leg)
    assert found.d.rooms().rooms[0].legs == (found.d.interaction(of).customer_leg, leg)
    assert leg not in found.d.hung_up()
    assert seat.id not in found.d.world.state.interactions
    assert found.d.world.interaction_of(leg) == found.d.interaction(of)
    assert set(found.d.world.agent(ANNA).engagements) == {of}
    states = [e.values["state"] for e in found.d.told(EventType.AGENT_STATE_CHANGED)[told_before:]]
    assert states == ["connected"], "he is never seen as free in between"
    (shown,) = found.d.told(EventType.RECORD_SHOWN)
    assert (shown.agent_id, shown.values["record_id"]) == (ANNA, "rec_1")
    assert found.outcome()["wait_ms"] == 0
    assert not [k for k in found.d.world.state.timers if seat.id in k or k.startswith("reached")]


@pytest.mark.req("PROG-07")
def test_who_has_been_seated_longest_gets_the_contact() -> None:
    found = line(records=numbered(2)).sits(BEN).sits(ANNA).dial(2)
    assert found.party(found.answers()) == BEN
    assert found.party(found.answers("rec_2")) == ANNA


@pytest.mark.req("PROG-10", "PROG-07")
def test_after_wrap_up_he_gets_a_new_seat() -> None:
    found, of = talking()
    found.d.order(EndInteraction, agent_id=ANNA, interaction_id=of)
    assert found.d.state_of(ANNA) == "wrap_up"
    found.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    assert found.seat().state is S.CALLING_AGENT
    assert found.d.world.agent(ANNA).calls == 1


@pytest.mark.req("PROG-10")
def test_a_contact_from_a_seat_is_a_call_with_all_its_actions() -> None:
    found, of = talking()
    reply = found.d.order(EndInteraction, agent_id=BEN, interaction_id=of)
    assert reply.code == "agent-not-engaged"
    agent = found.d.world.agent(ANNA)
    allowed = allowed_actions(found.d.world.config, found.d.interaction(of), agent, agent.engagements[of])
    assert {Action.HOLD, Action.END, Action.CONSULT, Action.TRANSFER, Action.MARK_DONE, Action.DISPOSE} <= allowed


@pytest.mark.req("REC-01", "REC-08")
def test_a_call_from_a_seat_is_recorded_and_the_waiting_before_it_is_silent() -> None:
    config = replace(centre(seated(), profile=replace(CALLER, record=True)), prompts=PROMPTS)
    found = Outbound(configuration=config, agents=(ANNA,)).sits(ANNA)
    seat = found.seat()
    leg = found.d.leg_of(seat.id, ANNA)
    file = f"{seat.id}-{leg}"
    asked = [c for c in found.d.commands if isinstance(c, SetRecording)]
    assert [(c.file, c.state) for c in asked] == [(file, RecordingState.PAUSED)]
    assert not found.d.told(EventType.RECORDING_STARTED)
    of = found.dial(1).answers()
    assert [c.state for c in found.d.commands if isinstance(c, SetRecording)][-1] is RecordingState.RECORDING
    (started,) = found.d.told(EventType.RECORDING_STARTED)
    assert (started.interaction_id, started.values["file"]) == (of, file)


def test_a_contact_waits_for_a_seat_and_gets_the_next_one() -> None:
    found = line(pacing=paced(max_wait_ms=5_000), records=numbered(3), agents=(ANNA,)).sits(ANNA).dial(2)
    first, second = found.answers(), found.answers("rec_2")
    assert (found.party(first), found.state(second)) == (ANNA, S.REACHED)
    found.d.order(EndInteraction, agent_id=ANNA, interaction_id=first)
    found.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    assert found.state(second) is S.REACHED
    found.sits(ANNA)
    assert found.party(second) == ANNA


# ---------------------------------------------------------------------- progressive


@pytest.mark.req("DIALER-01", "PROG-07", "CAMP-07")
def test_progressive_with_seats_calls_one_contact_for_each_who_waits() -> None:
    found = line(PROGRESSIVE)
    assert not found.checks(), "nobody waits yet"
    found.sits(ANNA)
    assert [c.interaction_id for c in found.checks()] == ["rec_1"]
    found.allow()
    found.sits(BEN)
    found.allow_all()
    assert [found.record(id_).agent_id for id_ in ("rec_1", "rec_2")] == [ANNA, BEN]
    assert len(found.dialed()) == 2
    found.d.advance(5)
    assert len(found.checks()) == 2
    assert found.party(found.answers("rec_2")) == BEN
    found.fails(DialOutcome.BUSY)
    assert found.checks()[-1].interaction_id == "rec_3", "Anna waits still"


@pytest.mark.req("DIALER-05")
def test_a_kept_seat_is_for_its_own_contact() -> None:
    found = line(PROGRESSIVE, records=numbered(2)).sits(ANNA, BEN)
    found.allow_all()
    assert [found.party(found.answers(id_)) for id_ in ("rec_2", "rec_1")] == [BEN, ANNA]


@pytest.mark.req("DIALER-05")
def test_a_contact_whose_agent_has_gone_does_not_take_the_seat_that_is_kept_for_another() -> None:
    found = line(PROGRESSIVE, records=numbered(2)).sits(ANNA, BEN)
    found.allow_all()
    found.d.order(GoIdle, agent_id=ANNA, reason="break")
    first = found.answers()
    assert (found.state(first), found.d.state_of(BEN)) == (S.REACHED, "seated")
    assert found.party(found.answers("rec_2")) == BEN


@pytest.mark.req("DIALER-05")
def test_a_contact_whose_agent_has_gone_gets_another_one_or_the_message() -> None:
    found = line(PROGRESSIVE, records=numbered(1)).sits(ANNA, BEN)
    found.allow_all()
    found.d.order(GoIdle, agent_id=ANNA, reason="break")
    assert found.party(found.answers()) == BEN
    found = line(PROGRESSIVE, records=numbered(1), agents=(ANNA,)).sits(ANNA)
    found.allow_all()
    found.d.order(GoIdle, agent_id=ANNA, reason="break")
    found.answers()
    found.d.advance(2)
    assert found.outcome()["result"] == "dropped"


def test_a_contact_is_not_dialed_when_his_agent_has_gone_while_it_was_asked() -> None:
    found = line(PROGRESSIVE, records=numbered(1), agents=(ANNA,)).sits(ANNA)
    found.d.order(GoIdle, agent_id=ANNA, reason="break")
    found.allow()
    assert (found.dialed(), found.record().state) == ([], RecordState.READY)


@pytest.mark.req("DIALER-07")
def test_who_was_dropped_is_called_for_an_agent_who_is_kept_for_him() -> None:
    far_ms = 1_900_000_000_000
    found = line(PROGRESSIVE, records=numbered(1, reserve_until_ms=far_ms), agents=(ANNA,)).sits(ANNA)
    found.allow()
    assert found.record().agent_id == ANNA
    waits = line(records=numbered(1, reserve_until_ms=far_ms), agents=(ANNA,)).sits(ANNA)
    assert waits.pace(1).values["begun"] == 0


@pytest.mark.req("DIALER-10")
@pytest.mark.parametrize("rules", [{"min_agents": 3}, {"cap": 0.0}])
@pytest.mark.parametrize("has_seats", [True, False])
def test_few_agents_or_a_cap_of_zero_mean_one_call_each(rules: dict[str, Any], has_seats: bool) -> None:
    found = Outbound(seated(seize_agents=has_seats, pacing=paced(**rules)))
    if has_seats:
        found.sits()
    reply = found.pace(100)
    assert (reply.values["begun"], reply.values["clipped_progressive"]) == (0, 100)
    found.allow_all()
    assert len(found.dialed()) == 2, "as many as there are agents"
    found.d.advance(5)
    assert len(found.checks()) == 2
    found.fails(DialOutcome.BUSY)
    assert len(found.checks()) == 3


# ---------------------------------------------------------------------- callers and contacts


def blended(blend: Blend, **changes: Any) -> Outbound:
    rules = seated(blend=blend)
    queues = {q.id: q for q in (queue("sales", **changes), queue("calls"))}
    config = replace(centre(rules), prompts=PROMPTS, queues=queues)
    return Outbound(configuration=config, records=[]).sits()


@pytest.mark.req("DIALER-10")
def test_inbound_first_a_waiting_caller_frees_who_has_been_seated_longest() -> None:
    found = blended(Blend.INBOUND_FIRST)
    leg = found.d.leg_of(found.seat().id, ANNA)
    caller = found.d.call()
    assert (found.d.offered(caller), leg in found.d.hung_up()) == ((ANNA,), True)
    assert found.d.state_of(BEN) == "seated", "one is enough"
    assert [e.values["why"] for e in found.d.told(EventType.SEAT_LEFT)] == ["inbound"]


@pytest.mark.req("DIALER-10")
def test_a_telephone_that_is_just_being_hung_up_for_a_caller_frees_nobody_else() -> None:
    found = blended(Blend.INBOUND_FIRST)
    for agent_id in (ANNA, BEN):
        found.d.phone(agent_id, PhoneState.BUSY)
    caller = found.d.call()
    found.d.phone(BEN, PhoneState.BUSY)  # anything that happens
    assert (found.d.offered(caller), found.d.state_of(ANNA), found.d.state_of(BEN)) == ((), "available", "seated")
    found.d.phone(ANNA, PhoneState.FREE)
    assert found.d.offered(caller) == (ANNA,)


class _Counted(dict[str, Any]):
    """Counts how often all of it was gone through."""

    read = 0

    def values(self) -> Any:
        self.read += 1
        return super().values()


@pytest.mark.parametrize("action", [CampaignTrigger.PAUSE, CampaignTrigger.STOP])
def test_where_nobody_is_seated_callers_who_wait_are_not_gone_through(action: CampaignTrigger) -> None:
    found = blended(Blend.SERVICE_LEVEL, requires=(("spanish", 5),))
    found.d.call()
    found.control(action)
    calls = found.d.world.state.interactions = _Counted(found.d.world.state.interactions)
    found.d.phone(BEN, PhoneState.FREE)
    assert calls.read == 0


@pytest.mark.req("DIALER-10")
def test_campaign_first_nobody_is_freed_for_a_caller() -> None:
    found = blended(Blend.CAMPAIGN_FIRST)
    caller = found.d.call()
    found.d.advance(60)
    assert found.d.offered(caller) == ()
    assert found.d.state_of(ANNA) == "seated"


@pytest.mark.req("DIALER-10")
def test_by_service_level_a_seat_is_freed_when_the_queue_is_below_it() -> None:
    found = blended(Blend.SERVICE_LEVEL)
    caller = found.d.call()
    found.d.advance(20)
    assert found.d.offered(caller) == ()
    found.d.advance(1)
    found.d.phone(BEN, PhoneState.BUSY)  # anything that happens
    assert found.d.offered(caller) == (ANNA,)


@pytest.mark.req("DIALER-10")
def test_a_seat_is_not_freed_for_a_caller_whom_its_agent_cannot_take() -> None:
    found = blended(Blend.INBOUND_FIRST, requires=(("spanish", 5),))
    caller = found.d.call()
    assert (found.d.offered(caller), found.d.state_of(ANNA), found.d.state_of(BEN)) == ((), "seated", "seated")


@pytest.mark.req("DIALER-10")
def test_a_kept_seat_is_not_freed_for_a_caller() -> None:
    config = replace(centre(seated(PROGRESSIVE)), prompts=PROMPTS)
    found = Outbound(configuration=config, records=numbered(1), agents=(ANNA,)).sits(ANNA)
    caller = found.d.call()
    assert (found.d.offered(caller), found.d.state_of(ANNA)) == ((), "seated")


def test_an_agent_who_only_works_for_campaigns_is_seated_and_gets_no_callers() -> None:
    config = replace(centre(seated(), profile=replace(CALLER, receive_calls=False)), prompts=PROMPTS)
    found = Outbound(configuration=config, records=[]).sits()
    caller = found.d.call()
    assert (found.d.offered(caller), found.d.state_of(ANNA)) == ((), "seated")
    assert isinstance(found.d.world.config.profiles["caller"], Profile)


def test_an_agent_of_two_campaigns_has_one_seat() -> None:
    rules = seated()
    config = replace(centre(rules, replace(rules, id="autumn", label="Autumn")), prompts=PROMPTS)
    found = Outbound(configuration=config, records=[], agents=(ANNA,))
    for action in (CampaignTrigger.LOAD, CampaignTrigger.START):
        found.d.order(ControlCampaign, campaign="autumn", action=action)
    found.d.order(JoinCampaign, agent_id=ANNA, campaign="autumn")
    found.sits(ANNA)
    assert [c.phone for c in found.d.commands if isinstance(c, DialLeg)] == ["PJSIP/anna"]
    assert found.d.world.agent(ANNA).state is AgentState.AVAILABLE
