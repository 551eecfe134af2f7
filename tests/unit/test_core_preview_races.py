"""What happens between an agent's order and the telephone that rings for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import DialMode, PreviewRules
from routing.core.config import Result
from routing.core.events import EventType
from routing.core.facts import CommandEnded, CommandOutcome, LinkLost, PhoneState
from routing.core.limits import CallLimits
from routing.core.orders import AcceptRecord, DialRecord, GoIdle, LeaveCampaign, MarkDoNotCall
from routing.core.record import RecordNumber
from tests.unit.campaign_line import ANNA, BEN, HOME, OTHER, Line, campaign, card, centre, preview


@pytest.mark.req("PREV-14", "OUT-06", "A16")
def test_calls_that_are_used_up_while_it_is_asked_leave_the_record_where_it_was() -> None:
    line = Line(centre(limits=CallLimits(tenant_calls=1)))
    line.get()
    first = line.of()
    assert line.accept().code == "ok"
    call = line.d.call()
    line.allow()
    assert line.ready() == ["rec_1"]
    assert line.d.ended[first].result is Result.CANCELLED
    assert [dial.interaction_id for dial in line.dialed()] == [call]  # she is free for the caller


@pytest.mark.req("PREV-15")
@pytest.mark.parametrize("kind", [AcceptRecord, DialRecord])
def test_a_record_that_is_asked_about_is_not_taken_twice(kind: type) -> None:
    line = Line()
    line.get()
    line.accept()
    reply = line.order(kind)
    assert (reply.code, reply.values["allowed_actions"]) == ("action-not-allowed", ["decline_record"])
    assert line.decline().code == "ok"
    line.allow()  # too late
    assert (line.of(), line.dialed()) == ("", [])
    assert len(line.released()) == 1


@pytest.mark.req("STATE-03", "STATE-10", "PREV-18")
@pytest.mark.parametrize("why", ["idle", "phone busy", "link down", "paused"])
def test_an_agent_who_cannot_be_rung_when_the_answer_comes_is_let_go(why: str) -> None:
    line = Line()
    line.get()
    line.accept()
    match why:
        case "idle":
            line.d.order(GoIdle, agent_id=ANNA, reason="break")
        case "phone busy":
            line.d.phone(ANNA, PhoneState.BUSY)
        case "link down":
            line.d.give(LinkLost(pbx="a"))
        case "paused":
            line.control(CampaignTrigger.PAUSE)
    line.allow()
    assert (line.of(), line.dialed(), line.ready()) == ("", [], ["rec_1"])


@pytest.mark.parametrize("stage", ["previewing", "asked", "rings"])
def test_who_leaves_the_campaign_keeps_what_he_has_in_hand(stage: str) -> None:
    line = Line()
    line.get()
    if stage != "previewing":
        line.accept()
    if stage == "rings":
        line.allow()
    first = line.of()
    line.d.order(LeaveCampaign, agent_id=ANNA, campaign="spring")
    assert line.of() == first
    if stage == "previewing":
        line.accept()
    if stage != "rings":
        line.allow()
    line.answers()
    line.answers()
    assert line.done(interaction_id=first).code == "ok"
    assert len(line.released()) == 1
    assert line.get().code == "campaign-not-joined"


@pytest.mark.req("DISP-05")
@pytest.mark.parametrize("stage", ["asked", "agent rings", "contact rings"])
def test_a_mark_from_outside_stops_what_is_on_its_way_and_frees_the_agent(stage: str) -> None:
    line = Line(records=[card("rec_1", HOME)])
    line.get()
    line.accept()
    if stage != "asked":
        line.allow()
    if stage == "contact rings":
        line.answers()
    line.d.order(MarkDoNotCall, number=HOME)
    assert [e.values["cause"] for e in line.released()] == ["do_not_call"]
    assert (line.of(), line.d.state_of(ANNA)) == ("", "available")
    assert len(line.d.told(EventType.ATTEMPT_ENDED)) == (stage == "contact rings")


def test_a_late_answer_about_a_record_that_went_back_changes_nothing() -> None:
    line = Line(preview(DialMode.PROGRESSIVE))
    line.accept()
    line.d.order(GoIdle, agent_id=ANNA, reason="break")
    line.decline()
    before = line.record()
    line.allow()
    assert (line.record(), line.dialed()) == (before, [])


@pytest.mark.req("SAFE-02", "A15")
@pytest.mark.parametrize(("outcome", "is_his"), [(CommandOutcome.UNKNOWN, True), (CommandOutcome.REFUSED, False)])
def test_a_telephone_of_which_nobody_knows_counts_as_no_decline(outcome: CommandOutcome, is_his: bool) -> None:
    line = Line(agents=(ANNA, BEN)).accepted()
    line.d.give(CommandEnded(pbx="a", command_id=line.offer().id, outcome=outcome))
    assert (line.of(), line.ready()) == ("", ["rec_1"])
    assert (ANNA not in line.record().declined) is is_his
    assert line.get().code == ("ok" if is_his else "no-record")


@pytest.mark.req("DIALER-03", "PREV-10")
def test_a_new_number_is_dialed_within_the_contacts_own_window() -> None:
    rules = campaign(hours="", default_zone="", preview=PreviewRules(timeout_s=None))
    at_home = RecordNumber(number=HOME, zone="America/Los_Angeles", zone_source="number")
    line = Line(centre(rules), records=[])
    line.d.advance(10 * 3600)  # 10 in the morning there
    line.add(replace(card(), numbers=(at_home,)))
    assert line.get().code == "ok"
    line.d.advance(15 * 3600)  # 1 at night there, 9 in the morning by the server's clock
    assert line.order(DialRecord, number=OTHER).values["because"] == "window"
    line.d.advance(8 * 3600)
    assert line.order(DialRecord, number=OTHER).code == "ok"


@pytest.mark.req("PROG-06")
def test_records_that_nobody_can_get_for_long_make_room_for_others() -> None:
    line = Line(centre(campaign(hours="")), records=[])
    line.d.advance(16 * 3600)  # midnight by the server's clock, 19 in New York
    night = RecordNumber(number=HOME, zone="Europe/London", zone_source="number")
    line.add(*(replace(card(f"rec_{n}"), numbers=(night,)) for n in range(3)))
    assert line.get().code == "no-record"
    assert line.ready() == []
    assert [e.values["cause"] for e in line.d.told(EventType.RECORD_RELEASED)] == ["window"] * 3
    line.add(card("rec_9"))
    assert line.get().code == "ok"
