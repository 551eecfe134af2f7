"""What the connector makes of calls that a FreeSWITCH told to others: in their order, in others, doubled, with gaps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest

from telephony.freeswitch import session
from telephony.freeswitch.codec import EslEvent
from tests.contract.tapping import VirtualLoop
from tests.unit.freeswitch_scenarios import FOLDER, NAMES, ObligingLink, Story, channel_of, earlier_of, events_of

Told = Callable[..., list[str]]
SHUFFLES = 10
LASTING = ("arrived", "answered", "ended by")
# For what the connector still does when nothing comes any more.
PATIENCE_S = 5.0


def _stories() -> dict[str, list[str]]:
    parts = (FOLDER / "stories.txt").read_text().strip().split("\n\n")
    return {name.removeprefix("# "): lines for name, *lines in (part.split("\n") for part in parts)}


STORIES = _stories()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """The story of a scenario, or of what became of its events. Raises AssertionError when it cannot be."""
    monkeypatch.setattr(session, "EslLink", ObligingLink)

    async def tell(name: str, events: Sequence[EslEvent]) -> list[str]:
        story = Story(events_of(name))
        await story.begin()
        for event in events:
            story.tell(event)
        await asyncio.sleep(PATIENCE_S)  # of the virtual clock
        story.catch_up()
        assert story.gone_but_not_forgotten(events) == []
        lines = [*story.lines, *story.left()]
        await story.end()
        return lines

    def play(name: str, events: Sequence[EslEvent] | None = None) -> list[str]:
        lines = runner.run(tell(name, events_of(name) if events is None else events))
        _can_be(lines)
        return lines

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        yield play


def _can_be(lines: Sequence[str]) -> None:
    """Each leg is answered, fails and ends at most once, and does nothing afterwards."""
    ends = [line.split()[0] for line in lines if " failed: " in line or " ended by " in line]
    assert len(ends) == len(set(ends)), lines
    answered = [line.split()[0] for line in lines if line.endswith(" answered")]
    assert len(answered) == len(set(answered)), lines
    assert not {*answered} & {line.split()[0] for line in lines if " failed: " in line}, lines


def test_every_scenario_has_its_story() -> None:
    assert sorted(STORIES) == NAMES
    assert len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_a_call_that_others_drove_is_told_as_it_was(told: Told, name: str) -> None:
    assert told(name) == STORIES[name]


# What the telephones did, in order; see the design of the scenario in each name.
CAUSES = {
    "s03_rona_no_answer": ["no_answer"] * 3 + ["cancelled", "congestion", "no_answer"],
    "s04_agent_busy_reject": ["busy", "rejected", "unreachable", "invalid", "unreachable", "unreachable"],
    "s13_outbound_causes": ["busy", "busy", "rejected", "congestion", "unreachable", "invalid"],
}


@pytest.mark.req("ROUTE-07")
@pytest.mark.parametrize("name", CAUSES)
def test_each_way_in_which_a_telephone_was_not_reached_has_its_outcome(told: Told, name: str) -> None:
    failed = [line.split()[2] for line in told(name) if " failed: " in line]
    assert failed[: len(CAUSES[name])] == CAUSES[name]


def test_who_was_in_the_conference_is_known_at_every_moment(told: Told) -> None:
    lines = told("s08_conference_3way")
    three = lines.index("D1 with C1, D2")
    assert {*lines[three : three + 3]} == {"D1 with C1, D2", "D2 with C1, D1", "C1 with D1, D2"}
    after = lines[three + 3 :]
    assert {*after[: after.index("D1 ended by server 16")]} == {"D1 alone", "D2 with C1", "C1 with D2"}


@pytest.mark.req("SAFE-02")
def test_a_shutdown_ends_every_leg_by_the_server(told: Told) -> None:
    assert {*told("s20_freeswitch_restart")[-2:]} == {"C1 ended by server 16", "D1 ended by server 16"}


# ---------------------------------------------------------------------- other orders


def jobs_in(events: Sequence[EslEvent]) -> list[int]:
    """Where a dial is told to have failed that had a channel."""
    channels = {event.get("Unique-ID") for event in events}
    return [
        index
        for index, event in enumerate(events)
        if event.name == "BACKGROUND_JOB" and event.body.startswith("-ERR") and event.get("Job-UUID") in channels
    ]


@pytest.mark.req("ROUTE-07")
@pytest.mark.parametrize("name", [name for name in NAMES if jobs_in(events_of(name))])
def test_the_news_that_a_dial_has_failed_may_come_anywhere_between_the_events_of_its_channel(
    told: Told, name: str
) -> None:
    events = events_of(name)
    for index in jobs_in(events):
        job, others = events[index], [*events[:index], *events[index + 1 :]]
        of_channel = [i for i, event in enumerate(others) if event.get("Unique-ID") == job.get("Job-UUID")]
        for place in range(of_channel[0] + 1, of_channel[-1] + 2):
            assert told(name, [*others[:place], job, *others[place:]]) == STORIES[name]


@pytest.mark.parametrize("name", NAMES)
def test_events_of_different_channels_may_come_in_any_order(told: Told, name: str) -> None:
    events = events_of(name)
    for seed in range(SHUFFLES):
        lines = told(name, interleaved(events, random.Random(seed)))
        if not facts_in(STORIES[name], "sent away"):  # whoever is sent away may as well end before that is told
            assert facts_in(lines, *LASTING) == facts_in(STORIES[name], *LASTING)


def interleaved(events: Iterable[EslEvent], chance: random.Random) -> list[EslEvent]:
    """Each channel in its own order, and with the others as it happens within a few events."""
    last: dict[str, float] = {}
    due: list[tuple[float, EslEvent]] = []
    for number, event in enumerate(events):
        when = max(number + chance.uniform(0, 4), *(last.get(channel, 0.0) for channel in earlier_of(event)))
        last[channel_of(event)] = when
        due.append((when, event))
    return [event for _, event in sorted(due, key=lambda each: each[0])]


def facts_in(lines: Iterable[str], *words: str) -> list[str]:
    return sorted(line for line in lines if any(word in line for word in words))


@pytest.mark.parametrize("name", NAMES)
def test_an_event_that_is_told_twice_tells_nothing_new(told: Told, name: str) -> None:
    twice = [event for event in events_of(name) for _ in range(2)]
    lines = told(name, twice)
    assert list(dict.fromkeys(lines)) == list(dict.fromkeys(STORIES[name]))
    assert facts_in(lines, *LASTING[1:], "failed") == facts_in(STORIES[name], *LASTING[1:], "failed")


@pytest.mark.req("SAFE-02")
@pytest.mark.parametrize("name", NAMES)
def test_an_event_that_is_missing_leaves_no_leg_behind_that_was_hung_up(told: Told, name: str) -> None:
    events = events_of(name)
    for index in range(len(events)):
        told(name, [*events[:index], *events[index + 1 :]])
