"""The lab that plays recordings is a check: what is otherwise than recorded fails the test, and it says what it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.contract import test_pbx_rooms
from tests.contract.recorded_lab import Scenario, play_recording
from tests.contract.recordings import Entry, Recording, What, load, path_of

TEST = test_pbx_rooms.test_caller_and_agent_in_one_room_hear_each_other


def the_test() -> tuple[Scenario, Sequence[str]]:
    found: list[tuple[Any, Sequence[str]]] = []
    TEST(lambda scenario, phones: found.append((scenario, phones)))
    return found[0]


@pytest.fixture
def recording() -> Recording:
    try:
        played = load(path_of("test_pbx_rooms", f"{TEST.__name__}[]"))
        play_recording(played, *the_test())
    except AssertionError as stale:
        pytest.fail(f"the recording itself cannot be played: {stale}")
    return played


def place_of(recording: Recording, word: str, what: What = What.SENT) -> int:
    return next(i for i, entry in enumerate(recording.entries) if entry.what is what and word in str(entry))


def without(index: int, entries: list[Entry]) -> list[Entry]:
    return [*entries[:index], *entries[index + 1 :]]


def with_another_text(index: int, entries: list[Entry]) -> list[Entry]:
    return [*entries[:index], replace(entries[index], text=f"{entries[index].text} x"), *entries[index + 1 :]]


def with_one_more(index: int, entries: list[Entry]) -> list[Entry]:
    return [*entries[: index + 1], replace(entries[index], text="api uuid_x"), *entries[index + 1 :]]


def later(index: int, entries: list[Entry]) -> list[Entry]:
    return [*entries[:index], *(replace(entry, at_ms=entry.at_ms + 1000) for entry in entries[index:])]


Change = Callable[[int, list[Entry]], list[Entry]]


@pytest.mark.parametrize("word", ["show channels", "SR_IID", "originate", "uuid_bridge"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without, "sent what was not recorded"),
        (with_another_text, "sent what was not recorded"),
        (with_one_more, "the connector left out: api uuid_x|sent what was not recorded at this point"),
        (later, "sent too soon"),
    ],
)
def test_a_command_that_is_not_the_recorded_one_is_a_fault(
    recording: Recording, word: str, change: Change, says: str
) -> None:
    recording.entries = change(place_of(recording, word), recording.entries)
    with pytest.raises(AssertionError, match=says):
        play_recording(recording, *the_test())


def test_a_command_after_the_end_of_the_test_is_a_fault(recording: Recording) -> None:
    last = max(i for i, entry in enumerate(recording.entries) if entry.what is What.SENT)
    recording.entries = without(last, recording.entries)
    with pytest.raises(AssertionError, match="not recorded"):
        play_recording(recording, *the_test())


def test_an_event_that_does_not_come_is_missed(recording: Recording) -> None:
    recording.entries = without(place_of(recording, "CHANNEL_BRIDGE", What.CAME), recording.entries)
    with pytest.raises(AssertionError):
        play_recording(recording, *the_test())


def test_a_dial_that_is_refused_is_not_answered(recording: Recording) -> None:
    dial = place_of(recording, "originate")
    index = next(i for i in range(dial, len(recording.entries)) if recording.entries[i].what is What.CAME)
    messages = tuple(replace(m, fields={"Reply-Text": "-ERR no"}) for m in recording.entries[index].messages)
    recording.entries[index] = replace(recording.entries[index], messages=messages)
    with pytest.raises(AssertionError, match="LegAnswered"):
        play_recording(recording, *the_test())


def test_other_subscriptions_are_a_fault(recording: Recording) -> None:
    recording.subscriptions["events"] += " HEARTBEAT"
    with pytest.raises(AssertionError, match="other subscriptions"):
        play_recording(recording, *the_test())


def test_another_test_than_the_recorded_one_is_told_apart(recording: Recording) -> None:
    scenario, _ = the_test()
    with pytest.raises(AssertionError, match="the test did lab"):
        play_recording(recording, scenario, ["1002"])
