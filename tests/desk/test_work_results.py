"""What comes of a record on the agent's desk: its result, its callback, its guide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.desk.desk_site import AtDesk
from tests.desk.work_site import EVIL, buttons, cleared, hands, running, shown, talks, text_of
from tests.integration.campaign_site import enlist, hand_over, recorded
from tests.integration.control_site import Site
from tests.waiting import wait_until


@pytest.fixture
def site(campaigns: Site) -> Iterator[Site]:
    yield campaigns
    cleared(campaigns)


@pytest.fixture
def anna(site: Site) -> AtDesk:
    return AtDesk(site, "anna")


def card_of(site: Site, interaction_id: str) -> dict[str, Any]:
    found: dict[str, Any] = site.get(f"interactions/{interaction_id}", "anna")["campaign"]["card"]
    return found


def result(anna: AtDesk, interaction_id: str, do: str, **fields: Any) -> str:
    form = {"main": "", "date": "", "time": "", "zone": "UTC", "whose": "any"} | fields
    return anna.post(f"/desk/agent/records/{interaction_id}/result", do=do, **form)


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")


# ---------------------------------------------------------------------- result, done


@pytest.mark.req("DISP-01", "DISP-02", "DISP-03", "DISP-04")
def test_a_needed_result_is_asked_for_at_its_place_and_then_the_record_is_done(site: Site, anna: AtDesk) -> None:
    interaction_id = talks(anna, running(site))
    answer = result(anna, interaction_id, "stop")
    assert "Choose a result first." in answer
    assert site.call_data(interaction_id).state.value == "connected"
    result(anna, interaction_id, "save", main="later", also="sold")
    assert card_of(site, interaction_id)["codes"] == ["later", "sold"]
    html = anna.region("records")
    assert '<option value="later" selected>' in html
    result(anna, interaction_id, "stop", main="sold", reason="done")
    assert hands(site) == []


@pytest.mark.req("DISP-02", "DISP-05")
def test_a_do_not_call_mark_is_shown_as_one_that_stays(site: Site, anna: AtDesk) -> None:
    interaction_id = talks(anna, running(site))
    result(anna, interaction_id, "save", main="sold", do_not_call="1")
    assert card_of(site, interaction_id)["do_not_call"]
    html = anna.region("records")
    assert "That cannot be taken back." in html
    assert "checked disabled" in html


@pytest.mark.req("PREV-19", "PREV-20")
@pytest.mark.parametrize(("do", "is_shown"), [("done", True), ("stop", False)])
def test_mark_done_lays_the_next_record_before_her_and_done_and_stop_does_not(
    site: Site, anna: AtDesk, do: str, is_shown: bool
) -> None:
    interaction_id = talks(anna, running(site))
    following = running(site)
    assert {"Mark done", "Done and stop"} <= set(buttons(anna.region("records")))
    result(anna, interaction_id, do, main="sold", reason="done")
    if is_shown:
        wait_until(lambda: following.name in anna.region("records"))
    else:
        assert hands(site) == []
        assert "Get record" in buttons(anna.region("campaigns"))


@pytest.mark.req("DISP-03", "CBS-02")
def test_the_record_is_marked_done_in_wrap_up_too(site: Site, anna: AtDesk) -> None:
    interaction_id = talks(anna, running(site))
    site.do(interaction_id, "end")
    wait_until(lambda: not hands(site)[0]["is_live"])
    assert "Mark done" in buttons(anna.region("records"))
    result(anna, interaction_id, "stop", main="sold", reason="later")
    assert hands(site) == []


# ---------------------------------------------------------------------- callback


@pytest.mark.req("CBS-01", "CBS-03", "CBS-04", "CBS-06")
def test_a_callback_is_planned_shown_and_taken_back(site: Site, anna: AtDesk) -> None:
    interaction_id = talks(anna, running(site))
    about = {"date": tomorrow(), "time": "12:30", "zone": "Europe/Berlin", "whose": "me"}
    result(anna, interaction_id, "save", callback_number="+12015550177", callback_kind="work", **about)
    planned = card_of(site, interaction_id)["callback"]
    assert (planned["zone"], planned["is_personal"], planned["number"]) == ("Europe/Berlin", True, "+12015550177")
    html = anna.region("records")
    assert f'value="{tomorrow()}"' in html
    assert 'value="12:30"' in html
    assert "Scheduled for" in html
    result(anna, interaction_id, "save")
    assert card_of(site, interaction_id)["callback"] is None


@pytest.mark.req("CBS-04")
def test_a_callback_that_she_has_planned_is_among_those_she_has_to_make(site: Site, anna: AtDesk) -> None:
    enlist(site, 95, name=f"Dora {EVIL}")
    running(site)
    anna.post(f"/desk/agent/records/{shown(anna)}/decline", choice="never")
    hand_over(site)
    interaction_id = shown(anna)
    assert "Nobody waits" in anna.get("/desk/agent/work/callbacks")
    about = {"date": tomorrow(), "time": "18:30", "zone": "UTC", "whose": "me"}
    result(anna, interaction_id, "stop", main="later", **about)
    wait_until(lambda: not hands(site))
    recorded(site)
    html = anna.get("/desk/agent/work/callbacks")
    assert "Dora &lt;script&gt;" in html
    assert "I myself" in text_of(html)
    assert "6:30" in text_of(html)
    assert "Dora" not in AtDesk(site, "ben").get("/desk/agent/work/callbacks")


@pytest.mark.req("CBS-07", "CBS-08")
def test_a_callback_in_the_past_keeps_the_record_open_until_it_is_corrected_or_cancelled(
    site: Site, anna: AtDesk
) -> None:
    interaction_id = talks(anna, running(site))
    answer = result(anna, interaction_id, "stop", main="later", date="2020-01-01", time="12:00", reason="done")
    assert "This time is in the past." in answer
    assert hands(site)[0]["state"] == "connected", "it is not done"
    assert card_of(site, interaction_id)["callback"] is None
    half = result(anna, interaction_id, "stop", main="later", date=tomorrow(), reason="done")
    assert 'role="alert"' in half
    assert hands(site)
    result(anna, interaction_id, "stop", main="later", reason="done")
    assert hands(site) == []


@pytest.mark.req("CBS-07")
def test_the_reason_of_a_refusal_is_told_at_the_field_of_the_callback(site: Site, anna: AtDesk) -> None:
    interaction_id = talks(anna, running(site))
    for wrong, told in (({"zone": "Nowhere/City"}, "There is no such time zone."), ({"time": "soon"}, "date and time")):
        answer = result(anna, interaction_id, "save", **({"date": tomorrow(), "time": "12:00"} | wrong))
        assert told in answer


# ---------------------------------------------------------------------- guide


@pytest.mark.req("GUIDE-01", "GUIDE-02", "GUIDE-03", "GUIDE-04")
def test_the_answers_lead_through_the_guide_until_it_is_submitted(site: Site, anna: AtDesk) -> None:
    interaction_id = talks(anna, running(site))
    path = f"/desk/agent/records/{interaction_id}/guide"
    html = anna.region("records")
    assert "Are you insured?" in html
    assert "With whom?" not in html
    assert "Submit the guide" not in buttons(html)
    assert "A question is still open." in anna.post(path, do="submit")
    anna.post(path, question="insured", answer="yes")
    html = anna.region("records")
    assert "With whom?" in html
    anna.post(path, question="with", answer=EVIL)
    html = anna.region("records")
    assert EVIL not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "Submit the guide" in buttons(html)
    anna.post(path, question="insured", answer="no")
    assert "With whom?" not in anna.region("records"), "another way, other questions"
    anna.post(path, do="submit")
    assert card_of(site, interaction_id)["guide_done"]
    html = anna.region("records")
    assert "The guide is complete." in html
    assert "Submit the guide" not in buttons(html)
