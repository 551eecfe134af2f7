"""Attempts: asked about, dialed within windows and limits, told and counted, each exactly once (DIALER-03, 04)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import AttemptLimits, AttemptResult
from routing.core.commands import LOOKUPS, LookUpKind
from routing.core.config import Result
from routing.core.dial_rights import DialRights
from routing.core.events import EventType
from routing.core.facts import CommandEnded, CommandOutcome, DialOutcome, LinkLost, LinkRestored, LookUpOutcome
from routing.core.hours import Hours, Span
from routing.core.interaction import InteractionState
from routing.core.limits import CallLimits
from routing.core.orders import CapacityGranted, FireTimer, PlanCallback, RequestCallback
from routing.core.record import RecordNumber, RecordState
from routing.core.timers import Due, key
from tests.unit.callback_line import RULES as CALLBACKS
from tests.unit.campaign_line import ANI, ANNA, HOME, WORK, Line, campaign, card, centre
from tests.unit.core_driver import START_MS
from tests.unit.customers_line import PROMPTS, Outbound, numbered, predictive

S = InteractionState
HOUR_MS = 3_600_000


def at(line: Outbound, hour: int, minute: int = 0) -> None:
    """The clock goes on to that time of day, UTC."""
    now = datetime.fromtimestamp(line.d.now_ms / 1000, UTC)
    wanted = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    seconds = (wanted - now).total_seconds()
    line.d.now_ms += round((seconds if seconds >= 0 else seconds + 86_400) * 1000)


def one(*numbers: str, **changes: Any) -> Outbound:
    return Outbound(predictive(**changes), records=[card("rec_1", *(numbers or (HOME, WORK)))])


# ---------------------------------------------------------------------- before it is dialed


@pytest.mark.req("DIALER-04")
def test_nothing_is_dialed_before_it_is_said_that_the_number_may_be_called() -> None:
    line = one()
    line.pace(1)
    asked = line.checks()[-1]
    assert (asked.kind, asked.number, asked.campaign) == (LookUpKind.DO_NOT_CALL, HOME, "spring")
    assert (asked.interaction_id, line.record().state) == ("rec_1", RecordState.CHECKING)
    line.d.advance(4)
    assert not line.dialed()
    line.allow()
    (dial,) = line.dialed()
    assert (dial.phone, dial.caller_number) == (f"PJSIP/{HOME}@trunk", ANI)
    assert line.record().state is RecordState.CALLING


@pytest.mark.req("DIALER-04")
def test_a_marked_number_is_not_dialed_and_its_record_leaves_with_the_reason() -> None:
    line = one(HOME)
    line.pace(1)
    line.allow(is_blocked=True)
    assert not line.dialed()
    assert (line.released()["cause"], line.released()["number"]) == ("do_not_call", HOME)


@pytest.mark.req("DIALER-04")
@pytest.mark.parametrize("how", ["late", "failed", "refused"])
def test_where_nobody_can_say_it_is_not_called_and_asked_again_from_the_hopper(how: str) -> None:
    line = one()
    line.pace(1)
    asked = line.checks()[-1]
    if how == "late":
        line.d.advance(5)
    elif how == "failed":
        line.allow(outcome=LookUpOutcome.FAILED)
    else:
        line.d.give(CommandEnded(pbx=LOOKUPS, command_id=asked.id, outcome=CommandOutcome.REFUSED))
    assert line.pace(1).values["begun"] == 0, "it rests"
    line.d.advance(29)
    assert (line.ready(), line.record().state) == ([], RecordState.CHECKING)
    line.d.advance(1)
    assert line.ready() == ["rec_1"]
    line.allow()
    assert not line.dialed(), "an answer that comes too late changes nothing"
    line.dial()
    assert len(line.dialed()) == 1


def test_an_answer_for_a_record_that_is_gone_changes_nothing() -> None:
    line = one()
    line.pace(1)
    line.control(CampaignTrigger.STOP)
    assert line.released()["cause"] == "campaign"
    line.allow()
    assert not line.dialed()
    assert not [k for k in line.d.world.state.timers if k.startswith("check")]


@pytest.mark.req("DIALER-03")
def test_a_number_is_called_within_the_window_of_its_own_zone_and_not_before() -> None:
    numbers = (RecordNumber(number=HOME, zone="America/New_York", zone_source="number"),)
    line = Outbound(predictive(hours=""), records=[card("rec_1", numbers=numbers)])
    at(line, 11)  # 6 in the morning in New York, in January
    line.pace(1)
    released = line.released()
    assert released["cause"] == "window"
    next_at = datetime.fromtimestamp(int(str(released["next_at_ms"])) / 1000, UTC)
    assert (next_at.hour, next_at.minute) == (13, 0)
    assert not line.checks()


@pytest.mark.req("DIALER-03")
def test_a_number_whose_zone_is_one_of_several_is_called_when_it_is_day_in_all_of_them() -> None:
    numbers = (RecordNumber(number=HOME, zone="America/New_York,America/Los_Angeles", zone_source="number"),)
    line = Outbound(predictive(hours=""), records=[card("rec_1", numbers=numbers)])
    at(line, 15)  # 10 in New York, 7 in Los Angeles
    line.pace(1)
    assert line.released()["cause"] == "window"
    line = Outbound(predictive(hours=""), records=[card("rec_1", numbers=numbers)])
    at(line, 17)
    line.dial()
    assert len(line.dialed()) == 1


@pytest.mark.req("DIALER-03")
def test_the_window_is_looked_at_again_at_the_moment_of_dialing() -> None:
    closing = Hours(id="closing", time_zone="UTC", week=((Span(from_min=0, until_min=12 * 60),),) * 7)
    rules = predictive(hours="closing", default_zone="UTC")
    line = Outbound(rules, hours={"closing": closing}, records=[card()])
    at(line, 11, 59)
    line.d.now_ms += 58_000
    line.pace(1)
    line.d.now_ms += 3_000
    line.allow()
    assert not line.dialed()
    assert line.record().state is RecordState.READY
    line.pace(1)
    assert line.released()["cause"] == "window"


@pytest.mark.req("DIALER-03")
@pytest.mark.parametrize(
    ("limits", "changes", "cause"),
    [
        (AttemptLimits(record=4), {"attempts": 4}, "spent"),
        (AttemptLimits(record_per_day=2), {"attempts_today": 2}, "retry"),
        (AttemptLimits(record_per_day=2), {"attempts_today": 2, "day": "2020-01-01"}, ""),
    ],
)
def test_a_contact_is_called_as_often_as_its_limits_allow(
    limits: AttemptLimits, changes: dict[str, Any], cause: str
) -> None:
    today = datetime.fromtimestamp(START_MS / 1000, UTC).date().isoformat()
    line = Outbound(predictive(limits=limits, default_zone="UTC"), records=[card(**({"day": today} | changes))])
    line.pace(1)
    if not cause:
        assert line.record().state is RecordState.CHECKING, "another day, another count"
        return
    assert line.released()["cause"] == cause
    if cause == "retry":
        due = datetime.fromtimestamp(int(str(line.released()["next_at_ms"])) / 1000, UTC)
        assert (due.hour, due.date().isoformat() > today) == (0, True)


@pytest.mark.req("DIALER-03")
def test_a_number_that_is_spent_gives_way_to_the_contacts_next_one() -> None:
    numbers = (
        RecordNumber(number=HOME, attempts=6),
        RecordNumber(number="+12015550124", results={"busy": 6}),
        RecordNumber(number="+12015550125"),
    )
    line = Outbound(records=[card(numbers=numbers)])
    line.dial()
    assert line.dialed()[0].phone == "PJSIP/+12015550125@trunk"


@pytest.mark.req("SAFE-04")
@pytest.mark.parametrize("number", ["+442079460123", "112", "hello", "7000", "PJSIP/anna", "+19005550123", "1001"])
def test_a_list_cannot_make_us_dial_what_its_campaign_may_not(number: str) -> None:
    rules = predictive(dial=DialRights(allowed=("+1", "1", "7", "+44", "h", "P")))
    line = Outbound(rules, records=[card("rec_1", number)])
    line.pace(1)
    assert line.released()["cause"] == "no_number"
    assert not line.checks()


def test_without_a_trunk_records_stay_where_they_are() -> None:
    line = Outbound(configuration=replace(centre(predictive()), pbxs={"a": replace(centre().pbxs["a"], dial="")}))
    assert line.pace(2).values["begun"] == 0
    assert len(line.ready()) == 5


# ---------------------------------------------------------------------- one number in flight


@pytest.mark.req("SAFE-01", "PROG-06")
def test_a_number_that_is_in_flight_for_another_record_is_waited_for_lesson_32() -> None:
    rules = predictive(dial=DialRights(allowed=("+1", "1")))
    line = Outbound(rules, records=[card("rec_1", HOME), card("rec_2", "1" + HOME[2:]), card("rec_3", WORK)])
    assert line.pace(3).values["begun"] == 2
    assert line.ready() == ["rec_2"]
    line.allow_all()
    line.pace(1)
    assert line.ready() == ["rec_2"]
    line.fails(DialOutcome.BUSY)
    line.dial()
    assert line.record("rec_2").state is RecordState.CALLING


@pytest.mark.req("SAFE-01")
def test_a_contact_who_is_called_back_just_now_is_not_called_by_a_campaign_too() -> None:
    config = replace(centre(predictive(), callbacks=CALLBACKS), prompts=PROMPTS)
    line = Outbound(configuration=config, records=[card("rec_1", HOME)])
    asked = line.d.order(RequestCallback, number=HOME, queue="sales")
    owed = str(asked.values["interaction_id"])
    line.allow(owed)
    (agent_id,) = line.d.offered(owed)
    line.d.answer(owed, agent_id)
    assert line.state(owed) is S.CALLING_CUSTOMER
    assert line.pace(1).values["begun"] == 0
    line.d.give(FireTimer(key=key(Due.OFFER, owed)))
    line.d.advance(26)
    assert line.pace(1).values["begun"] == 1


@pytest.mark.req("SAFE-01")
def test_a_contact_whom_a_campaign_calls_just_now_is_not_called_back_too() -> None:
    config = replace(centre(predictive(), callbacks=CALLBACKS), prompts=PROMPTS)
    line = Outbound(configuration=config, records=[card("rec_1", HOME)]).dial()
    owed = str(line.d.order(RequestCallback, number=HOME, queue="sales").values["interaction_id"])
    line.allow(owed)
    (agent_id,) = line.d.offered(owed)
    line.d.answer(owed, agent_id)
    assert len(line.dialed()) == 1
    missed = line.d.told(EventType.CALLBACK_MISSED)[-1]
    assert missed.values["outcome"] == "in_flight"


# ---------------------------------------------------------------------- dialing


@pytest.mark.req("DIALER-03", "DIALER-08")
def test_an_attempt_is_told_with_what_made_it_lawful() -> None:
    numbers = (RecordNumber(number=HOME, kind="home", zone="UTC", zone_source="number", attempts=1),)
    asked_for = card(numbers=numbers, data={"consent": "web form of 2026-01-02"}, attempts=2, claim=9)
    line = Outbound(records=[asked_for]).dial()
    (started,) = line.told(EventType.ATTEMPT_STARTED)
    told = started.values
    assert (told["campaign"], told["record_id"], told["claim"], told["attempt"]) == ("spring", "rec_1", 9, 3)
    assert (told["number"], told["number_kind"], told["ani"], told["mode"]) == (HOME, "home", ANI, "predictive")
    assert started.interaction_id == line.of()
    basis = told["basis"]
    assert isinstance(basis, dict)
    assert basis["local_time"] == datetime.fromtimestamp(line.d.now_ms / 1000, UTC).isoformat(timespec="minutes")
    assert basis | {"local_time": ""} == {
        "zone": "UTC",
        "zone_source": "number",
        "local_time": "",
        "window": "always",
        "lists": ["all", "spring"],
        "revision": 0,
        "attempts": 3,
        "attempts_today": 1,
        "number_attempts": 2,
        "number_attempts_today": 1,
        "consent": "web form of 2026-01-02",
    }


def test_the_contact_is_told_as_a_call_of_its_campaign_with_the_records_data() -> None:
    line = one().dial()
    (arrived,) = line.d.told(EventType.INTERACTION_ARRIVED)
    told = arrived.values
    assert (told["kind"], told["ani"], told["dnis"], told["entry_point"]) == ("campaign", ANI, HOME, "calls")
    call = line.call()
    assert (call.state, call.cad, call.queue) == (S.CALLING_CUSTOMER, {"case": "7"}, "calls")
    assert not call.parties


@pytest.mark.req("OUT-03", "OUT-04", "OUT-05", "OUT-06")
@pytest.mark.parametrize(
    ("granted", "tenant", "reason"), [(2, None, "capacity_26"), (None, 2, "capacity_27"), (2, 2, "capacity_26")]
)
def test_campaigns_dial_no_more_than_the_limits_of_calls_allow(
    granted: int | None, tenant: int | None, reason: str
) -> None:
    line = Outbound(limits=CallLimits(tenant_calls=tenant))
    line.d.give(CapacityGranted(calls=granted))
    reply = line.pace(5)
    assert (reply.values["begun"], reply.values[f"clipped_{reason}"]) == (2, 3)
    line.allow_all()
    assert len(line.dialed()) == 2
    assert line.pace(5).values[f"clipped_{reason}"] == 5


@pytest.mark.req("OUT-03", "OUT-06")
def test_a_record_that_was_asked_about_goes_back_when_the_limit_is_reached_meanwhile() -> None:
    line = Outbound(records=numbered(1))
    line.pace(1)
    line.d.give(CapacityGranted(calls=0))
    line.allow()
    assert (line.dialed(), line.ready()) == ([], ["rec_1"])


@pytest.mark.req("SAFE-04", "SAFE-05")
def test_campaigns_count_among_the_numbers_that_a_tenant_may_dial_in_a_minute() -> None:
    line = Outbound(limits=CallLimits(tenant_dials_per_minute=2))
    line.dial(5)
    assert len(line.dialed()) == 2
    line.d.advance(59)
    assert line.pace(5).values["begun"] == 0
    line.d.advance(1)
    line.dial(5)
    assert len(line.dialed()) == 4


# ---------------------------------------------------------------------- its end


@pytest.mark.req("DIALER-03")
@pytest.mark.parametrize(
    ("outcome", "result", "rest_s"),
    [
        (DialOutcome.BUSY, "busy", 300),
        (DialOutcome.NO_ANSWER, "no_answer", 3600),
        (DialOutcome.REJECTED, "rejected", 86_400),
        (DialOutcome.UNREACHABLE, "unreachable", 3600),
        (DialOutcome.INVALID, "invalid", 60),
        (DialOutcome.CONGESTION, "congestion", 300),
        (DialOutcome.CANCELLED, "cancelled", 900),
    ],
)
def test_each_end_of_a_dialing_is_told_and_retried_by_its_rule(outcome: DialOutcome, result: str, rest_s: int) -> None:
    line = one().dial()
    of = line.of()
    line.d.now_ms += 7_000
    line.fails(outcome)
    told = line.outcome()
    assert (told["result"], told["ring_ms"], told["wait_ms"]) == (result, 7_000, 0)
    assert (told["is_live"], told["is_dropped"], told["is_hung_up"]) == (False, False, False)
    released = line.released()
    assert (released["cause"], released["result"]) == ("retry", result)
    assert released["next_at_ms"] == line.d.now_ms + rest_s * 1000
    assert line.d.ended[of].result is Result.FAILED
    assert line.dials() == (1, 0, 0, 0, 0)


def test_who_is_not_reached_in_time_has_not_answered() -> None:
    line = one(ring_timeout_s=20).dial()
    line.rings()
    line.d.advance(20)
    assert line.outcome()["result"] == AttemptResult.NO_ANSWER.value


@pytest.mark.req("SAFE-02")
def test_a_dialing_of_unknown_fate_counts_as_one() -> None:
    line = one().dial()
    (dial,) = line.dialed()
    line.d.give(CommandEnded(pbx="a", command_id=dial.id, outcome=CommandOutcome.UNKNOWN))
    assert line.outcome()["result"] == "unknown"
    assert (line.released()["cause"], line.dials()[0]) == ("retry", 1)
    assert dial.leg_id in line.d.hung_up(), "in case that it rings"


def test_a_dialing_that_the_pbx_refuses_is_congestion() -> None:
    line = one().dial()
    line.d.give(CommandEnded(pbx="a", command_id=line.dialed()[0].id, outcome=CommandOutcome.REFUSED, cause="down"))
    assert line.outcome()["result"] == "congestion"


@pytest.mark.req("SAFE-01")
def test_a_contact_who_is_found_gone_after_a_lost_link_was_dialed() -> None:
    line = one().dial()
    line.rings()
    line.d.give(LinkLost(pbx="a"))
    line.d.advance(60)
    assert line.outcome()["result"] == "unknown"
    line.d.give(LinkRestored(pbx="a"))
    assert len(line.told(EventType.ATTEMPT_ENDED)) == 1


def test_records_come_in_their_order_and_each_once() -> None:
    line = Outbound(records=[card("rec_b", HOME, priority=3), card("rec_a", WORK, priority=9)])
    line.pace(1)
    assert line.checks()[-1].interaction_id == "rec_a"
    line.pace(5)
    assert [c.interaction_id for c in line.checks()] == ["rec_a", "rec_b"]


@pytest.mark.req("CAMP-07")
def test_stopping_a_campaign_takes_back_what_only_rings() -> None:
    line = Outbound(records=numbered(3)).dial(2)
    rung = [dial.leg_id for dial in line.dialed()]
    line.control(CampaignTrigger.STOP)
    assert set(rung) <= set(line.d.hung_up())
    assert {e.values["result"] for e in line.told(EventType.ATTEMPT_ENDED)} == {"cancelled"}
    assert {e.values["cause"] for e in line.told(EventType.RECORD_RELEASED)} == {"campaign"}
    assert not line.d.world.state.records
    assert line.d.state_of(ANNA) == "available"


@pytest.mark.req("CAMP-07", "DIALER-03")
@pytest.mark.parametrize("is_gone", [False, True])
def test_who_rang_when_the_campaign_was_stopped_is_not_called_again_at_once(is_gone: bool) -> None:
    line = Outbound(records=numbered(2)).dial(1)
    if is_gone:
        without(line, "campaigns")
    else:
        line.control(CampaignTrigger.STOP)
    rang, waited = line.released("rec_1"), line.released("rec_2")
    assert (rang["cause"], rang["result"]) == ("campaign", "cancelled")
    assert rang["next_at_ms"] == line.d.now_ms + 900_000
    assert (waited["cause"], waited["next_at_ms"]) == ("campaign", None), "nobody has called him"


@pytest.mark.req("CAMP-07", "DIALER-03")
def test_the_last_attempt_of_a_record_stays_its_last_when_the_campaign_is_stopped() -> None:
    line = Outbound(predictive(limits=AttemptLimits(record=1)), records=numbered(1)).dial(1)
    line.control(CampaignTrigger.STOP)
    assert line.released()["cause"] == "spent"


@pytest.mark.req("CAMP-07", "CBS-01")
def test_what_the_agent_has_planned_while_it_rang_stands_when_the_campaign_is_stopped() -> None:
    line = Line().calling()
    at_ms = line.d.now_ms + 7_200_000
    assert line.order(PlanCallback, at_ms=at_ms, zone="UTC").code == "ok"
    line.control(CampaignTrigger.STOP)
    (released,) = line.released()
    assert (released.values["cause"], released.values["next_at_ms"]) == ("callback", at_ms)


def test_a_paused_campaign_dials_nothing_new_and_lets_ring_what_rings() -> None:
    line = Outbound(records=numbered(3))
    line.dial(1)
    line.pace(1)
    line.control(CampaignTrigger.PAUSE)
    line.allow("rec_2")
    assert line.record().state is RecordState.CALLING
    assert line.ready() == ["rec_2", "rec_3"]
    assert line.pace(1).code == "campaign-not-running"


def test_a_campaign_without_an_entry_point_has_calls_all_the_same() -> None:
    line = Outbound(campaign(predictive().mode, entry_point="", pacing=predictive().pacing)).dial()
    assert line.call().cad == {"case": "7"}


# ---------------------------------------------------------------------- a new configuration


def without(line: Outbound, what: str) -> None:
    config = line.d.world.config
    changes: dict[str, Any] = {"campaigns": {}, "pbxs": {}, "agents": {}}
    line.d.apply(replace(config, **{what: changes[what]}))


@pytest.mark.req("SAFE-01")
@pytest.mark.parametrize("when", ["ready", "checking", "ringing", "reached"])
@pytest.mark.parametrize("what", ["campaigns", "pbxs", "agents"])
def test_nothing_is_stuck_when_the_configuration_has_it_no_more(what: str, when: str) -> None:
    line = Outbound(records=numbered(1))
    of = ""
    if when != "ready":
        line.pace(1)
    if when in ("ringing", "reached"):
        line.allow()
        of = line.of()
    if when == "reached":
        line.answers()
    without(line, what)
    if when == "checking":
        line.allow()
    line.d.advance(120)
    if what != "campaigns":
        line.control(CampaignTrigger.STOP)
    line.d.advance(120)
    assert not line.d.world.state.records
    assert not line.d.world.state.interactions
    assert not [k for k in line.d.world.state.timers if "rec_1" in k or (of and of in k)]
    started, ended = (line.told(type_) for type_ in (EventType.ATTEMPT_STARTED, EventType.ATTEMPT_ENDED))
    assert len(started) == len(ended) == (when in ("ringing", "reached") or (when, what) == ("checking", "agents"))
    assert len(line.told(EventType.RECORD_RELEASED)) == 1
