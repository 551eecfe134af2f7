"""One of a contact's numbers must not be called: that number is out, the record goes on with the others (DIALER-04)."""

from __future__ import annotations

import pytest

from routing.core.campaign import CampaignTrigger
from routing.core.interaction import InteractionState
from routing.core.orders import DialRecord, Dispose, MarkDoNotCall
from routing.core.record import RecordState
from tests.unit.campaign_line import ANNA, HOME, OTHER, WORK, Line, card
from tests.unit.customers_line import Outbound

pytestmark = pytest.mark.req("DIALER-04", "DISP-05")


def one(*numbers: str) -> Outbound:
    return Outbound(records=[card("rec_1", *(numbers or (HOME, WORK)))])


def mark(line: Outbound | Line, number: str) -> None:
    assert line.d.order(MarkDoNotCall, number=number).code == "ok"


def test_a_number_that_turns_out_to_be_marked_leaves_the_others_to_be_called() -> None:
    line = one()
    line.pace(1)
    line.allow(is_blocked=True)
    told = line.released()
    assert (told["cause"], told["blocked"], told["next_at_ms"]) == ("retry", [HOME], line.d.now_ms)
    assert not told["do_not_call"], "the person is not marked"


def test_a_record_is_closed_when_its_last_number_is_marked() -> None:
    line = one(HOME, WORK)
    line.pace(1)
    mark(line, WORK)
    line.allow(is_blocked=True)
    told = line.released()
    assert (told["cause"], told["blocked"]) == ("do_not_call", [WORK, HOME])


def test_two_spellings_of_a_marked_number_are_both_out() -> None:
    line = one(HOME, HOME.removeprefix("+1"))
    mark(line, HOME)
    told = line.released()
    assert told["cause"] == "do_not_call"


def test_a_mark_on_the_number_that_rings_ends_the_call_and_the_next_number_has_its_rest() -> None:
    line = one()
    line.dial()
    mark(line, HOME)
    told = line.released()
    assert (told["cause"], told["result"]) == ("retry", "cancelled")
    assert (told["next_number"], told["next_at_ms"]) == (1, line.d.now_ms + 900_000)


def test_a_mark_on_another_number_lets_ring_what_rings_and_is_not_forgotten() -> None:
    line = one()
    line.dial()
    mark(line, WORK)
    assert line.record().state is RecordState.CALLING
    line.control(CampaignTrigger.STOP)
    told = line.released()
    assert (told["blocked"], told["next_number"]) == ([WORK], 0)


def test_a_record_before_an_agent_stays_with_him_and_is_called_at_another_number() -> None:
    line = Line()
    line.get()
    mark(line, HOME)
    assert line.shown_to() == "rec_1"
    assert line.order(DialRecord, number=HOME).values["because"] == "no_number"
    assert line.accept().values["number"] == WORK


def test_a_number_that_turns_out_to_be_marked_frees_the_agent_and_the_record_comes_again() -> None:
    line = Line()
    line.get()
    line.accept()
    line.allow(is_blocked=True)
    (told,) = line.released()
    assert (told.values["cause"], told.values["blocked"]) == ("retry", [HOME])
    assert (line.d.state_of(ANNA), line.dialed()) == ("available", [])


def test_a_new_number_that_is_marked_is_out_and_the_contacts_own_are_not() -> None:
    line = Line()
    line.get()
    assert line.order(DialRecord, number=OTHER, number_kind="mobile").code == "ok"
    line.allow(is_blocked=True)
    (told,) = line.released()
    assert (told.values["cause"], told.values["blocked"]) == ("retry", [OTHER])


def test_a_mark_for_the_person_closes_the_record_whatever_numbers_are_left() -> None:
    line = Line().talks()
    line.order(Dispose, do_not_call=True)
    line.done()
    (told,) = line.released()
    assert (told.values["cause"], told.values["do_not_call"]) == ("do_not_call", True)


def test_a_mark_for_the_person_while_it_is_asked_whether_he_may_be_called_closes_the_record() -> None:
    line = Line()
    line.get()
    line.accept()
    assert line.record().state is RecordState.CHECKING
    assert line.order(Dispose, do_not_call=True).code == "ok"
    (told,) = line.released()
    assert (told.values["cause"], told.values["do_not_call"]) == ("do_not_call", True)


def test_a_marked_number_is_not_tried_after_another_one_has_failed() -> None:
    line = one(HOME, WORK, OTHER)
    line.dial()
    mark(line, WORK)
    line.d.advance(30)  # nobody picks up: then the next number's turn
    told = line.released()
    assert (told["result"], told["next_number"], told["blocked"]) == ("no_answer", 2, [WORK])


def test_who_talks_is_not_cut_off_by_a_mark_on_his_number() -> None:
    line = Line().talks()
    mark(line, HOME)
    assert line.state() is InteractionState.CONNECTED
