"""Pieces of pages as server-sent events, and when they are sent."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from routing.desk.regions import LivePage, Region
from routing.desk.remembering import forget, remembered
from routing.desk.stream import AGAIN_S, Sending, frame, together


def test_every_line_is_a_field_and_what_only_looks_like_a_line_end_stays() -> None:
    assert frame("calls", "one\ntwo\r\nthree") == b"event: calls\ndata: one\ndata: two\ndata: three\n\n"
    typed = "a\u2028b\x0bc\x85d"
    assert frame("calls", typed).decode() == f"event: calls\ndata: {typed}\n\n"
    assert frame("calls", "") == b"event: calls\ndata: \n\n"


class Seconds:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def page_of(render: Callable[[], str]) -> LivePage:
    made = LivePage(name="trial")
    made.add(Region(name="one", render=render, touched_by=()))
    return made


def test_a_region_that_failed_is_tried_again_although_nothing_happens() -> None:
    clock, answers = Seconds(), iter([ValueError("not now"), "here"])

    def render() -> str:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return str(found)

    sending = Sending(page_of(render), clock)
    assert list(sending.due()) == []
    assert sending.idle_s() == AGAIN_S
    clock.now_s += AGAIN_S
    assert list(sending.due()) == [frame("one", "here")]
    assert sending.idle_s() == float("inf")


class Ceaseless:
    """Events that never end, one each millisecond."""

    def __init__(self, clock: Seconds) -> None:
        self.clock = clock

    def get(self, _timeout_s: float) -> Any:
        self.clock.now_s += 0.001
        return self


def test_regions_are_sent_although_events_never_end() -> None:
    clock = Seconds()
    endless: Any = Ceaseless(clock)
    taken = sum(1 for _event in islice(together(endless, endless, clock), 1000))
    assert 100 <= taken <= 200


def test_what_two_regions_ask_alike_is_asked_once_in_a_pass_and_anew_in_the_next() -> None:
    clock, asked = Seconds(), list[str]()

    def about(who: str) -> dict[str, Any]:
        asked.append(who)
        return {"calls": [len(asked)]}

    def render(who: str) -> str:
        found = remembered((who, "calls"), lambda: about(who))
        found["calls"].append("mine")  # and does not become another region's
        return str(found)

    made = LivePage(name="trial")
    for name, who in (("one", "anna"), ("two", "anna"), ("three", "ben")):
        made.add(Region(name=name, render=lambda who=who: render(who), touched_by=()))  # type: ignore[misc]
    sending = Sending(made, clock)
    anna, ben = (str({"calls": [number, "mine"]}) for number in (1, 2))
    assert list(sending.due()) == [frame("one", anna), frame("two", anna), frame("three", ben)]
    assert asked == ["anna", "ben"]
    sending.touch(None)
    assert len(list(sending.due())) == 3
    assert asked == ["anna", "ben"] * 2
    assert render("anna") == "{'calls': [5, 'mine']}", "nothing is remembered outside of a pass"


def test_what_a_region_changes_is_asked_anew_in_the_same_pass() -> None:
    numbers = iter([1, 2])

    def render() -> str:
        first = remembered("how many", lambda: next(numbers))
        forget()
        return f"{first} {remembered('how many', lambda: next(numbers))}"

    assert list(Sending(page_of(render), Seconds()).due()) == [frame("one", "1 2")]
