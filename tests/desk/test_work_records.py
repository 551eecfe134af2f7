"""A record on the agent's desk, before its call: shown, dialed, declined."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from routing.app.clock import SystemClock
from routing.core.record import DueCallback
from telephony.simulated.habits import Answers, Constant, RingsOut
from tests.desk.desk_site import AtDesk
from tests.desk.work_site import EVIL, buttons, cleared, hands, running, shown, text_of
from tests.integration.campaign_site import DEED_S
from tests.integration.control_site import Site
from tests.waiting import wait_until


@pytest.fixture
def site(campaigns: Site) -> Iterator[Site]:
    yield campaigns
    cleared(campaigns)


@pytest.fixture
def anna(site: Site) -> AtDesk:
    return AtDesk(site, "anna")


# ---------------------------------------------------------------------- before the call


@pytest.mark.req("PREV-03", "PREV-04", "PREV-05", "PREV-09")
def test_the_preview_shows_case_record_and_numbers_before_anything_is_dialed(site: Site, anna: AtDesk) -> None:
    made = running(site)
    shown(anna)
    html = anna.region("records")
    text = text_of(html)
    for expected in ("Spring", "Car insurance", "Best time after five", made.name, *(n.number for n in made.numbers)):
        assert expected in text
    assert {"Call", "Accept", "Call this contact later", "Skip to the next one"} <= set(buttons(html))
    assert hands(site)[0]["campaign"]["dialed_at"] is None


def test_markup_in_a_name_and_in_a_column_stays_text(site: Site, anna: AtDesk) -> None:
    running(site, name=EVIL, data={"reach": EVIL, "card": "1", "case": EVIL})
    shown(anna)
    page = anna.get("/desk/agent")
    assert EVIL not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 2


@pytest.mark.req("PREV-09", "PREV-10")
def test_another_number_is_called_and_what_is_wrong_with_it_is_told_at_its_field(site: Site, anna: AtDesk) -> None:
    running(site)
    interaction_id = shown(anna)
    answer = anna.post(f"/desk/agent/records/{interaction_id}/dial", number="", other="+4930123456", kind="work")
    assert 'role="alert"' in answer
    assert hands(site)[0]["state"] == "previewing"
    phone = site.outside("+12015550188", RingsOut())
    site.habit("anna", Answers(Constant(20)))
    anna.post(f"/desk/agent/records/{interaction_id}/dial", status=204, number="", other="+1 201 555 0188", kind="work")
    wait_until(lambda: phone.rings == 1, DEED_S)
    assert hands(site)[0]["campaign"]["number_kind"] == "work"


@pytest.mark.req("PREV-11", "PREV-12", "PREV-13")
def test_declining_has_its_choices_and_skip_shows_the_next_one(site: Site, anna: AtDesk) -> None:
    first, second = running(site), running(site)
    anna.post(f"/desk/agent/records/{shown(anna)}/decline", choice="skip")
    assert second.name in anna.region("records")
    (one,) = hands(site)
    anna.post(f"/desk/agent/records/{one['id']}/decline", choice="never")
    assert second.name not in anna.region("records")
    assert first.name not in anna.region("records")


@pytest.mark.req("PREV-08")
def test_a_record_that_is_dialed_by_itself_counts_down_to_that_moment(site: Site, anna: AtDesk) -> None:
    running(site, "timed")
    shown(anna, "timed")
    dial_at = hands(site)[0]["campaign"]["dial_at"]
    html = anna.region("records")
    assert f'data-until="{dial_at}"' in html
    assert "Called by itself in" in html
    assert "Call" in buttons(html), "she may call earlier"


@pytest.mark.req("PREV-07", "PREV-17")
def test_a_record_that_is_accepted_is_called_at_once_and_the_call_can_be_cancelled(site: Site, anna: AtDesk) -> None:
    made = running(site, "eager")
    interaction_id = shown(anna, "eager")
    phone = site.outside(made.numbers[0].number, RingsOut())
    site.habit("anna", Answers(Constant(20)))
    anna.post(f"/desk/agent/records/{interaction_id}/accept", status=204)
    wait_until(lambda: phone.rings == 1, DEED_S)
    assert "Cancel the call" in " ".join(buttons(anna.region("calls")))
    anna.post(f"/desk/agent/calls/{interaction_id}/do/cancel_outdial", status=204)
    wait_until(lambda: site.call_data(interaction_id).state.value != "calling_customer")


@pytest.mark.req("CBS-09", "CBS-10")
@pytest.mark.parametrize(("whose", "told"), [("anna", "Personal callback"), ("", "Callback")])
def test_a_callback_that_is_due_comes_as_a_preview_that_says_so(
    site: Site, anna: AtDesk, whose: str, told: str
) -> None:
    made = running(site, callback=DueCallback(at_ms=SystemClock().now_ms(), agent_id=whose))
    if not hands(site):
        shown(anna)
    html = anna.region("records")
    assert made.name in html
    assert f'<span class="badge warn">{told}</span>' in html
    assert f"<dd>{told}</dd>" in html


@pytest.mark.req("PROG-07")
def test_in_a_seat_she_waits_for_a_contact_of_whom_nothing_is_known(site: Site, anna: AtDesk) -> None:
    site.habit("anna", Answers(Constant(20)))
    made = running(site, "winter")
    wait_until(lambda: "Waiting for a contact" in anna.region("records"), DEED_S)
    page = anna.get("/desk/agent")
    assert made.name not in page
    assert made.numbers[0].number not in page
    assert "Your telephone is connected and waits for a contact." in anna.region("campaigns")


@pytest.mark.req("PROG-02", "PROG-04")
def test_a_progressive_record_comes_by_itself_to_be_accepted_or_declined(site: Site, anna: AtDesk) -> None:
    stream = anna.stream()
    made = running(site, "autumn")
    html = next(data for name, data in stream if name == "records" and made.name in data)
    assert "The record is taken away in" in html
    pressed = buttons(html)
    assert {"Accept", "Decline"} <= set(pressed)
    assert not {"Call", "Call this contact later", "Skip to the next one"} & set(pressed)
    (one,) = hands(site)
    anna.post(f"/desk/agent/records/{one['id']}/decline", choice="later")
    assert one["id"] not in [still["id"] for still in hands(site)]


@pytest.mark.req("PREV-18")
def test_after_an_attempt_that_failed_she_can_start_again(site: Site, anna: AtDesk) -> None:
    made = running(site)
    interaction_id = shown(anna)
    site.outside(made.numbers[0].number, RingsOut())
    site.habit("anna", Answers(Constant(20)))
    anna.post(f"/desk/agent/records/{interaction_id}/dial", status=204, number=made.numbers[0].number)
    wait_until(lambda: site.call_data(interaction_id).state.value == "calling_customer", DEED_S)
    assert "Get record" not in buttons(anna.region("campaigns"))
    site.do(interaction_id, "cancel")
    running(site)
    wait_until(lambda: "Get record" in buttons(anna.region("campaigns")), DEED_S)
    shown(anna)
