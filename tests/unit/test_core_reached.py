"""A contact has answered before an agent was his: an agent in time, or a message; and both measures (DIALER-05..09)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core.campaign import CampaignCall, CampaignTrigger, DropDay, Verdict
from routing.core.campaign_rules import AttemptResult, DialMode, MachineRules, OnMachine
from routing.core.compliance import COMPLIANCE_MS, judge
from routing.core.config import Result
from routing.core.events import EventType
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialOutcome,
    LegState,
    LinkLost,
    LinkRestored,
    MachineVerdict,
    PromptOutcome,
    SnapshotLeg,
)
from routing.core.interaction import InteractionState
from routing.core.orders import EndInteraction, FinishWrapUp, GoIdle, LeaveCampaign
from routing.core.record import RecordState
from tests.unit.campaign_line import ANNA, BEN, OTHER, card
from tests.unit.customers_line import PACING, Outbound, numbered, paced, predictive

S = InteractionState
LISTENS = MachineRules(is_on=True, deadline_ms=1500, message="please_call")


def machines(**changes: Any) -> Outbound:
    rules = changes.pop("rules", None) or replace(LISTENS, **changes)
    return Outbound(predictive(machines=rules), records=numbered(2))


def nobody(**changes: Any) -> Outbound:
    """Whoever answers finds no agent."""
    line = Outbound(predictive(**changes), agents=(ANNA,), records=numbered(3)).dial(2)
    line.d.order(GoIdle, agent_id=ANNA, reason="break")
    return line


# ---------------------------------------------------------------------- the two measures


@pytest.mark.req("DIALER-06")
@pytest.mark.parametrize(
    ("waited_ms", "result", "hung_up", "dropped"),
    [
        (0, AttemptResult.ANSWERED, 0, 0),
        (2000, AttemptResult.ANSWERED, 0, 0),
        (5000, AttemptResult.ANSWERED, 0, 1),
        (5000, AttemptResult.ABANDONED, 1, 1),
        (1000, AttemptResult.ABANDONED, 1, 0),
        (2000, AttemptResult.DROPPED, 0, 1),
        (500, AttemptResult.DROPPED, 0, 1),
    ],
)
def test_true_abandons_and_compliance_abandons_are_kept_apart(
    waited_ms: int, result: AttemptResult, hung_up: int, dropped: int
) -> None:
    call = CampaignCall(campaign="c", mode=DialMode.PREDICTIVE, reached_at_ms=10_000)
    day = judge(call, result, 10_000 + waited_ms)
    assert day == DropDay(attempts=1, live=1, dropped=dropped, hung_up=hung_up)


@pytest.mark.req("DIALER-06", "DIALER-09")
@pytest.mark.parametrize(
    ("verdict", "live", "dropped", "found"),
    [(Verdict.MACHINE, 0, 0, 1), (Verdict.UNKNOWN, 1, 1, 0), (Verdict.NONE, 1, 1, 0), (Verdict.HUMAN, 1, 1, 0)],
)
def test_who_answered_is_a_person_unless_detection_says_otherwise(
    verdict: Verdict, live: int, dropped: int, found: int
) -> None:
    call = CampaignCall(campaign="c", mode=DialMode.PREDICTIVE, reached_at_ms=10_000, verdict=verdict)
    day = judge(call, AttemptResult.MACHINE, 10_500)
    assert (day.live, day.dropped, day.machines) == (live, dropped, found)


@pytest.mark.req("DIALER-06")
@pytest.mark.parametrize(
    ("max_wait_ms", "waits_s", "then", "expected"),
    [
        (10_000, 1, "agent", (1, 1, 0, 0, 0)),
        (10_000, 5, "agent", (1, 1, 1, 0, 0)),
        (10_000, 5, "hangs_up", (1, 1, 1, 1, 0)),
        (10_000, 1, "hangs_up", (1, 1, 0, 1, 0)),
        (2_000, 5, "waits", (1, 1, 1, 0, 0)),
        (1_000, 2, "waits", (1, 1, 1, 0, 0)),
    ],
)
def test_both_measures_are_counted_once_per_call(
    max_wait_ms: int, waits_s: float, then: str, expected: tuple[int, ...]
) -> None:
    line = nobody(pacing=paced(max_wait_ms=max_wait_ms))
    of = line.answers()
    line.d.advance(waits_s)
    if then == "hangs_up":
        line.hangs_up(of)
    elif then == "agent":
        line.d.available(ANNA)
        line.picks_up(of, ANNA)
        assert line.outcome()["result"] == "answered"
    attempts, live, dropped, hung_up, found = line.dials()
    assert (attempts, live, dropped, hung_up, found) == expected
    told = line.outcome()
    assert (int(bool(told["is_dropped"])), int(bool(told["is_hung_up"]))) == (dropped, hung_up)


# ---------------------------------------------------------------------- an agent in time


@pytest.mark.req("PROG-01", "PROG-09", "DIALER-01")
def test_a_contact_who_answers_gets_the_agent_who_has_been_available_longest() -> None:
    line = Outbound().dial(1)
    of = line.answers()
    assert (line.state(of), line.d.offered(of)) == (S.REACHED, (ANNA,))
    (ringing,) = line.d.interaction(of).offers
    assert next(c for c in line.d.commands if c.id == ringing.id).joins == line.d.interaction(of).customer_leg  # type: ignore[union-attr]
    line.d.now_ms += 900
    line.picks_up(of)
    assert (line.state(of), line.party(of), line.d.state_of(ANNA)) == (S.CONNECTED, ANNA, "connected")
    assert line.record().state is RecordState.TALKING
    assert (line.record().agent_id, line.outcome()["result"], line.outcome()["wait_ms"]) == (ANNA, "answered", 900)
    (shown,) = line.told(EventType.RECORD_SHOWN, "rec_1")
    assert (shown.agent_id, shown.values["name"], shown.interaction_id) == (ANNA, "Carla", of)
    types = [e.type for e in line.d.events]
    assert types.index(EventType.INTERACTION_CONNECTED) < types.index(EventType.RECORD_SHOWN)


def test_a_call_that_was_answered_ends_as_any_other_with_wrap_up() -> None:
    line = Outbound(records=numbered(1)).dial(1)
    of = line.answers()
    line.picks_up(of)
    line.d.now_ms += 30_000
    line.d.order(EndInteraction, agent_id=ANNA, interaction_id=of)
    assert line.d.ended[of].result is Result.ANSWERED
    assert line.d.state_of(ANNA) == "wrap_up"
    (ended,) = [e for e in line.d.told(EventType.INTERACTION_ENDED) if e.interaction_id == of]
    assert (ended.values["talked_ms"], ended.values["kind"]) == (30_000, "campaign")
    assert not line.d.told(EventType.INTERACTION_QUEUED)
    assert len(line.told(EventType.ATTEMPT_ENDED)) == 1


@pytest.mark.req("STATE-05")
def test_an_agent_who_does_not_take_it_is_rona_and_the_next_one_is_rung() -> None:
    line = Outbound().dial(1)
    of = line.answers()
    line.d.fail(of, ANNA, DialOutcome.REJECTED)
    assert line.d.state_of(ANNA) == "rona"
    assert line.d.offered(of) == (BEN,)
    line.d.fail(of, BEN, DialOutcome.REJECTED)
    assert (line.state(of), line.d.offered(of)) == (S.REACHED, ())
    line.d.advance(2)
    assert line.outcome()["result"] == "dropped"


@pytest.mark.req("DIALER-05")
def test_who_has_waited_longest_gets_the_agent_who_becomes_free() -> None:
    line = nobody(pacing=paced(max_wait_ms=5_000))
    first = line.answers("rec_2")
    line.d.now_ms += 500
    second = line.answers("rec_1")
    line.d.now_ms += 500
    line.d.available(ANNA)
    assert (line.d.offered(first), line.d.offered(second)) == ((ANNA,), ())


def test_a_contact_goes_before_callers_who_wait_since_we_have_called_him() -> None:
    line = nobody(pacing=paced(max_wait_ms=5_000))
    caller = line.d.call()
    line.d.now_ms += 10_000
    of = line.answers()
    line.d.available(ANNA)
    assert (line.d.offered(of), line.d.offered(caller)) == ((ANNA,), ())


# ---------------------------------------------------------------------- nobody in time


@pytest.mark.req("DIALER-07", "DIALER-06")
def test_who_gets_no_agent_in_time_hears_the_message_and_is_let_go() -> None:
    line = nobody()
    of = line.answers()
    line.d.advance(1.9)
    assert not line.told(EventType.ATTEMPT_ENDED)
    line.d.advance(0.1)
    told = line.outcome()
    assert (told["result"], told["is_dropped"], told["is_hung_up"], told["wait_ms"]) == ("dropped", True, False, 2000)
    (play,) = line.played()
    assert (play.prompts, play.leg_id, play.after_silence_ms) == (("/sorry",), line.d.interaction(of).customer_leg, 0)
    line.message_ends()
    assert line.d.ended[of].result is Result.DROPPED
    assert play.leg_id in line.d.hung_up()
    assert line.dials() == (1, 1, 1, 0, 0)


@pytest.mark.req("DIALER-07")
def test_who_was_dropped_is_not_dialed_without_an_agent_for_three_days() -> None:
    line = nobody()
    line.answers()
    line.d.advance(2)
    released = line.released()
    until_ms = line.d.now_ms + 3 * 86_400_000
    assert (released["cause"], released["reserve_until_ms"], released["next_at_ms"]) == ("retry", until_ms, until_ms)
    again = Outbound(records=numbered(2, reserve_until_ms=line.d.now_ms + 3_600_000))
    assert again.pace(2).values["begun"] == 0
    assert again.ready() == ["rec_1", "rec_2"]
    again.d.now_ms = line.d.now_ms + 3_600_000
    assert again.pace(2).values["begun"] == 2


@pytest.mark.req("DIALER-07")
def test_an_agent_who_becomes_free_during_the_message_is_for_somebody_else() -> None:
    line = nobody()
    of = line.answers()
    line.d.advance(2)
    line.d.available(ANNA)
    assert line.d.offered(of) == ()
    assert line.d.state_of(ANNA) == "available"


@pytest.mark.req("DIALER-07")
def test_an_agent_whose_telephone_still_rings_when_the_time_is_over_is_let_go_without_blame() -> None:
    line = Outbound(agents=(ANNA,)).dial(1)
    of = line.answers()
    assert line.d.offered(of) == (ANNA,)
    leg_id = line.d.leg_of(of, ANNA)
    line.d.advance(2)
    assert (line.d.state_of(ANNA), leg_id in line.d.hung_up()) == ("available", True)
    assert line.outcome()["result"] == "dropped"


def test_who_hangs_up_during_the_message_was_dropped_and_counts_once() -> None:
    line = nobody()
    of = line.answers()
    line.d.advance(3)
    line.hangs_up(of)
    assert line.d.ended[of].result is Result.DROPPED
    assert line.dials() == (1, 1, 1, 0, 0)


def test_without_a_message_he_is_let_go_at_once() -> None:
    line = nobody(pacing=replace(PACING, message=""))
    of = line.answers()
    line.d.advance(2)
    assert line.d.ended[of].result is Result.DROPPED


@pytest.mark.req("SAFE-01")
@pytest.mark.parametrize("how", ["lost", "refused", "link"])
def test_a_message_that_nothing_is_heard_of_keeps_nobody(how: str) -> None:
    line = nobody()
    of = line.answers()
    line.d.advance(2)
    if how == "lost":
        line.d.advance(60)
    elif how == "refused":
        line.d.give(CommandEnded(pbx="a", command_id=line.played()[-1].id, outcome=CommandOutcome.REFUSED))
    else:
        leg = SnapshotLeg(leg_id=line.d.interaction(of).customer_leg, interaction_id=of, state=LegState.UP)
        line.d.give(LinkLost(pbx="a"))
        line.d.give(LinkRestored(pbx="a", legs=(leg,)))
    assert line.d.ended[of].result is Result.DROPPED


def test_one_number_is_not_dialed_while_its_contact_hears_the_message() -> None:
    line = nobody(pacing=paced(reserve_s=0))
    line.answers()
    line.d.advance(2)
    line.d.available(ANNA)
    line.add(replace(line.record("rec_3").card, id="rec_9", numbers=numbered(1)[0].numbers, priority=10))
    assert line.pace(1).values["begun"] == 1
    assert line.ready() == ["rec_9"]
    line.message_ends(outcome=PromptOutcome.FINISHED)
    line.fails(DialOutcome.BUSY, "rec_2")
    assert line.pace(1).values["begun"] == 1
    assert line.ready() == []


@pytest.mark.req("SAFE-01", "PROG-06")
def test_the_end_of_a_dropped_call_is_not_the_end_of_the_records_next_claim() -> None:
    line = nobody()
    again = replace(line.record().card, claim=8)
    of = line.answers()
    line.d.advance(2)
    line.add(again)
    line.hangs_up(of)
    assert of in line.d.ended
    assert (line.record().state, line.record().result) == (RecordState.READY, None)
    assert len(line.told(EventType.ATTEMPT_ENDED)) == 1
    assert len(line.told(EventType.RECORD_RELEASED, "rec_1")) == 1


@pytest.mark.req("SAFE-01")
def test_a_contact_who_is_gone_after_a_lost_link_has_hung_up() -> None:
    line = nobody()
    of = line.answers()
    line.d.give(LinkLost(pbx="a"))
    line.d.give(LinkRestored(pbx="a"))
    assert line.d.ended[of].result is Result.ABANDONED
    assert line.dials() == (1, 1, 0, 1, 0)


def test_who_waits_when_the_campaign_is_stopped_still_gets_his_agent_or_his_message() -> None:
    line = nobody()
    of = line.answers()
    line.control(CampaignTrigger.STOP)
    assert line.state(of) is S.REACHED
    line.d.advance(2)
    assert line.outcome()["result"] == "dropped"
    assert len(line.played()) == 1


# ---------------------------------------------------------------------- machines


@pytest.mark.req("DIALER-09")
def test_nobody_is_rung_before_it_is_known_who_has_answered() -> None:
    line = machines().dial()
    of = line.answers()
    asked = line.detection()
    assert (asked.leg_id, asked.deadline_ms, asked.interaction_id) == (line.d.interaction(of).customer_leg, 1500, of)
    assert line.d.offered(of) == ()
    line.d.now_ms += 700
    line.judged(MachineVerdict.HUMAN)
    assert line.d.offered(of) == (ANNA,)
    (told,) = line.told(EventType.ATTEMPT_REACHED)
    assert (told.values["verdict"], told.values["took_ms"], told.values["record_id"]) == ("human", 700, "rec_1")


@pytest.mark.req("DIALER-09")
def test_the_time_of_the_detection_counts_into_the_time_for_an_agent() -> None:
    line = machines()
    line.dial()
    line.d.order(GoIdle, agent_id=ANNA, reason="break")
    line.d.order(GoIdle, agent_id=BEN, reason="break")
    line.answers()
    line.d.now_ms += 1400
    line.judged(MachineVerdict.HUMAN)
    line.d.advance(0.6)
    assert (line.outcome()["result"], line.outcome()["wait_ms"]) == ("dropped", COMPLIANCE_MS)


@pytest.mark.req("DIALER-09", "DIALER-06")
@pytest.mark.parametrize("has_seats", [True, False])
def test_who_is_not_judged_when_the_time_is_over_gets_a_seat_at_once_or_is_dropped(has_seats: bool) -> None:
    line = Outbound(predictive(seize_agents=has_seats, machines=replace(LISTENS, deadline_ms=1900)))
    if has_seats:
        line.sits()
    of = line.dial().answers()
    line.d.advance(1.999)
    assert line.state(of) is S.REACHED
    rung = len(line.d.dialed())
    line.d.advance(0.001)
    told = line.outcome()
    assert (told["wait_ms"], told["verdict"]) == (2000, "unknown")
    assert (told["result"], told["is_dropped"]) == (("answered", False) if has_seats else ("dropped", True))
    assert len(line.d.dialed()) == rung, "nobody is rung in the last moment"


@pytest.mark.req("DIALER-09")
def test_a_machine_is_hung_up_on() -> None:
    line = machines().dial()
    of = line.answers()
    line.judged(MachineVerdict.MACHINE)
    told = line.outcome()
    assert (told["result"], told["verdict"], told["is_live"], told["is_dropped"]) == (
        "machine",
        "machine",
        False,
        False,
    )
    assert line.d.ended[of].result is Result.FAILED
    assert line.dials() == (1, 0, 0, 0, 1)
    assert line.d.state_of(ANNA) == "available"


@pytest.mark.req("DIALER-09")
def test_a_message_is_left_behind_the_greeting_of_a_machine() -> None:
    line = machines(on_machine=OnMachine.LEAVE_MESSAGE).dial()
    of = line.answers()
    line.judged(MachineVerdict.MACHINE)
    (play,) = line.played()
    assert (play.prompts, play.after_silence_ms) == (("/please_call",), 1500)
    line.d.order(GoIdle, agent_id=ANNA, reason="break")
    line.d.available(ANNA)
    assert line.d.offered(of) == (), "there is nobody to talk with"
    line.d.advance(20)
    assert line.state(of) is S.REACHED, "no longer hurried: nobody waits"
    assert not line.told(EventType.ATTEMPT_ENDED)
    line.message_ends()
    assert (line.outcome()["result"], line.outcome()["cause"]) == ("machine", "message_finished")
    assert of in line.d.ended


@pytest.mark.req("DIALER-09")
def test_a_machine_may_be_connected_and_is_dropped_as_none() -> None:
    line = machines(on_machine=OnMachine.CONNECT).dial()
    of = line.answers()
    line.judged(MachineVerdict.MACHINE)
    assert line.d.offered(of) == (ANNA,)
    line.d.fail(of, ANNA, DialOutcome.REJECTED)
    line.d.fail(of, BEN, DialOutcome.REJECTED)
    line.d.advance(2)
    assert (line.outcome()["result"], line.dials()) == ("machine", (1, 0, 0, 0, 1))
    assert not line.played()


@pytest.mark.req("DIALER-09")
@pytest.mark.parametrize("how", ["unknown", "late", "refused"])
def test_who_cannot_be_told_from_a_machine_gets_an_agent(how: str) -> None:
    line = machines().dial()
    of = line.answers()
    if how == "unknown":
        line.judged(MachineVerdict.UNKNOWN)
    elif how == "refused":
        outcome = CommandOutcome.REFUSED
        line.d.give(CommandEnded(pbx="a", command_id=line.detection().id, outcome=outcome))
    else:
        line.d.advance(1.8)
    assert line.d.offered(of) == (ANNA,)
    assert line.campaign_call(of).verdict is Verdict.UNKNOWN
    line.judged(MachineVerdict.MACHINE)
    assert line.d.offered(of) == (ANNA,), "the first verdict counts"


@pytest.mark.req("DIALER-05", "DIALER-09")
def test_hanging_up_on_who_may_be_a_person_counts_as_a_drop() -> None:
    line = machines(on_unknown=OnMachine.HANG_UP).dial()
    line.answers()
    line.judged(MachineVerdict.UNKNOWN)
    assert line.dials() == (1, 1, 1, 0, 0)


def test_who_hangs_up_while_it_is_listened_is_a_person_who_hung_up() -> None:
    line = machines().dial()
    of = line.answers()
    line.d.now_ms += 500
    line.hangs_up(of)
    assert (line.outcome()["result"], line.dials()) == ("abandoned", (1, 1, 0, 1, 0))
    assert not [k for k in line.d.world.state.timers if of in k]


# ---------------------------------------------------------------------- nothing is left behind


@pytest.mark.parametrize("end", ["agent", "contact", "dropped", "abandoned", "busy"])
def test_no_timer_and_no_engagement_outlives_a_call(end: str) -> None:
    line = nobody() if end in ("dropped", "abandoned") else Outbound(records=numbered(1)).dial()
    of = line.of()
    if end == "busy":
        line.fails(DialOutcome.BUSY)
    else:
        line.answers()
    if end in ("agent", "contact"):
        line.picks_up(of)
        line.d.order(EndInteraction, agent_id=ANNA, interaction_id=of) if end == "agent" else line.hangs_up(of)
        line.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    elif end == "dropped":
        line.d.advance(2)
        line.message_ends()
    elif end == "abandoned":
        line.hangs_up(of)
    assert not [k for k in line.d.world.state.timers if of in k or "rec_1" in k]
    assert not [a for a in line.d.world.state.agents.values() if of in a.engagements]
    assert of not in line.d.world.state.interactions


def test_an_agent_who_leaves_the_campaign_is_rung_for_nobody() -> None:
    line = Outbound(agents=(ANNA,)).dial(1)
    line.d.order(LeaveCampaign, agent_id=ANNA, campaign="spring")
    of = line.answers()
    assert line.d.offered(of) == ()


@pytest.mark.req("DIALER-07")
def test_who_was_dropped_is_not_dialed_without_an_agent_for_another_record_either() -> None:
    found = Outbound(records=[card("rec_1", "+12015550001"), card("rec_2", "+12015550001")], agents=(ANNA,)).dial(1)
    found.d.order(GoIdle, agent_id=ANNA, reason="break")
    found.answers()
    found.d.advance(130)
    assert [e.values["result"] for e in found.d.told(EventType.ATTEMPT_ENDED)] == ["dropped"]
    found.d.available(ANNA)
    assert found.pace(1).values["begun"] == 0
    found.d.advance(3 * 86_400)
    assert found.pace(1).values["begun"] == 1


@pytest.mark.req("DIALER-07")
def test_a_record_of_who_was_dropped_that_comes_before_the_drop_is_recorded_is_not_dialed_either() -> None:
    line = nobody()
    line.answers()
    line.d.advance(2)
    until_ms = line.d.now_ms + 3 * 86_400_000
    (ended,) = line.told(EventType.ATTEMPT_ENDED, "rec_1")
    assert ended.values["reserve_until_ms"] == until_ms
    line.message_ends(outcome=PromptOutcome.FINISHED)
    line.d.available(ANNA)
    line.fails(DialOutcome.BUSY, "rec_2")
    line.add(card("other_list", "+12015559999", "0012015550001", priority=10), card("free", OTHER, priority=9))
    assert line.record("other_list").card.reserve_until_ms == until_ms
    assert line.record("free").card.reserve_until_ms == 0
    assert line.pace(1).values["begun"] == 1
    assert "other_list" in line.ready()
    assert "free" not in line.ready()


@pytest.mark.req("DIALER-07")
def test_drops_that_the_recorder_has_long_written_down_are_not_kept_here() -> None:
    line = nobody()
    line.answers("rec_1")
    line.d.advance(2)
    line.d.advance(16 * 60)
    line.d.available(ANNA)
    line.dial(1)
    line.d.order(GoIdle, agent_id=ANNA, reason="break")
    line.answers("rec_3")
    line.d.advance(2)
    assert [one.number for one in line.live.reserved] == ["+12015550003"]


@pytest.mark.req("DIALER-01")
def test_a_campaign_that_has_become_a_preview_meanwhile_calls_nobody_before_an_agent() -> None:
    found = Outbound(predictive(), agents=(ANNA,))
    assert found.pace(1).values["begun"] == 1
    config = found.d.world.config
    campaigns = {"spring": replace(config.campaigns["spring"], mode=DialMode.PREVIEW)}
    found.d.apply(replace(config, campaigns=campaigns))
    found.allow_all()
    assert not found.d.told(EventType.ATTEMPT_STARTED)
    assert "rec_1" in found.ready()
