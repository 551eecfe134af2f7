"""The panels around the calls: history, address book, responses, callbacks."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.desk.cookies import COOKIE
from routing.desk.language import ZONE_COOKIE
from routing.store.errors import DatabaseUnavailable
from telephony.simulated.habits import Answers, Constant
from tests.desk.desk_site import AtDesk
from tests.desk.work_site import EVIL, cleared, recorded, text_of
from tests.integration.control_config import CALLER, CUSTOMER
from tests.integration.control_site import Site
from tests.waiting import wait_until


@pytest.fixture
def site(plain: Site) -> Site:
    return plain


@pytest.fixture
def anna(site: Site) -> AtDesk:
    return AtDesk(site, "anna")


def panel(desk: AtDesk, name: str) -> str:
    return desk.get(f"/desk/agent/work/{name}")


def had(site: Site, reason: str | None = "done", **cad: str) -> str:
    """A call that anna has had, in the history."""
    site.free("anna")
    interaction_id = site.call("anna", **cad)
    site.do(interaction_id, "notes", text=f"Noted {EVIL}")
    site.do(interaction_id, "hold")
    site.do(interaction_id, "resume")
    site.do(interaction_id, "end")
    if reason:
        site.do(interaction_id, "wrap-up", reason=reason)
    recorded(site)
    return interaction_id


# ---------------------------------------------------------------------- history


@pytest.mark.req("HIST-01")
def test_notes_that_were_written_are_listed_on_the_card_of_the_call(site: Site, anna: AtDesk) -> None:
    interaction_id = had(site, None)
    told = anna.get(f"/desk/agent/calls/{interaction_id}/notes")
    assert text_of(told).startswith("Anna, ")
    assert "Noted &lt;script&gt;" in told
    assert anna.get("/desk/agent/calls/int_unknown/notes") == ""
    cleared(site)


@pytest.mark.req("HIST-01", "HIST-02")
def test_a_call_is_in_her_history_once_it_is_wrapped_up_and_is_told_in_full(site: Site, anna: AtDesk) -> None:
    interaction_id = had(site, None, case="A-17")
    assert interaction_id not in panel(anna, "history")
    site.do(interaction_id, "wrap-up", reason="later")
    recorded(site)
    html = panel(anna, "history")
    assert interaction_id in html
    assert "later" in text_of(html)
    story = panel(anna, f"history/{interaction_id}")
    text = text_of(story)
    expected = ("Carla", "Incoming call", "A-17", "later", "First agent", "On hold", "Sales", "Case")
    for told in expected:
        assert told in text
    assert EVIL not in story
    assert "Noted &lt;script&gt;" in story


def test_the_history_is_searched_by_number_queue_and_day(site: Site, anna: AtDesk) -> None:
    interaction_id = had(site)
    for query in (f"number={CALLER.replace('+', '%2B')}", "queue=sales", "from=2020-01-01", "view=calls"):
        assert interaction_id in panel(anna, f"history?{query}")
    for query in ("number=%2B12015550199", "queue=help", "to=2020-01-01"):
        assert interaction_id not in panel(anna, f"history?{query}")
    assert interaction_id in panel(anna, f"history?whose=all&number={CALLER[1:]}")
    story = panel(anna, f"history/{interaction_id}?queue=sales&view=calls")
    assert "view=calls" in re.findall(r'id="story-back" hx-get="([^"]+)"', story)[0], "back to what was searched for"
    assert "Enter a number" in panel(anna, "history?whose=all")
    assert "This is no date." in panel(anna, "history?from=soon")


def test_times_and_days_are_those_of_the_reader(site: Site) -> None:
    interaction_id = had(site)
    at = datetime.fromisoformat(site.get(f"history/{interaction_id}")["entered_at"])

    def seen(zone: str, query: str = "") -> str:
        client = site.app.test_client()
        for name, value in ((COOKIE, "anna"), (ZONE_COOKIE, zone)):
            client.set_cookie(name, value, path="/")
        return str(client.get(f"/desk/agent/work/history{query}").text)

    for zone in ("Asia/Tokyo", "America/New_York"):
        there = at.astimezone(ZoneInfo(zone))
        assert f"{there.hour % 12 or 12}:{there.minute:02d}" in seen(zone)
        day = there.date().isoformat()
        assert interaction_id in seen(zone, f"?from={day}&to={day}")
        before = (there.date() - timedelta(days=1)).isoformat()
        assert interaction_id not in seen(zone, f"?to={before}")
    assert f"{at.hour % 12 or 12}:{at.minute:02d}" in seen("../../etc/passwd"), "no zone is UTC"


def test_a_long_history_comes_in_pages_without_gap_or_repetition(
    site: Site, anna: AtDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    had(site)
    seen: list[str] = []
    monkeypatch.setattr("routing.desk.agent.history._AT_ONCE", 1)
    had(site)
    path = "history"
    while path:
        html = panel(anna, path)
        seen += re.findall(r'id="story-(int_\w+)"', html)
        more = re.search(r'hx-get="/desk/agent/work/(history\?[^"]+)" hx-target="closest tr"', html)
        path = more[1].replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen))
    assert len(seen) >= 2


@pytest.mark.req("HIST-03", "HIST-04", "HIST-05")
def test_a_customer_is_called_again_from_the_history_with_the_number_as_it_was_edited(site: Site, anna: AtDesk) -> None:
    interaction_id = had(site)
    story = panel(anna, f"history/{interaction_id}")
    assert f'name="number" type="tel" value="{CALLER}"' in story
    wrong = anna.post(f"/desk/agent/history/{interaction_id}/call", number="12")
    assert 'role="alert"' in wrong
    site.outside(CUSTOMER, Answers(Constant(20)))
    anna.post(f"/desk/agent/history/{interaction_id}/call", number=CUSTOMER)
    wait_until(lambda: [i.dnis for i in site.front.load().interactions.values()] == [CUSTOMER])
    (outdial,) = site.front.load().interactions
    site.reaches(outdial, "connected")
    refused = anna.post(f"/desk/agent/history/{interaction_id}/call", number=CUSTOMER)
    assert 'role="alert"' in refused, "not during a call"
    site.do(outdial, "end")
    site.do(outdial, "wrap-up", reason="done")


def test_a_colleagues_call_is_not_hers(site: Site, anna: AtDesk) -> None:
    interaction_id = had(site)
    assert interaction_id in panel(anna, "history")
    assert interaction_id not in panel(AtDesk(site, "cleo"), "history")
    AtDesk(site, "cleo").get(f"/desk/agent/work/history/{interaction_id}", status=404)


# ---------------------------------------------------------------------- address book, callbacks, what is in hand


@pytest.mark.req("OUT-07", "DIAL-14", "PERM-04")
def test_the_address_book_is_searched_by_name_and_its_numbers_are_called(site: Site, anna: AtDesk) -> None:
    site.post("address-book", {"name": f"Depot {EVIL}", "number": "+12015550160"}, status=201)
    html = panel(anna, "book?q=depot")
    assert EVIL not in html
    assert 'name="number" value="+12015550160"' in html
    assert 'name="source" value="address_book"' in html
    assert "+12015550160" not in panel(anna, "book?q=nobody")
    assert "Your profile has no address book." in panel(AtDesk(site, "dora"), "book")


@pytest.mark.req("CBQ-09")
def test_callbacks_that_wait_in_her_queues_are_listed_by_their_place(site: Site, anna: AtDesk) -> None:
    anna.post("/desk/agent/state", state="idle", reason="break")
    assert "Nobody waits to be called back." in panel(anna, "callbacks")
    body = {"number": "+12015550170", "queue": "sales", "name": EVIL}
    made = site.post("callbacks", body, status=202)
    wait_until(lambda: "+12015550170" in panel(anna, "callbacks"))
    html = panel(anna, "callbacks")
    assert EVIL not in html
    assert "+12015550170" not in panel(AtDesk(site, "dora"), "callbacks"), "not of her queues"
    assert site.send("DELETE", f"callbacks/{made['id']}", "crm").status_code == 204
    site.free("anna")


@pytest.mark.req("ACT-05")
def test_responses_are_found_by_what_they_say_and_can_be_copied(campaigns: Site) -> None:
    desk = AtDesk(campaigns, "anna")
    assert "Nine to five." in panel(desk, "responses")
    html = panel(desk, "responses?q=NINE")
    assert 'data-copy="text--hours"' in html
    assert "Nine to five." not in panel(desk, "responses?q=price")
    campaigns.post("campaigns/spring/load")
    assert "From 9 a month." in panel(desk, "responses?q=price"), "those of her campaign"
    assert "From 9 a month." not in panel(AtDesk(campaigns, "dora"), "responses")
    cleared(campaigns)


def test_without_the_database_calls_go_on_and_it_is_said(
    site: Site, anna: AtDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.free("anna")
    call = site.call("anna")

    def down(*_arguments: object, **_named: object) -> None:
        raise DatabaseUnavailable(reason="down")

    monkeypatch.setattr("routing.api.contacts.search_contacts", down)
    page = anna.get("/desk/agent")
    there = panel(anna, "contacts?q=carla")
    assert "This cannot be read now. Calls go on." in there
    assert 'hx-get="/desk/agent/work/contacts?q=carla"' in there
    assert "Contacts and history cannot be read now." in page
    assert f'id="call-{call}"' in page
    site.do(call, "end")
    site.do(call, "wrap-up", reason="done")


def test_what_is_in_hand_is_told_to_the_script_that_refreshes_lists(site: Site, anna: AtDesk) -> None:
    site.free("anna")
    stream = anna.stream()
    told = (data for name, data in stream if name == "in_hand")
    assert next(told) == "[]"
    call = site.call("anna")
    assert next(data for data in told if call in data) == f'["{call}"]'
    site.do(call, "end")
    site.do(call, "wrap-up", reason="done")
    assert next(data for data in told if call not in data) == "[]"
