"""What a pacing policy is shown of a live campaign, and told of what happens in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.app.dialing.pacing_events import Counted, Teller
from routing.app.dialing.pacing_view import Scene, policy_settings, snapshot
from routing.core.agent import Agent, AgentState, Engagement, EngagementState
from routing.core.campaign import CampaignCall, CampaignLive, DropDay, Membership
from routing.core.campaign_rules import Campaign, DialMode, MachineRules, PacingRules
from routing.core.events import Event, EventType
from routing.core.interaction import Interaction, InteractionState
from routing.core.record import RecordCard, RecordLive, RecordNumber, RecordState

NOW = 1_000_000
CAMPAIGN = Campaign(id="spring", label="Spring", mode=DialMode.PREDICTIVE, queue="sales", ani="+12015550100")
LIVE = CampaignLive(id="spring", joined={"anna": Membership(joined_at_ms=1)})


def agent(id_: str, *engaged: tuple[str, EngagementState, int], state: AgentState = AgentState.AVAILABLE) -> Agent:
    engagements = {
        interaction: Engagement(interaction_id=interaction, queue="sales", state=s, since_ms=NOW - ago_ms, leg_id="l")
        for interaction, s, ago_ms in engaged
    }
    return Agent(id=id_, state=state, engagements=engagements, available_since_ms=NOW - 4000)


def record(id_: str, state: RecordState, interaction_id: str = "") -> RecordLive:
    numbers = (RecordNumber(number="+12015550101"),)
    card = RecordCard(id=id_, campaign="spring", claim=1, numbers=numbers)
    return RecordLive(card=card, state=state, interaction_id=interaction_id)


def call(id_: str, state: InteractionState, **of_call: Any) -> Interaction:
    return Interaction(
        id=id_,
        pbx="pbx1",
        kind="campaign",
        state=state,
        customer_leg="",
        entry_point="",
        queue="sales",
        ani="",
        ani_name="",
        dnis="",
        entered_at_ms=0,
        campaign=CampaignCall(campaign="spring", mode=DialMode.PREDICTIVE, record_id="r", **of_call),
    )


def scene(**changes: Any) -> Scene:
    base = Scene(live=LIVE, records=(), interactions={}, agents={}, lines_free=10)
    return replace(base, **changes)


@pytest.mark.req("DIALER-12")
def test_agents_are_seen_by_what_they_do_and_for_how_long() -> None:
    talking = record("r1", RecordState.TALKING, "int_1")
    agents = {
        "free": agent("free"),
        "seated": agent("seated", ("seat", EngagementState.SEATED, 3000)),
        "talks": agent("talks", ("int_1", EngagementState.CONNECTED, 9000)),
        "holds": agent("holds", ("int_1", EngagementState.HELD, 500)),
        "wraps": agent("wraps", ("old", EngagementState.WRAP_UP, 2000)),
        "inbound": agent("inbound", ("other", EngagementState.CONNECTED, 7000)),
        "pause": agent("pause", state=AgentState.IDLE),
        "out": agent("out", state=AgentState.LOGGED_OUT),
        "rona": agent("rona", state=AgentState.RONA),
    }
    seen = snapshot(scene(records=(talking,), agents=agents), NOW)
    assert sorted(seen["agents"]) == [
        ("idle", 3.0),
        ("idle", 4.0),
        ("inbound", 7.0),
        ("talk", 0.5),
        ("talk", 9.0),
        ("wrap", 2.0),
    ]
    counts = [seen[name] for name in ("n_idle", "n_talk", "n_wrap", "n_inbound", "n_logged")]
    assert counts == [2, 2, 1, 1, 6]


@pytest.mark.req("DIALER-12")
def test_calls_are_those_that_ring_or_are_listened_to_and_who_waits_is_told_apart() -> None:
    records = (
        record("checked", RecordState.CHECKING),
        record("rings", RecordState.CALLING, "rings"),
        record("listened", RecordState.CALLING, "listened"),
        record("waits", RecordState.CALLING, "waits"),
        record("dropped", RecordState.CALLING, "dropped"),
        record("ready", RecordState.READY),
        record("gone", RecordState.CALLING, "unknown"),
    )
    reached = {"dialed_at_ms": NOW - 9000, "reached_at_ms": NOW - 1500}
    interactions = {
        "rings": call("rings", InteractionState.CALLING_CUSTOMER, dialed_at_ms=NOW - 8000),
        "listened": call("listened", InteractionState.REACHED, check_id="cmd", **reached),
        "waits": call("waits", InteractionState.REACHED, **reached),
        "dropped": call("dropped", InteractionState.REACHED, is_dropped=True, **reached),
    }
    seen = snapshot(scene(records=records, interactions=interactions), NOW)
    assert seen["calls"] == [(0.0, "ring"), (8.0, "ring"), (9.0, "amd")]
    assert (seen["waiting"], seen["live_waiting"], seen["n_inflight"]) == ([1.5], 1, 3)


@pytest.mark.req("DIALER-05", "DIALER-09")
def test_what_was_before_the_policy_counts_in_its_window_and_false_verdicts_are_drops() -> None:
    days = {"1": DropDay(live=60, dropped=1), "2": DropDay(live=40, dropped=1, machines=50)}
    campaign = replace(
        CAMPAIGN, machines=MachineRules(is_on=True, false_positives=0.1), pacing=PacingRules(cap=0.02, lines=7)
    )
    cfg = policy_settings(campaign, replace(LIVE, days=days), {"live": 30, "abandoned": 1})
    assert (cfg["target"], cfg["max_wait"], cfg["lines"], cfg["ring_timeout"]) == (0.02, 2.0, 7, 25.0)
    assert (cfg["prior_live"], cfg["prior_abandoned"]) == (75, 6)
    assert (cfg["amd"], cfg["guarantee"], cfg["n_agents_planned"]) == ("real", "budget", 1)


# ------------------------------------------------------------------ events

Told = list[tuple[float, str, dict[str, Any]]]


def event(type_: EventType, after_ms: int, agent_id: str = "", **values: Any) -> Event:
    return Event(type=type_, at_ms=NOW + after_ms, agent_id=agent_id, values={"campaign": "spring", **values})


def tell(*events: Event, counted: Counted | None = None) -> tuple[Told, Counted]:
    told: Told = []
    counted = counted or Counted()
    Teller("spring", NOW, counted, lambda now_s, kind, data: told.append((now_s, kind, data))).tell(events)
    return told, counted


@pytest.mark.req("DIALER-12")
def test_a_call_is_told_from_its_begin_to_its_talk_and_the_agents_wrap_up() -> None:
    told, counted = tell(
        event(EventType.ATTEMPT_STARTED, 0, attempt_id="a"),
        event(EventType.ATTEMPT_REACHED, 9000, attempt_id="a", verdict="human"),
        event(EventType.ATTEMPT_ENDED, 9500, "anna", attempt_id="a", result="answered", wait_ms=500, is_dropped=False),
        Event(type=EventType.WRAP_UP_STARTED, at_ms=NOW + 60_000, agent_id="anna"),
        Event(type=EventType.WRAP_UP_ENDED, at_ms=NOW + 75_000, agent_id="anna"),
        Event(type=EventType.WRAP_UP_ENDED, at_ms=NOW + 75_000, agent_id="ben"),
    )
    assert told == [
        (0.0, "call_start", {"id": "a"}),
        (9.0, "call_result", {"id": "a", "result": "live", "elapsed": 9.0}),
        (9.5, "connected", {"wait": 0.5, "agent": "anna"}),
        (60.0, "talk_end", {"agent": "anna", "seconds": 50.5}),
        (75.0, "wrap_end", {"agent": "anna", "seconds": 15.0}),
    ]
    assert counted.counters == {"dialed": 1, "resolved": 1, "live": 1, "connected": 1}
    assert (counted.begun, counted.agents) == ({}, {})


@pytest.mark.req("DIALER-06", "DIALER-12")
@pytest.mark.parametrize(
    ("result", "seen"),
    [
        ("busy", "busy"),
        ("rejected", "busy"),
        ("no_answer", "noanswer"),
        ("cancelled", "noanswer"),
        ("machine", "machine"),
        ("invalid", "invalid"),
        ("unreachable", "invalid"),
        ("congestion", "invalid"),
        ("unknown", "invalid"),
    ],
)
def test_what_no_person_answered_is_told_with_its_result(result: str, seen: str) -> None:
    told, counted = tell(
        event(EventType.ATTEMPT_STARTED, 0, attempt_id="a"),
        event(EventType.ATTEMPT_REACHED, 3000, attempt_id="a", verdict="machine"),
        event(EventType.ATTEMPT_ENDED, 4000, attempt_id="a", result=result, is_dropped=False),
    )
    assert told[1:] == [(4.0, "call_result", {"id": "a", "result": seen, "elapsed": 4.0})]
    assert counted.counters == {"dialed": 1, "resolved": 1, seen: 1}


@pytest.mark.req("DIALER-06")
def test_a_drop_is_told_once_whether_or_not_the_person_hung_up_and_a_late_agent_is_both() -> None:
    def of(attempt: str, result: str, *, is_dropped: bool, agent_id: str = "") -> tuple[Event, ...]:
        about = {"attempt_id": attempt, "wait_ms": 3000}
        return (
            event(EventType.ATTEMPT_STARTED, 0, attempt_id=attempt),
            event(EventType.ATTEMPT_REACHED, 1000, attempt_id=attempt, verdict=""),
            event(EventType.ATTEMPT_ENDED, 4000, agent_id, result=result, is_dropped=is_dropped, **about),
        )

    told, counted = tell(
        *of("a", "dropped", is_dropped=True),
        *of("b", "abandoned", is_dropped=True),
        *of("c", "abandoned", is_dropped=False),
        *of("d", "answered", is_dropped=True, agent_id="anna"),
    )
    assert [kind for _at, kind, _data in told].count("abandoned") == 3
    expected = {"dialed": 4, "resolved": 4, "live": 4, "abandoned": 3, "connected": 1}
    assert counted.counters == expected


def test_other_campaigns_and_calls_of_before_are_passed_over_and_members_come_and_go() -> None:
    other = replace(event(EventType.ATTEMPT_STARTED, 0, attempt_id="x"), values={"campaign": "autumn"})
    told, counted = tell(
        other,
        event(EventType.ATTEMPT_ENDED, 10, attempt_id="unknown", result="busy"),
        event(EventType.CAMPAIGN_JOINED, 20, "anna"),
        event(EventType.CAMPAIGN_LEFT, 30, "anna"),
    )
    assert told == [(0.02, "agent_login", {"agent": "anna"}), (0.03, "agent_logout", {"agent": "anna"})]
    assert counted.counters == {}
