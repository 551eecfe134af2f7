"""The story of an interaction: a time line, the same as a table, and why it went to whom (ROUTE-17)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.core.cad import MASK
from tests.desk.supervisor_site import EVIL, Supervised, supervised, words
from tests.integration.control_config import CALLER
from tests.waiting import wait_until

PAGE = "/desk/supervisor/interactions"


@pytest.fixture(scope="module")
def centre(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    with supervised(redis_server, tmp_path_factory.mktemp("story"), "anna", "ben") as made:
        yield made


@pytest.fixture(scope="module")
def told(centre: Supervised) -> str:
    """The id of a call that anna had, with a hold, call data, a note and a wrap-up."""
    site = centre.site
    centre.desk.post("/desk/supervisor/agents/ben/state", state="idle:break")
    call = site.call("anna", "menu", case="17", card="4111111111111111")
    site.do(call, "hold")
    site.reaches(call, "held")
    site.do(call, "resume")
    site.reaches(call, "connected")
    site.save(call, {"case": EVIL})
    site.post(f"interactions/{call}/notes", {"text": f"said {EVIL}"}, "anna")
    site.do(call, "end")
    site.reaches(call, "ended")
    site.do(call, "wrap-up", reason="done")
    centre.record()
    return call


@pytest.mark.req("DESK-02", "ROUTE-17")
def test_the_whole_story_is_told_in_words(centre: Supervised, told: str) -> None:
    page = words(centre.desk.get(f"{PAGE}/{told}"))
    for part in (
        f"Call from {CALLER} to 7000 at entry point menu",
        "Enters flow menu at step tag",
        "Flow step tag (set) ends: next",
        "Waits in queue Sales with priority 7",
        "Routing decision for queue Sales: Anna",
        "Offered to Anna",
        "Offer to Anna: answered after 0:00",
        "Anna joins: First agent",
        "On hold",
        "The hold ends after 0:0",
        "Call data, version 2 (Anna) Case: 17 →",
        "Note of Anna",
        "Anna has wrapped up: done",
        "Ends: answered; ended by Anna",
    ):
        assert part in page, part
    assert re.search(r"[Cc]ase: 17 →", page)  # what it was before, too
    assert MASK in page
    assert "4111111111111111" not in page


@pytest.mark.req("ROUTE-17")
def test_every_candidate_is_named_with_why_he_was_passed_over(centre: Supervised, told: str) -> None:
    page = centre.desk.get(f"{PAGE}/{told}")
    rows = {
        name: words(row)
        for row, name in re.findall(r"(<tr>\s*<th scope=\"row\">([^<]*)</th>.*?</tr>)", page, re.DOTALL)
    }
    assert "gets the call" in rows["Anna"]
    assert "passed over: idle" in rows["Ben"]
    assert "passed over: signed out" in rows["Emil"]


def test_the_time_line_has_a_lane_for_each_part(centre: Supervised, told: str) -> None:
    page = centre.desk.get(f"{PAGE}/{told}")
    lanes = re.findall(r'<span class="lane-name">([^<]*)</span>', page)
    assert lanes == ["Route", "Customer", "Anna", "Recording", "Decisions and notes", "Time"]
    kinds = set(re.findall(r'class="(?:bar|mark)-(\w+)"', page))
    assert {"flow", "wait", "call", "hold", "offer", "talk", "wrap", "record", "decision", "data", "note"} <= kinds
    places = [float(x) for x in re.findall(r'<rect class="bar-\w+" x="([\d.]+)%"', page)]
    assert places
    assert all(0 <= place <= 100 for place in places)


def test_markup_in_data_and_notes_stays_text(centre: Supervised, told: str) -> None:
    page = centre.desk.get(f"{PAGE}/{told}")
    assert EVIL not in page
    assert "said &lt;script&gt;" in page


def test_nothing_on_the_page_needs_an_inline_style_or_script(centre: Supervised, told: str) -> None:
    page = centre.desk.get(f"{PAGE}/{told}")
    assert not re.search(r"\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


@pytest.mark.req("DESK-02")
def test_a_live_call_goes_on_in_the_story_as_it_happens(centre: Supervised) -> None:
    site = centre.site
    site.free("anna")
    call, channel = site.arrive("help")
    site.reaches(call, "queued")
    stream = centre.desk.stream(f"story/{call}")
    html = next(text for name, text in stream if name == "story")
    assert "Waiting" in html
    assert "Ends:" not in html
    site.exchange.do(lambda: site.exchange.pbx.hang_up(channel))
    html = next(text for name, text in stream if name == "story" and "Ends:" in text)
    stream.close()
    assert "Ends: hung up while waiting; ended by The customer" in words(html)


@pytest.mark.req("DESK-02")
def test_a_recording_is_heard_by_who_may(centre: Supervised, told: str) -> None:
    (recording,) = centre.site.get(f"recordings?interaction_id={told}")["items"]
    address = f"/desk/supervisor/recordings/{recording['id']}"
    assert f'src="{address}"' in centre.desk.get(f"{PAGE}/{told}")
    (Path(centre.recordings) / f"{recording['id']}.wav").write_bytes(b"RIFF" + b"\0" * 96)
    answer = centre.desk.get(address, 206, Range="bytes=0-3")
    assert answer == "RIFF"
    centre.as_("history:read-only").get(address, 403)
    assert address not in centre.as_("history:read-only").get(f"{PAGE}/{told}")
    assert centre.site.get(f"audit?subject=recording:{recording['id']}")["items"]


def test_who_may_not_see_the_history_is_told_so(centre: Supervised, told: str) -> None:
    page = words(centre.as_("interactions:read-only").get(f"{PAGE}/{told}"))
    assert "You may not see the history" in page
    assert "Anna" not in page  # names of agents are a permission, too
    page = words(centre.as_("history:read-only").get(f"{PAGE}/{told}"))
    assert "anna joins: First agent" in page
    assert "not kept any more" in page


def test_an_unknown_interaction_is_a_page_that_says_so(centre: Supervised) -> None:
    page = centre.desk.get(f"{PAGE}/int_01JD3Q8V6M0Z9X7C5B3N1M2K4H", 404)
    assert "<h1>" in page


@pytest.mark.req("DESK-02")
def test_interactions_are_found_by_number_and_by_id(centre: Supervised, told: str) -> None:
    assert f'href="{PAGE}/{told}"' in centre.desk.get(f"{PAGE}?q=(201)+555-0143")
    assert f'href="{PAGE}/{told}"' in centre.desk.get(PAGE)
    assert "No interaction is like that" in centre.desk.get(f"{PAGE}?q=%2B12015550199")
    centre.desk.get(f"{PAGE}?q={told}", 303)
    assert "history:read" in centre.as_("agents:read-only").get(PAGE, 403)


def test_what_was_read_of_the_events_is_not_read_again(centre: Supervised) -> None:
    site = centre.site
    call = site.call("anna")
    first = words(centre.desk.get(f"{PAGE}/{call}"))
    site.do(call, "hold")
    site.reaches(call, "held")
    centre.record()
    wait_until(lambda: "On hold" in words(centre.desk.get(f"{PAGE}/{call}")))
    assert first.count("Waits in queue Sales with") == 1
    assert words(centre.desk.get(f"{PAGE}/{call}")).count("Waits in queue Sales with") == 1


def test_a_strange_id_is_not_found_and_reaches_nothing_else(centre: Supervised) -> None:
    for strange in ("a%3Fagent_id=anna", "%2e%2e", "a%25b", "a%23b"):
        centre.desk.get(f"{PAGE}/{strange}", 404)
    centre.desk.post("/desk/supervisor/agents/anna%3Fx/state", state="sign_out")
    assert centre.site.get("agents/anna")["state"] != "logged_out"
