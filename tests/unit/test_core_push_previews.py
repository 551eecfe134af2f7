"""Records that come by themselves: push preview, progressive without seats, and whom a declined record goes to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import AttemptLimits, DialMode
from routing.core.config import Result
from routing.core.events import EventType
from routing.core.facts import DialOutcome, LinkLost, PhoneState
from routing.core.interaction import InteractionState
from routing.core.limits import CallLimits
from routing.core.orders import GoIdle, MarkDoNotCall, WithdrawRecords
from routing.core.record import RecordNumber, RecordState
from tests.unit.campaign_line import ANNA, BEN, HOME, OTHER, WORK, Line, campaign, card, centre, preview

S, M = InteractionState, DialMode
PUSHED = (M.PUSH_PREVIEW, M.PROGRESSIVE)
BOTH = (ANNA, BEN)


def cards(*ids: str) -> list:  # type: ignore[type-arg]
    """One record each, with numbers of their own."""
    return [card(id_, f"+1201555010{n}") for n, id_ in enumerate(ids)]


@pytest.mark.req("CAMP-07", "PROG-01", "PROG-02", "PROG-08", "A11")
@pytest.mark.parametrize("mode", PUSHED)
def test_a_ready_agent_gets_a_record_by_itself_and_nothing_is_dialed_before_he_accepts(mode: DialMode) -> None:
    line = Line(preview(mode), records=cards("rec_1", "rec_2"))
    assert (line.shown_to(), line.d.state_of(ANNA), line.dialed()) == ("rec_1", "preview", [])
    line.d.advance(20)
    assert line.dialed() == []
    line.accepted()
    assert line.state() is S.CALLING_AGENT


@pytest.mark.req("CAMP-07", "PROG-03", "PROG-09", "A12")
def test_accepted_it_is_called_and_the_record_was_shown_before_the_contact_was_connected() -> None:
    line = Line(preview(M.PROGRESSIVE)).talks()
    types = [e.type for e in line.d.events]
    assert types.index(EventType.RECORD_SHOWN) < types.index(EventType.DIAL_STARTED)
    assert types.index(EventType.RECORD_ACCEPTED) < types.index(EventType.DIAL_STARTED)
    assert line.interaction.campaign is not None
    assert line.interaction.campaign.mode is M.PROGRESSIVE


@pytest.mark.req("STATE-04")
@pytest.mark.parametrize("why", ["idle", "busy phone", "link down", "on a call", "not joined"])
def test_only_a_ready_agent_is_shown_a_record(why: str) -> None:
    line = Line(preview(M.PROGRESSIVE), records=())
    match why:
        case "idle":
            line.d.order(GoIdle, agent_id=ANNA, reason="break")
        case "busy phone":
            line.d.phone(ANNA, PhoneState.BUSY)
        case "link down":
            line.d.give(LinkLost(pbx="a"))
        case "on a call":
            line.d.answer(line.d.call(), ANNA)
        case "not joined":
            line = Line(preview(M.PROGRESSIVE), agents=(), records=())
            line.d.available(ANNA)
    line.add(card())
    assert line.ready() == ["rec_1"]
    assert line.d.told(EventType.RECORD_SHOWN) == []


@pytest.mark.req("DIALER-10", "PROG-02")
def test_callers_who_wait_go_first() -> None:
    line = Line(preview(M.PROGRESSIVE), records=())
    line.d.order(GoIdle, agent_id=ANNA, reason="break")
    call = line.d.call()
    line.add(card())
    line.d.available(ANNA)
    assert line.d.offered(call) == (ANNA,)
    assert line.ready() == ["rec_1"]


@pytest.mark.req("PROG-04", "PROG-06", "A13", "A14", "A15")
def test_declined_it_goes_to_the_head_of_the_list_and_to_somebody_else() -> None:
    line = Line(preview(M.PROGRESSIVE), agents=BOTH, records=cards("rec_1", "rec_2", "rec_3"))
    assert (line.shown_to(ANNA), line.shown_to(BEN)) == ("rec_1", "rec_2")
    line.decline(by=BEN)  # Anna has hers, so Ben gets the next one; rec_2 is for somebody else
    assert line.told(EventType.RECORD_RETURNED).values["place"] == "head"
    assert (line.ready(), line.shown_to(BEN)) == (["rec_2"], "rec_3")
    line.decline(by=ANNA)
    assert (line.shown_to(ANNA), line.ready()) == ("rec_2", ["rec_1"])
    assert line.released("rec_1") == line.released("rec_2") == []


@pytest.mark.req("PROG-05", "PROG-06")
def test_untouched_for_its_time_it_goes_to_the_head_of_the_list() -> None:
    line = Line(preview(M.PROGRESSIVE, timeout_s=20), agents=BOTH, records=cards("rec_1", "rec_2", "rec_3"))
    first = line.of(ANNA)
    line.d.advance(19.9)
    assert line.shown_to(ANNA) == "rec_1"
    line.d.advance(0.2)
    assert [e.values["why"] for e in line.d.told(EventType.RECORD_DECLINED)] == ["timeout", "timeout"]
    assert line.d.ended[first].ended_by == "server"
    shown = {line.shown_to(ANNA), line.shown_to(BEN)}
    assert shown == {"rec_3", "rec_1"}  # Anna has had the first, Ben gets it now
    assert line.ready() == ["rec_2"]


@pytest.mark.req("PROG-06")
def test_at_the_head_those_that_came_back_first_are_first() -> None:
    line = Line(preview(M.PROGRESSIVE), agents=BOTH, records=cards("rec_1", "rec_2", "rec_9"))
    for agent_id in BOTH:
        line.d.order(GoIdle, agent_id=agent_id, reason="break")
    line.decline(by=BEN)
    line.d.now_ms += 5
    line.decline(by=ANNA)
    assert line.ready() == ["rec_2", "rec_1", "rec_9"]


@pytest.mark.req("A15")
def test_nobody_else_can_take_it_so_it_comes_again_but_after_all_others() -> None:
    line = Line(preview(M.PROGRESSIVE, cool_off_s=300), records=cards("rec_1", "rec_2"))
    line.decline()
    assert line.shown_to() == "rec_2"
    line.decline()
    assert line.shown_to() == "rec_1"  # head of the list, and there is nobody but Anna


@pytest.mark.req("A15")
def test_the_cool_off_ends() -> None:
    line = Line(preview(M.PROGRESSIVE, cool_off_s=60, timeout_s=None), agents=BOTH, records=cards("rec_1"))
    line.d.answer(line.d.call(), BEN)  # he could take it later on
    line.decline()
    assert line.of(ANNA) == ""
    line.d.advance(59.9)
    assert line.of(ANNA) == ""
    line.d.advance(0.2)
    assert line.shown_to(ANNA) == "rec_1"


@pytest.mark.req("A14", "PREV-11")
def test_in_push_preview_a_declined_record_rests_and_an_untouched_one_is_where_it_was() -> None:
    line = Line(preview(M.PUSH_PREVIEW, timeout_s=20, decline_retry_s=600), records=cards("rec_1", "rec_2", "rec_3"))
    line.decline()
    assert line.released("rec_1")[0].values["next_at_ms"] == line.d.now_ms + 600_000
    assert line.shown_to() == "rec_2"
    line.d.advance(20)
    assert (line.shown_to(), line.ready()) == ("rec_3", ["rec_2"])
    assert line.released("rec_2") == []


def run_out(line: Line, times: int) -> list[str]:
    """What is seen of Anna after each preview that nobody touches."""
    seen = []
    for _ in range(times):
        line.d.advance(20.1)
        seen.append(line.d.state_of(ANNA))
    return seen


@pytest.mark.req("STATE-05", "STATE-08", "PROG-05")
@pytest.mark.parametrize("mode", [M.PROGRESSIVE, M.PUSH_PREVIEW])
def test_who_lets_one_preview_after_the_other_run_out_is_in_rona_until_he_says_that_he_is_there(mode: DialMode) -> None:
    line = Line(preview(mode, timeout_s=20), records=cards("rec_1", "rec_2", "rec_3", "rec_4"))
    assert run_out(line, 3) == ["preview", "preview", "rona"]
    assert (line.of(), len(line.ready())) == ("", 4)
    changes = [e.values["state"] for e in line.d.told(EventType.AGENT_STATE_CHANGED)]
    assert changes[-2:] == ["preview", "rona"], "he was never seen as available in between"
    line.d.advance(600)
    assert line.d.state_of(ANNA) == "rona"
    line.d.available(ANNA)
    assert run_out(line, 3) == ["preview", "preview", "rona"], "the count begins anew"


@pytest.mark.req("STATE-05")
@pytest.mark.parametrize("what", ["declines", "accepts", "idle", "off"])
def test_who_does_something_about_a_record_is_there(what: str) -> None:
    rules = {"timeout_s": 20, "dial_on_accept": False, "cool_off_s": 0} | ({"missed_limit": 0} if what == "off" else {})
    line = Line(preview(M.PUSH_PREVIEW, **rules), records=cards("rec_1", "rec_2", "rec_3", "rec_4", "rec_5"))
    assert run_out(line, 2) == ["preview", "preview"]
    match what:
        case "declines":
            line.decline()
        case "accepts":
            line.accept()
            line.decline()
        case "idle":
            line.d.order(GoIdle, agent_id=ANNA, reason="break")
            line.d.advance(20.1)
            assert line.d.state_of(ANNA) == "idle"
            line.d.available(ANNA)
    assert run_out(line, 1) == (["rona"] if what == "idle" else ["preview"])
    assert run_out(line, 1) == (["rona"] if what == "idle" else ["preview"])


@pytest.mark.req("STATE-05", "PREV-01")
def test_who_asks_for_each_record_that_he_lets_run_out_is_there() -> None:
    line = Line(preview(timeout_s=20), records=cards("rec_1", "rec_2", "rec_3", "rec_4", "rec_5"))
    for _ in range(4):
        assert line.get().code == "ok"
        assert run_out(line, 1) == ["available"]


@pytest.mark.req("A12")
def test_without_holding_back_the_agents_phone_rings_by_itself_and_he_sees_the_record_first() -> None:
    line = Line(centre(campaign(M.PROGRESSIVE, hold_dialing=False)))
    assert (line.shown_to(), line.record().state) == ("rec_1", RecordState.CHECKING)
    line.allow()
    assert [dial.phone for dial in line.dialed()] == ["PJSIP/anna"]
    line.answers()
    line.answers()
    assert line.state() is S.CONNECTED
    types = [e.type for e in line.d.events]
    assert types.index(EventType.RECORD_SHOWN) < types.index(EventType.DIAL_STARTED)


@pytest.mark.req("A12", "PROG-04")
def test_a_phone_that_fails_by_itself_is_left_alone_for_a_while() -> None:
    line = Line(centre(campaign(M.PROGRESSIVE, hold_dialing=False)))
    line.allow()
    line.fails(DialOutcome.UNREACHABLE)
    assert (line.ready(), line.d.state_of(ANNA)) == (["rec_1"], "available")
    asked = line.asked()
    line.d.advance(9)
    line.d.phone(ANNA, PhoneState.FREE)
    assert (line.ready(), line.asked()) == (["rec_1"], asked)
    line.d.advance(2)
    assert (line.shown_to(), line.asked() == asked) == ("rec_1", False)


@pytest.mark.req("PROG-06", "DIALER-03")
def test_what_may_not_be_called_is_not_shown_and_leaves_the_hopper_with_the_reason() -> None:
    spent = RecordNumber(number=OTHER, attempts=9)
    line = Line(
        centre(campaign(M.PUSH_PREVIEW, limits=AttemptLimits(number=3))),
        records=[
            card("rec_1", "911"),
            card("rec_2", attempts=99),
            replace(card("rec_3"), numbers=(spent,)),
            card("rec_4", WORK),
        ],
    )
    assert line.shown_to() == "rec_4"
    causes = {id_: line.released(id_)[0].values["cause"] for id_ in ("rec_1", "rec_2", "rec_3")}
    assert causes == {"rec_1": "no_number", "rec_2": "spent", "rec_3": "spent"}


@pytest.mark.req("OUT-20", "A24")
def test_a_caller_wins_against_a_campaigns_call_that_does_not_ring_yet() -> None:
    line = Line(preview(M.PROGRESSIVE), records=cards("rec_1", "rec_2")).accepted()
    first, leg = line.of(), line.offer().leg_id
    call = line.d.call()
    assert line.d.offered(call) == (ANNA,)
    assert leg in line.d.hung_up()
    assert line.d.ended[first].result is Result.CANCELLED
    assert tuple(line.d.world.agent(ANNA).engagements) == (call,)
    assert line.ready() == ["rec_1", "rec_2"]


@pytest.mark.req("OUT-20")
@pytest.mark.parametrize("stage", ["previewing", "rings", "contact rings"])
def test_no_caller_is_offered_to_an_agent_who_is_at_work_for_a_campaign(stage: str) -> None:
    line = Line(preview(M.PROGRESSIVE))
    if stage != "previewing":
        line.accepted().rings()
    if stage == "contact rings":
        line.answers()
    call = line.d.call()
    assert line.d.offered(call) == ()
    assert len(line.d.world.agent(ANNA).engagements) == 1


@pytest.mark.parametrize("action", [CampaignTrigger.STOP, CampaignTrigger.PAUSE])
@pytest.mark.parametrize("stage", ["previewing", "asked", "rings", "contact rings", "talking"])
def test_a_campaign_that_is_stopped_lets_go_of_what_nobody_talks_about(stage: str, action: CampaignTrigger) -> None:
    line = Line(preview(M.PROGRESSIVE), records=cards("rec_1", "rec_2"))
    if stage != "previewing":
        line.accept()
    if stage in ("rings", "contact rings", "talking"):
        line.allow()
    if stage in ("contact rings", "talking"):
        line.answers()
    if stage == "talking":
        line.answers()
    line.control(action)
    if action is CampaignTrigger.STOP and stage != "talking":
        assert [e.values["cause"] for e in line.released("rec_1")] == ["campaign"]
        assert line.d.state_of(ANNA) == "available"
        assert not line.d.world.state.records
    elif stage == "talking":
        assert line.done().code == "ok"
        assert [e.values["cause"] for e in line.released("rec_1")] == ["done"]
        assert line.of() == ""  # nothing opens any more
    else:
        assert line.released("rec_1") == []


def test_a_record_that_is_before_an_agent_stays_when_it_is_withdrawn_or_its_number_is_marked() -> None:
    line = Line(preview(M.PUSH_PREVIEW))
    line.d.order(WithdrawRecords, campaign="spring", record_ids=("rec_1",))
    line.d.order(MarkDoNotCall, number=HOME)
    assert line.shown_to() == "rec_1"
    line.accept()
    line.allow(is_blocked=True)
    assert [e.values["cause"] for e in line.released()] == ["do_not_call"]


@pytest.mark.parametrize("gone", ["agent", "campaign"])
def test_a_new_configuration_without_the_agent_or_the_campaign_takes_the_preview_away(gone: str) -> None:
    line = Line(preview(M.PUSH_PREVIEW), agents=BOTH)
    before = line.d.world.config
    agents = {k: v for k, v in before.agents.items() if k != ANNA} if gone == "agent" else before.agents
    line.d.apply(replace(before, agents=agents, campaigns={} if gone == "campaign" else before.campaigns))
    if gone == "agent":
        assert ANNA not in line.d.world.state.agents
        assert line.shown_to(BEN) == "rec_1"
    else:
        assert line.d.state_of(ANNA) == "available"
        assert [e.values["cause"] for e in line.released()] == ["campaign"]


@pytest.mark.req("PREV-08", "PROG-05")
def test_in_progressive_mode_nothing_is_dialed_after_a_preview_time() -> None:
    line = Line(preview(M.PROGRESSIVE, dial_after_s=5, timeout_s=20))
    line.d.advance(19)
    assert line.record().state is RecordState.PREVIEWED


@pytest.mark.req("SAFE-04", "PREV-18")
def test_a_number_too_many_within_a_minute_is_not_dialed_and_the_agent_is_left_alone_for_a_while() -> None:
    line = Line(preview(M.PROGRESSIVE), records=cards("rec_1", "rec_2"))
    line.d.apply(replace(line.d.world.config, limits=CallLimits(dials_per_minute=1)))
    line.calling().fails(DialOutcome.BUSY)
    assert line.shown_to() == "rec_2"
    line.calling()
    assert [dial.phone for dial in line.dialed() if "trunk" in dial.phone] == ["PJSIP/+12015550100@trunk"]
    assert (line.ready(), line.d.state_of(ANNA), line.of()) == (["rec_2"], "available", "")
    line.d.advance(10)
    assert line.shown_to() == "rec_2"
