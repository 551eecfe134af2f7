"""Bytes of the manager interface: whole, byte by byte, malformed, oversized; and which events to believe."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.asterisk.codec import AmiDecoder, AmiMessage
from telephony.asterisk.trust import Distrust, distrust

RECORDED = sorted((Path(__file__).parents[1] / "wire" / "asterisk").glob("*.raw"))
GENUINE = {"event": "Hangup", "privilege": "call,all", "systemname": "a", "uniqueid": "u", "cause": "16"}


def feed(data: bytes, size: int) -> list[AmiMessage]:
    decoder = AmiDecoder()
    return [m for i in range(0, len(data), size) for m in decoder.feed(data[i : i + size])]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recording_reads_the_same_whole_and_byte_by_byte(path: Path) -> None:
    data = path.read_bytes()
    whole = feed(data, len(data))
    assert len(whole) > 10
    assert feed(data, 1) == whole
    assert feed(data, 7) == whole


def test_the_greeting_is_not_a_message() -> None:
    decoder = AmiDecoder()
    (message,) = decoder.feed(b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\n\r\n")
    assert decoder.banner == "Asterisk Call Manager/11.0.0"
    assert message.headers == {"response": "Success", "actionid": "1"}


def test_a_character_split_over_two_chunks_is_kept() -> None:
    data = "Event: X\r\nName: Zoë \U0001f600\r\n\r\n".encode()
    for cut in range(len(data)):
        decoder = AmiDecoder()
        messages = decoder.feed(data[:cut]) + decoder.feed(data[cut:])
        assert [m.get("name") for m in messages] == ["Zoë \U0001f600"]


def test_bytes_that_are_no_text_spoil_nothing_but_themselves() -> None:
    (message,) = feed(b"Event: X\r\nName: a\xff\xfeb\r\nUniqueid: 1\r\n\r\n", 3)
    assert message.get("name") == "a��b"
    assert message.get("uniqueid") == "1"


def test_repeated_headers_keep_all_values_and_the_first_counts() -> None:
    (message,) = feed(b"Event: X\r\nUniqueid: 1\r\nUniqueid: 2\r\nChanVariable: A=1\r\n\r\n", 100)
    assert message.get("uniqueid") == "1"
    assert message.all("uniqueid") == ["1", "2"]
    assert message.all("chanvariable") == ["A=1"]
    assert message.all("nothing") == []


def test_an_oversized_block_is_dropped_and_counted_and_the_next_one_read() -> None:
    decoder = AmiDecoder(max_block_bytes=100)
    data = b"Event: Big\r\nX: " + b"x" * 5000 + b"\r\n\r\nEvent: Small\r\n\r\n"
    messages = [m for i in range(0, len(data), 64) for m in decoder.feed(data[i : i + 64])]
    assert [m.event for m in messages] == ["Small"]
    assert decoder.oversized == 1
    assert [m.event for m in AmiDecoder(max_block_bytes=100).feed(data)] == ["Small"]


def test_an_endless_block_does_not_grow_without_bound() -> None:
    decoder = AmiDecoder(max_block_bytes=1000)
    for _ in range(1000):
        decoder.feed(b"y" * 1000)
    assert len(decoder._buffer) <= 2000
    assert decoder.oversized == 1


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_nothing_raises_whatever_comes(chunks: list[bytes]) -> None:
    decoder = AmiDecoder(max_block_bytes=200)
    for chunk in chunks:
        decoder.feed(chunk)
    decoder.feed(b"\r\n\r\n")
    assert [m.event for m in decoder.feed(b"Event: After\r\n\r\n")] == ["After"]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_the_cut_into_chunks_never_matters(data: bytes, size: int) -> None:
    assert feed(data + b"\r\n\r\n", size) == feed(data + b"\r\n\r\n", 10_000)


# ---------------------------------------------------------------------- trust


@pytest.mark.req("SAFE-03")
def test_of_the_forged_recording_no_forged_event_is_believed() -> None:
    data = next(p for p in RECORDED if p.stem == "forged_events").read_bytes()
    events = [m for m in feed(data, len(data)) if m.event and m.event != "FullyBooted"]
    verdicts = Counter((m.event, distrust(m, "a")) for m in events)
    assert verdicts["OriginateResponse", Distrust.NO_ORIGIN] > 5
    assert verdicts["OriginateResponse", None] == 0
    believed = [m for m in events if distrust(m, "a") is None]
    assert believed
    assert not [m for m in believed if m.get("uniqueid") in ("victim", "forged-1")]


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize("name", ["ring_and_bridge", "refusals", "conference", "reconcile"])
def test_every_event_of_an_honest_recording_is_believed(name: str) -> None:
    data = next(p for p in RECORDED if p.stem == name).read_bytes()
    events = [m for m in feed(data, len(data)) if m.event and "privilege" in m.headers and "systemname" in m.headers]
    assert len(events) > 20
    assert [(m.event, m.repeated) for m in events if distrust(m, "a")] == []


@pytest.mark.parametrize(
    ("headers", "repeated", "why"),
    [
        (GENUINE, {}, None),
        (GENUINE, {"chanvariable(pjsip/1)": ["A=1", "B=2"]}, None),
        ({k: v for k, v in GENUINE.items() if k != "systemname"}, {}, Distrust.NO_ORIGIN),
        ({k: v for k, v in GENUINE.items() if k != "privilege"}, {}, Distrust.NO_ORIGIN),
        ({**GENUINE, "systemname": "guess"}, {}, Distrust.FOREIGN_ORIGIN),
        (GENUINE, {"uniqueid": ["u", "v"]}, Distrust.REPEATED_HEADER),
        ({k: v for k, v in GENUINE.items() if k != "uniqueid"}, {}, Distrust.TRUNCATED),
    ],
)
def test_an_event_is_judged_by_its_origin_and_its_wholeness(
    headers: dict[str, str], repeated: dict[str, list[str]], why: Distrust | None
) -> None:
    assert distrust(AmiMessage(headers, repeated), "a") is why
