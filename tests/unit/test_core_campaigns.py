"""A campaign's life: loaded, started, paused, stopped; who may join; what becomes of its hopper."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.campaign import CAMPAIGN_TABLE, CampaignState, CampaignTrigger, DropDay
from routing.core.campaign_rules import DialMode
from routing.core.events import EventType
from routing.core.interaction import InteractionState
from routing.core.orders import (
    AddRecords,
    ApplyConfig,
    ControlCampaign,
    Hold,
    JoinCampaign,
    LeaveCampaign,
    MarkDoNotCall,
    Resume,
    SignOut,
    WithdrawRecords,
)
from routing.core.record import RecordState
from routing.core.timers import Due, key
from tests.unit.campaign_line import ANNA, BEN, HOME, Line, campaign, card, centre, due

S, T = CampaignState, CampaignTrigger
DAY = DropDay(live=9, dropped=1)


@pytest.mark.req("CAMP-04")
@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("action", list(T))
def test_a_campaign_goes_only_the_ways_of_its_table(state: CampaignState, action: CampaignTrigger) -> None:
    line = Line(agents=(), records=(), start=False)
    ways: dict[CampaignState, tuple[CampaignTrigger, ...]] = {
        S.LOADED: (),
        S.RUNNING: (T.START,),
        S.PAUSED: (T.START, T.PAUSE),
        S.STOPPED: (T.STOP,),
    }
    for way in ways[state]:
        assert line.control(way).code == "ok"
    reply, wanted = line.control(action), CAMPAIGN_TABLE.get((state, action))
    assert reply.code == ("ok" if wanted else "illegal-transition")
    assert line.d.world.state.campaigns["spring"].state is (wanted or state)


@pytest.mark.req("CAMP-04", "CAMP-03")
def test_agents_are_told_when_it_is_loaded_and_once_more_when_it_starts() -> None:
    line = Line(agents=(), records=(), start=False)
    (loaded,) = line.d.told(EventType.CAMPAIGN_LOADED)
    assert (loaded.values["campaign"], loaded.values["label"], loaded.values["teams"]) == (
        "spring",
        "Spring offer",
        ["t"],
    )
    assert line.d.told(EventType.CAMPAIGN_STARTED) == []
    line.control(T.START)
    assert len(line.d.told(EventType.CAMPAIGN_STARTED)) == 1
    assert len(line.d.told(EventType.CAMPAIGN_LOADED)) == 1


@pytest.mark.req("CAMP-02", "CAMP-03", "CAMP-05")
def test_only_an_agent_of_its_teams_who_is_signed_in_joins_a_campaign_that_is_loaded() -> None:
    of_others = centre(campaign(teams=("other",)))
    outsider = Line(centre(), agents=(), records=())
    assert outsider.join(ANNA).code == "campaign-not-of-team"  # logged out
    strangers = Line(of_others, agents=(), records=())
    strangers.d.order(JoinCampaign, agent_id=ANNA, campaign="spring")
    reply = strangers.d.order(JoinCampaign, agent_id=ANNA, campaign="spring")
    assert (reply.code, reply.values["because"]) == ("campaign-not-of-team", "team")
    stopped = Line(records=())
    stopped.control(T.STOP)
    assert stopped.join().code == "campaign-not-loaded"
    assert stopped.d.order(JoinCampaign, agent_id=ANNA, campaign="nothing").code == "campaign-unknown"
    assert stopped.d.order(ControlCampaign, campaign="nothing", action=T.LOAD).code == "campaign-unknown"


@pytest.mark.req("CAMP-05")
def test_joining_twice_is_once_and_who_leaves_or_signs_out_gets_nothing_more() -> None:
    line = Line(agents=(ANNA, BEN), records=())
    assert line.join().code == "ok"
    assert len(line.d.told(EventType.CAMPAIGN_JOINED)) == 2
    assert line.d.order(LeaveCampaign, agent_id=ANNA, campaign="spring").code == "ok"
    assert line.d.order(SignOut, agent_id=BEN).code == "ok"
    left = [(e.agent_id, e.values["why"]) for e in line.d.told(EventType.CAMPAIGN_LEFT)]
    assert left == [(ANNA, "agent"), (BEN, "signed_out")]
    line.add(card())
    assert line.get().code == "campaign-not-joined"


@pytest.mark.req("PROG-06", "CAMP-01")
def test_a_record_that_is_here_already_is_left_as_it_is_and_one_of_another_campaign_is_none_of_it() -> None:
    line = Line()
    line.get()
    again = line.d.order(AddRecords, campaign="spring", records=(replace(card(), claim=9), card("x", campaign_id="y")))
    assert (again.code, again.values["added"]) == ("ok", 0)
    assert (line.record().state, line.record().card.claim) == (RecordState.PREVIEWED, 7)


@pytest.mark.req("PROG-06")
def test_the_hopper_has_one_order_callbacks_first_then_priority_then_as_they_came() -> None:
    line = Line(
        agents=(),
        records=[card("b"), card("a"), card("high", priority=9), due("late", at_ms=20), due("early", at_ms=10)],
    )
    assert line.ready() == ["early", "late", "high", "b", "a"]


@pytest.mark.req("PROG-06", "SAFE-01")
def test_when_it_is_stopped_every_record_that_nobody_talks_about_goes_back_exactly_once() -> None:
    line = Line(agents=(ANNA, BEN), records=[card("a", HOME), card("b", "+12015550131"), card("c", "+12015550132")])
    line.talks()
    assert line.get(BEN).code == "ok"
    line.control(T.STOP)
    released = {e.values["record_id"]: e.values["cause"] for e in line.d.told(EventType.RECORD_RELEASED)}
    assert released == {"b": "campaign", "c": "campaign"}
    assert line.of(BEN) == ""
    assert line.state() is InteractionState.CONNECTED, "who talks goes on talking"
    assert set(line.d.world.state.records) == {"a"}
    line.hangs_up(line.interaction.customer_leg)
    line.done()
    assert line.released("a")
    assert line.d.world.state.records == {}


@pytest.mark.req("SAFE-01")
def test_records_that_come_for_a_campaign_that_was_stopped_meanwhile_go_straight_back() -> None:
    line = Line(records=())
    line.control(T.STOP)
    line.add(card())
    assert [e.values["cause"] for e in line.released()] == ["campaign"]
    assert line.d.world.state.records == {}


@pytest.mark.req("CAMP-04", "DIALER-05")
def test_paused_it_begins_nothing_and_its_drops_are_known_when_it_is_loaded_again() -> None:
    line = Line(centre(campaign(DialMode.PUSH_PREVIEW)), records=())
    line.control(T.PAUSE)
    line.add(card())
    assert line.of() == ""
    line.control(T.START)
    assert line.shown_to() == "rec_1"
    live = line.d.world.state.campaigns["spring"]
    line.d.world.state.campaigns["spring"] = replace(live, days={"2026-01-01": DAY})
    for action in (T.STOP, T.LOAD):
        line.control(action)
    assert line.d.world.state.campaigns["spring"].days == {"2026-01-01": DAY}


@pytest.mark.req("PREV-12")
def test_a_record_that_is_withdrawn_leaves_the_hopper_and_one_before_an_agent_stays() -> None:
    line = Line(records=[card("a"), card("b")])
    line.get()
    reply = line.d.order(WithdrawRecords, campaign="spring", record_ids=("a", "b", "unknown"))
    assert reply.values["withdrawn"] == ["b"]
    assert [e.values["cause"] for e in line.released("b")] == ["removed"]
    assert line.shown_to() == "a"


@pytest.mark.req("CBS-04")
def test_a_personal_callback_is_anybodys_when_its_agent_has_not_come_for_a_while() -> None:
    line = Line(records=[due("cb", agent_id=BEN)])
    assert line.of() == "", "it waits for Ben"
    line.d.advance(899)
    assert line.of() == ""
    line.d.advance(2)
    assert line.shown_to() == "cb"
    assert line.interaction.campaign is not None
    assert line.interaction.campaign.origin == "personal callback"
    assert key(Due.DUE_CALLBACK, "cb") not in line.d.world.state.timers


@pytest.mark.req("DISP-05", "DIALER-04")
def test_a_mark_reaches_records_that_wait_are_checked_or_ring_however_the_number_is_written() -> None:
    other = "+12015550140"
    line = Line(
        agents=(ANNA, BEN), records=[card("a_rings", HOME), card("b_waits", other, HOME), card("c_free", other)]
    )
    line.calling()
    reply = line.d.order(MarkDoNotCall, number="0012015550123")
    assert (reply.code, reply.values["records"]) == ("ok", 2)
    assert [e.values["cause"] for e in line.released("a_rings")] == ["do_not_call"]
    assert [e.values["cause"] for e in line.released("b_waits")] == ["retry"], "SQL knows which of its numbers is left"
    assert line.ready() == ["c_free"]
    assert line.of() == "", "the agent is free at once"


@pytest.mark.req("PREV-12", "DISP-05")
def test_a_mark_of_another_campaign_does_not_concern_this_one() -> None:
    line = Line()
    assert line.d.order(MarkDoNotCall, number=HOME, campaign="other").values["records"] == 0
    assert line.ready() == ["rec_1"]
    assert line.d.order(MarkDoNotCall, number=HOME, campaign="spring").values["records"] == 1


@pytest.mark.req("SAFE-01", "OPS-02")
def test_a_configuration_without_the_campaign_or_its_team_lets_go_of_what_is_nobodys() -> None:
    line = Line(agents=(ANNA, BEN), records=[card("a"), card("b")])
    line.get()
    without = replace(line.d.world.config, campaigns={})
    assert line.d.order(ApplyConfig, config=without).code == "ok"
    assert line.d.world.state.campaigns["spring"].state is S.STOPPED
    assert line.d.world.state.records == {}
    assert (line.of(ANNA), line.of(BEN)) == ("", "")
    again = Line(agents=(ANNA, BEN), records=())
    moved = replace(again.d.world.config, campaigns={"spring": campaign(teams=("elsewhere",))})
    again.d.order(ApplyConfig, config=moved)
    assert again.d.world.state.campaigns["spring"].joined == {}
    assert {e.values["why"] for e in again.d.told(EventType.CAMPAIGN_LEFT)} == {"configuration"}


@pytest.mark.req("ACT-06")
def test_each_event_of_a_callback_that_may_have_its_own_sound_is_an_event_type_of_its_own() -> None:
    line = Line(records=[due("cb")])
    line.talks()
    interaction = line.interaction
    for kind in (Hold, Resume):
        line.order(kind)
        line.d.reach(interaction.id)
    line.hangs_up(interaction.customer_leg)
    sounds = {
        EventType.RECORD_SHOWN: "prompted",
        EventType.HOLD_STARTED: "held",
        EventType.HOLD_ENDED: "retrieved",
        EventType.INTERACTION_ENDED: "ended",
    }
    heard = [sounds[e.type] for e in line.d.told(*sounds) if e.interaction_id == interaction.id]
    assert heard == ["prompted", "held", "retrieved", "ended"]
    assert line.d.told(EventType.RECORD_SHOWN)[0].values["origin"] == "callback"
