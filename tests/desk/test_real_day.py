"""A whole day of an agent and of a supervisor, in browsers before a real Asterisk with real telephones.

The tests are the hours of one day: each begins where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.desk.real_people import Day, people
from tests.desk.real_site import ANNA, BEN, QUICK, SALES, SAM, working_day
from tests.system.center import MUSIC_HZ, tone_of
from tests.waiting import wait_until

pytestmark = [pytest.mark.pbx, pytest.mark.req("DESK-01", "DESK-02"), pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def day(browser: Browser) -> Iterator[Day]:
    with working_day() as (lines, crm), people(browser, lines, crm) as everybody:
        yield everybody


def test_anna_and_ben_sign_in_with_their_passwords_and_start_work(day: Day) -> None:
    day.anna.sign_in("one green pear")
    day.anna.sees("Name or password is wrong.")
    assert ["422" in told for told in day.anna.at.problems] == [True]  # the browser's own word for that answer
    day.anna.at.problems.clear()
    for one in (day.anna, day.ben):
        one.sign_in()
        one.is_there()
        expect(one.me.get_by_role("button", name="Start work")).to_be_visible()
        one.keys("a")
        one.is_in("Available")
    day.ben.keys("i")
    day.ben.press("Break", day.ben.me)
    day.ben.is_in("Idle", "Break")
    assert (day.lines.state_of("anna"), day.lines.state_of("ben")) == ("available", "idle")
    day.ben.press("Available", day.ben.me)
    day.ben.is_in("Available")


def test_a_call_is_offered_then_taken_at_the_telephone(day: Day) -> None:
    anna = day.anna
    day.caller = day.lines.dial()
    day.one = day.lines.rings(ANNA)
    offer = anna.part("Incoming call")
    anna.sees(day.caller.phone.user, "General questions", "Pick up your telephone to answer.", within=offer)
    anna.finds_the_page_sound()
    day.lines.answer(day.one)
    expect(offer).to_be_hidden()
    anna.sees("Connected", day.caller.phone.user, "Recording", within=anna.call)
    day.lines.together(day.caller, day.one)
    anna.finds_the_page_sound()


def test_a_crm_saves_first_and_she_is_told_both_values(day: Day) -> None:
    anna, call_id = day.anna, day.crm.live()["id"]
    form = anna.call.get_by_role("form", name="Call data")
    topic = form.get_by_label("What it is about", exact=True)
    topic.fill("Wants to renew")
    day.crm.save(call_id, {"topic": "Wants to cancel"})
    anna.sees("Saved meanwhile: Wants to cancel", "Not saved yet.", within=form)
    expect(topic).to_have_value("Wants to renew")
    anna.press("Save", form)
    anna.sees("Nothing of yours was saved.", "You wrote: Wants to renew", within=form)
    expect(topic).to_have_value("Wants to cancel")
    wait_until(lambda: day.crm.live()["cad"]["variables"].get("topic") == "Wants to cancel")
    anna.press("Use mine instead", form)
    anna.press("Save", form)
    anna.sees("saved by: Anna Berger", within=form)
    wait_until(
        lambda: day.crm.live()["cad"]["variables"]["topic"] == "Wants to renew"
    )  # in each of the API's processes


def test_she_holds_and_resumes_by_one_key(day: Day) -> None:
    day.anna.keys("h")
    day.anna.sees("On hold", within=day.anna.call)
    day.anna.is_in("On hold")
    day.lines.hears(day.caller, MUSIC_HZ, never=(tone_of(day.one),))
    day.anna.keys("h")
    day.anna.sees("Connected", within=day.anna.call)
    day.lines.together(day.caller, day.one)


def test_she_consults_ben_and_all_three_confer_until_she_ends_it(day: Day) -> None:
    anna, ben = day.anna, day.ben
    day.consult_ben()
    anna.finds_the_page_sound()
    anna.keys("f")
    for person in (anna, ben):
        person.sees("Conference", within=person.call)
    day.lines.together(day.caller, day.one, day.two)
    anna.finds_the_page_sound()
    anna.press("End conference", anna.call)
    for call in (day.caller, day.one, day.two):
        day.lines.is_over(call)


def test_she_wraps_up_with_a_reason(day: Day) -> None:
    day.anna.sees("Wrap-up", "Ends in", within=day.anna.call)
    day.anna.finds_the_page_sound()
    day.wrap_up(day.anna, "Call back")
    day.anna.sees("You have no call.")


def test_she_hands_a_consulted_call_over(day: Day) -> None:
    day.connect()
    day.consult_ben()
    day.anna.keys("Shift+T")
    day.ben_has_it_alone()
    day.ben.keys("Shift+E")
    day.lines.is_over(day.caller)
    day.wrap_up(day.ben)


def test_she_transfers_a_call_to_ben_and_is_out_of_it(day: Day) -> None:
    day.connect()
    day.anna.keys("t")
    day.anna.chooses("Ben Carter")
    day.two = day.lines.pick_up(BEN)
    day.ben_has_it_alone()
    day.lines.hang_up(day.caller)
    day.lines.is_over(day.two)
    day.wrap_up(day.ben)


def test_two_missed_calls_and_the_two_ways_out(day: Day) -> None:
    anna = day.anna
    dialog = anna.at.page.get_by_role("alertdialog", name="You missed a call")
    for way in ("Available", "Idle"):
        caller = day.lines.dial(QUICK)
        day.lines.is_over(day.lines.rings(ANNA))
        expect(dialog).to_be_visible()
        assert day.lines.state_of("anna") == "rona"
        anna.finds_the_page_sound()
        anna.press(way, dialog)
        expect(dialog).to_be_hidden()
        anna.is_in(way)
        day.lines.hang_up(caller)
    anna.is_in("Idle", "Break")
    anna.keys("a")
    anna.is_in("Available")


def test_she_calls_a_customer_who_sees_the_number_that_she_chose(day: Day) -> None:
    anna = day.anna
    card = anna.part("Call a customer")
    anna.keys("o")
    anna.at.page.keyboard.type("+1 (201) 555-0166")
    anna.sees("Will be dialed: +12015550166", within=card)
    card.get_by_label("Number that the customer sees").select_option(label=f"Sales: {SALES}")
    anna.press("Call", card)
    day.one = day.lines.pick_up(ANNA)
    day.caller = day.lines.rings("trunk")
    assert SALES in day.caller.remote_uri
    day.lines.answer(day.caller)
    anna.sees("Connected", "+12015550166", within=anna.call)
    day.lines.together(day.caller, day.one)
    anna.keys("Shift+E")
    day.lines.is_over(day.caller)
    day.wrap_up(anna)


def test_she_gets_a_record_of_a_campaign_calls_it_and_marks_it_done(day: Day) -> None:
    anna = day.anna
    day.crm.add_records()
    day.crm.post("campaigns/spring/load", {})
    anna.press("OK, join", anna.part("My campaigns"))
    day.crm.post("campaigns/spring/start", {})
    wait_until(lambda: day.crm.get("campaigns/spring")["hopper"], 20.0)
    expect(anna.part("My campaigns").get_by_role("button", name="Get record")).to_be_enabled()
    anna.keys("g")
    record = anna.part("Record of Carla Adams")
    anna.sees("Carla Adams", "Beetle", "+12015550123", "The record is taken away in", within=record)
    anna.finds_the_page_sound()
    anna.keys("y")
    day.one = day.lines.pick_up(ANNA)
    day.caller = day.lines.pick_up("trunk")
    anna.sees("Connected", "Carla Adams", within=anna.call)
    day.lines.together(day.caller, day.one)
    record.get_by_label("Result of the call").select_option("Sold")
    anna.press("Mark done", record)
    day.lines.is_over(day.caller)
    anna.is_in("Available")
    anna.sees("You have no call.")
    wait_until(lambda: [r["state"] for r in day.crm.get("campaigns/spring/records")["items"]] == ["closed"])
    (kept,) = day.crm.get("campaigns/spring/records")["items"]
    assert (kept["closed_because"], kept["last_result"]) == ("done", "answered")


def test_sam_signs_in_and_the_wallboard_shows_a_call_as_it_comes(day: Day) -> None:
    sam = day.sam
    sam.sign_in()
    glance, row = sam.part("The centre now"), sam.part("Queues").get_by_role("row", name="General questions")
    sam.sees("0waiting", within=glance)
    day.caller = day.lines.dial()
    sam.sees("1waiting", within=glance)
    expect(row.get_by_role("cell").nth(0)).to_have_text("1")
    day.one = day.lines.pick_up(ANNA)
    sam.sees("0waiting", "1talking", within=glance)
    sam.finds_the_page_sound()


def test_sam_listens_whispers_and_barges_at_his_telephone(day: Day) -> None:
    sam, lines = day.sam, day.lines
    sam.goes_to("Live calls")
    talking = sam.part("With agents")
    sam.press("Monitor", talking)
    at = lines.pick_up(SAM)
    sam.sees("Sam Summers", within=talking)
    lines.hears(at, tone_of(day.caller), tone_of(day.one))
    lines.together(day.caller, day.one, apart=(at,))
    sam.press("Whisper", talking)
    lines.hears(day.one, tone_of(at), tone_of(day.caller))
    lines.hears(day.caller, tone_of(day.one), never=(tone_of(at),))
    sam.press("Barge", talking)
    lines.together(day.caller, day.one, at)
    sam.finds_the_page_sound()
    sam.press("Stop listening", talking)
    lines.is_over(at)
    lines.together(day.caller, day.one)


def test_the_story_of_the_call_goes_on_while_sam_reads_it_and_tells_why_anna_got_it(day: Day) -> None:
    sam = day.sam
    sam.at.page.get_by_role("link", name=day.caller.phone.user).click()
    sam.sees("Story of an interaction", "Connected")
    day.lines.hang_up(day.caller)
    day.wrap_up(day.anna)
    about = sam.part("Incoming call")
    sam.sees("answered", "Talked", within=about)
    decision = sam.at.page.get_by_role("article").first
    sam.sees("gets the call", within=decision.get_by_role("row", name="Anna Berger"))
    sam.sees("comes later", within=decision.get_by_role("row", name="Ben Carter"))
    happened = sam.part("What happened")
    for told in ("begins to listen: Monitor", "listens on: Whisper", "listens on: Barge in", "listens no more"):
        sam.sees(f"Sam Summers {told}", within=happened)
    sam.finds_the_page_sound()
    sam.goes_to("Search")
    sam.at.page.get_by_role("searchbox").fill(day.caller.phone.user)
    sam.press("Search")
    sam.sees("Anna Berger", "answered", within=sam.part("Interactions found"))


def test_sam_changes_the_state_of_an_agent_who_sees_it(day: Day) -> None:
    sam, ben = day.sam, day.ben
    sam.goes_to("Agents")
    row = sam.at.page.get_by_role("row", name="Ben Carter")
    sam.sees("Available", within=row)
    sam.press("Change the state of Ben Carter", row)
    dialog = sam.at.page.get_by_role("dialog")
    dialog.get_by_label("Idle: Lunch").check()
    sam.press("Change", dialog)
    expect(dialog).to_be_hidden()
    sam.sees("Idle", "Lunch", within=row)
    ben.is_in("Idle", "Lunch")
    assert day.lines.state_of("ben") == "idle"


def test_sam_pauses_and_starts_a_campaign_and_its_agent_is_told(day: Day) -> None:
    sam, mine = day.sam, day.anna.part("My campaigns")
    sam.goes_to("Campaigns")
    sam.at.page.get_by_role("link", name="Spring check").click()
    sam.press("Pause")
    sam.sees("Paused")
    day.anna.sees("Paused", within=mine)
    sam.press("Start")
    sam.sees("Running")
    day.anna.sees("Running", within=mine)
    wait_until(lambda: day.crm.get("campaigns/spring")["state"] == "running")


def test_the_plan_tells_what_the_files_would_change(day: Day) -> None:
    sam, site = day.sam, day.lines.site
    sam.goes_to("Configuration")
    sam.sees("nothing would change")
    site.files["floor.toml"] = site.files["floor.toml"].replace("ring_timeout_s = 20", "ring_timeout_s = 25")
    site.write_config()
    sam.at.page.reload()
    changed = sam.at.page.get_by_role("row", name="Queue general")
    sam.sees("changed", "ring_timeout_s", "20", "25", within=changed)
    sam.finds_the_page_sound()


def test_they_stop_work_and_sign_out_and_no_browser_has_complained(day: Day) -> None:
    for person in (day.anna, day.ben):
        person.press("Stop work", person.me)
        expect(person.me.get_by_role("button", name="Start work")).to_be_visible()
    assert (day.lines.state_of("anna"), day.lines.state_of("ben")) == ("logged_out", "logged_out")
    for person in (day.anna, day.ben, day.sam):
        person.sign_out()
        person.at.open("/desk/")
        expect(person.at.page.get_by_label("Password")).to_be_visible()
        assert person.at.problems == []
