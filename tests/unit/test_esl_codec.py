"""Bytes of the event socket: whole, byte by byte, malformed, oversized; events in both formats; safe commands."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.freeswitch.codec import (
    MAX_COMMAND_BYTES,
    BrokenStream,
    EslDecoder,
    EslEvent,
    EslMessage,
    command_block,
    command_line,
    event_of,
)
from telephony.safety import UnsafeAction

WIRE = Path(__file__).parents[1] / "wire" / "freeswitch"
RECORDED = sorted(path.name.removesuffix(".raw.gz") for path in WIRE.glob("*.raw.gz"))
HOSTILE = st.sampled_from(["\n\n", "\r\n", "\n", "\0", "%0A", "api ", ": ", "Content-Length: 5", "é", "\udce9", "'"])


def recorded(name: str) -> bytes:
    return gzip.decompress((WIRE / f"{name}.raw.gz").read_bytes())


def feed_into(decoder: EslDecoder, data: bytes, size: int) -> list[EslMessage]:
    return [m for i in range(0, len(data), size) for m in decoder.feed(data[i : i + size])]


def feed(data: bytes, size: int) -> list[EslMessage]:
    return feed_into(EslDecoder(), data, size)


def events(name: str) -> list[EslEvent]:
    return [e for m in feed(recorded(name), 65536) if (e := event_of(m)) is not None]


def wrapped(body: bytes, kind: str = "text/event-json") -> bytes:
    return f"Content-Length: {len(body)}\nContent-Type: {kind}\n\n".encode() + body


def event(body: bytes, kind: str = "text/event-json") -> EslEvent:
    (message,) = feed(wrapped(body, kind), 1000)
    found = event_of(message)
    assert found is not None
    return found


# ---------------------------------------------------------------------- recordings


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_reads_the_same_whole_and_byte_by_byte(name: str) -> None:
    data = recorded(name)
    whole = feed(data, len(data))
    assert len(whole) >= 2
    assert whole[0].content_type == "auth/request"
    assert feed(data, 977) == whole
    part = data[:100_000]
    assert feed(part, 1) == feed(part, len(part))


@pytest.mark.parametrize("name", ["wrong_password", "auth_timeout", "command_before_auth", "call_json"])
def test_a_recording_reads_the_same_from_every_split_point(name: str) -> None:
    data = recorded(name)[:6000]
    whole = feed(data, len(data))
    for cut in range(len(data) + 1):
        decoder = EslDecoder()
        assert decoder.feed(data[:cut]) + decoder.feed(data[cut:]) == whole


def test_every_event_of_a_recorded_call_is_read_in_both_formats() -> None:
    as_json, as_plain = events("call_json"), events("call_plain")
    assert len(as_json) == len(as_plain) == 62
    expected = {
        "CHANNEL_CREATE": 2,
        "CHANNEL_ANSWER": 2,
        "CHANNEL_BRIDGE": 1,
        "CHANNEL_UNBRIDGE": 1,
        "CHANNEL_HANGUP_COMPLETE": 2,
        "BACKGROUND_JOB": 1,
        "CHANNEL_STATE": 21,
    }
    for found in (as_json, as_plain):
        counted = Counter(e.name for e in found)
        assert {name: counted[name] for name in expected} == expected


def test_both_formats_tell_the_same_of_one_call() -> None:
    for one, other in zip(events("call_json"), events("call_plain"), strict=True):
        assert (one.name, one.get("Unique-ID"), one.body) == (other.name, other.get("Unique-ID"), other.body)
        assert one.get("Event-Sequence") == other.get("Event-Sequence")
        assert set(one.headers) >= set(other.headers) - {"Content-Length"}
        different = [n for n in other.headers if n in one.headers and one.get(n) != other.get(n)]
        assert all("%" in one.get(n) for n in different)  # a per cent sign in a value is lost in the plain format


def test_subclasses_bodies_and_notices_are_read_from_recordings() -> None:
    conference = [e for e in events("conference_plain") if e.name == "CUSTOM"]
    assert {e.subclass for e in conference} == {"conference::maintenance"}
    assert len(conference) == 23
    assert conference[0].get("Action") == "conference-create"
    (job,) = (e for e in events("call_json") if e.name == "BACKGROUND_JOB")
    assert job.body.startswith("+OK ")
    assert [e.name for e in events("shutdown_plain")].count("SHUTDOWN") == 1
    for name in ("wrong_password", "auth_timeout", "reconnect_plain", "shutdown_plain"):
        last = feed(recorded(name), 4096)[-1]
        assert last.content_type == "text/disconnect-notice"
        assert last.text.startswith(("Disconnected, goodbye.", "The system is being shut down."))


def test_a_refused_login_and_a_refused_command_are_told_apart_from_an_accepted_one() -> None:
    replies = [m for m in feed(recorded("wrong_password"), 10) if m.content_type == "command/reply"]
    assert [(m.is_refusal, m.text) for m in replies] == [(True, "-ERR invalid")]
    replies = [m for m in feed(recorded("command_before_auth"), 10) if m.content_type == "command/reply"]
    assert [m.is_refusal for m in replies] == [True, False]
    answers = [m for m in feed(recorded("reconnect_plain"), 100) if m.content_type == "api/response"]
    assert [m.is_refusal for m in answers] == [False] * 8
    assert json.loads(answers[0].text)["row_count"] > 0


# ---------------------------------------------------------------------- headers and values


def test_of_a_doubled_header_the_last_value_counts_in_both_formats() -> None:
    as_json = event(b'{"Event-Name":"X","Hangup-Cause":"A","Hangup-Cause":"B"}')
    as_plain = event(b"Event-Name: X\nHangup-Cause: A\nHangup-Cause: B\n\n", "text/event-plain")
    assert as_json.get("Hangup-Cause") == as_plain.get("Hangup-Cause") == "B"
    (reply,) = feed(b"Content-Type: command/reply\nReply-Text: +OK\nReply-Text: -ERR x\n\n", 3)
    assert reply.text == "-ERR x"


def test_two_different_lengths_of_one_message_end_the_stream_and_equal_ones_do_not() -> None:
    with pytest.raises(BrokenStream):
        feed(b"Content-Type: api/response\nContent-Length: 3\nContent-Length: 4\n\nabcd", 100)
    (message,) = feed(b"Content-Type: api/response\nContent-Length: 3\nContent-Length: 3\n\nabc", 100)
    assert message.body == b"abc"


def test_line_ends_in_the_name_of_a_caller_forge_no_header() -> None:
    name = "Eve\nUnique-ID: victim\n\nContent-Type: auth/request\n\n"
    body = json.dumps({"Event-Name": "CHANNEL_CREATE", "Unique-ID": "u", "Caller-Caller-ID-Name": name}).encode()
    as_json = event(body)
    plain = b"Event-Name: CHANNEL_CREATE\nUnique-ID: u\nCaller-Caller-ID-Name: Eve%0AUnique-ID%3A%20victim%0A%0A\n\n"
    as_plain = event(plain, "text/event-plain")
    assert as_json.get("unique-id") == as_plain.get("unique-id") == "u"
    assert as_json.get("Caller-Caller-ID-Name") == name
    assert as_plain.get("Caller-Caller-ID-Name") == "Eve\nUnique-ID: victim\n\n"


def test_bytes_that_are_no_text_spoil_nothing_but_their_own_value() -> None:
    as_json = event(b'{"Event-Name":"X","Caller-Caller-ID-Name":"caf\xe9 \x01","Unique-ID":"u"}')
    as_plain = event(b"Event-Name: X\nCaller-Caller-ID-Name: caf%E9\nUnique-ID: u\n\n", "text/event-plain")
    assert as_json.get("Caller-Caller-ID-Name") == "caf\ufffd \x01"
    assert as_plain.get("Caller-Caller-ID-Name") == "caf\ufffd"
    assert as_json.get("Unique-ID") == as_plain.get("Unique-ID") == "u"
    (reply,) = feed(b"Content-Type: api/response\nContent-Length: 4\n\ncaf\xe9", 2)
    assert reply.text == "caf\ufffd"


def test_lists_keep_the_form_they_have_in_freeswitch() -> None:
    as_json = event(b'{"Event-Name":"X","variable_a":["one","other"],"variable_b":"say \\":["}')
    as_plain = event(b"Event-Name: X\nvariable_a: ARRAY::one|:other\nvariable_b: say%20%22:[\n\n", "text/event-plain")
    assert as_json.get("variable_a") == as_plain.get("variable_a") == "ARRAY::one|:other"
    assert as_json.get("variable_b") == as_plain.get("variable_b") == 'say ":['


def test_headers_are_found_in_any_case_and_variables_by_their_names_as_sent() -> None:
    found = EslEvent({"Event-Name": "X", "variable_SR_LEG": "leg", "variable_sip_h_X-A": "1"})
    assert found.get("EVENT-name") == "X"
    assert found.get("nothing") == ""
    assert found.variables() == {"SR_LEG": "leg", "sip_h_X-A": "1"}
    assert (found.subclass, EslEvent({}).name) == ("", "")


def test_an_event_in_an_envelope_of_another_length_keeps_its_own_body() -> None:
    inner = b"Event-Name: BACKGROUND_JOB\nJob-UUID: j\nContent-Length: 9\n\n+OK 1\n\n22"
    assert event(inner, "text/event-plain").body == "+OK 1\n\n22"
    assert event(b'{"Event-Name":"BACKGROUND_JOB","Content-Length":"3","_body":"+OK"}').body == "+OK"


# ---------------------------------------------------------------------- malformed


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\n\n",
        b"Reply-Text: +OK\n\n",
        b"Content-Type: api/response\nContent-Length: x\n\n",
        b"Content-Type: api/response\nContent-Length: -1\n\n",
        b"Content-Type: api/response\nContent-Length: 99999999999999\n\n",
        b"Content-Type: api/response\nContent-Length: 33554433\n\n",
        b"Content-Type: api/response\nX: " + b"x" * 70_000,
        b"\n" * 70_000 + b"y" * 70_000,
    ],
    ids=range(8),
)
def test_what_is_no_event_socket_raises_one_error_and_then_nothing_is_read_any_more(data: bytes) -> None:
    for size in (1, 1000, len(data)):
        decoder = EslDecoder()
        with pytest.raises(BrokenStream):
            feed_into(decoder, data, size)
        with pytest.raises(BrokenStream):
            decoder.feed(b"Content-Type: auth/request\n\n")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b'{"a":7}', b'{"a":{}}', b'{"a":[7]}', b"[" * 100_000, b'{"a":null}']
)
def test_an_event_that_cannot_be_read_raises_the_same_error(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        event(body)


def test_an_endless_header_does_not_grow_without_bound() -> None:
    decoder = EslDecoder(max_head_bytes=1000)
    with pytest.raises(BrokenStream):
        feed_into(decoder, b"y" * 100_000, 100)
    assert len(decoder._buffer) <= 1100


def test_the_decoder_knows_whether_it_is_in_the_middle_of_a_message() -> None:
    decoder = EslDecoder()
    states = []
    for part in (b"Content-Type: api/response\nContent-Length: 2\n", b"\n", b"a", b"b", b"\n"):
        decoder.feed(part)
        states.append(decoder.is_midway)
    assert states == [True, True, True, False, False]


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_nothing_but_the_one_error_comes_out_whatever_goes_in(chunks: list[bytes]) -> None:
    decoder = EslDecoder(max_head_bytes=100, max_body_bytes=100)
    try:
        for chunk in chunks:
            decoder.feed(chunk)
    except BrokenStream:
        return


_LINES = st.sampled_from(
    [
        "Content-Type: api/response",
        "Content-Type: command/reply",
        "Content-Length: 7",
        "Content-Length: 0",
        "",
        "x",
        "a:b",
    ]
)


@given(st.lists(_LINES, max_size=20), st.integers(1, 30))
def test_the_cut_into_chunks_never_matters(lines: list[str], size: int) -> None:
    data = "\n".join([*lines, "", ""]).encode()

    def outcome(step: int) -> list[EslMessage]:
        try:
            return feed(data, step)
        except BrokenStream:
            return []

    whole = outcome(10_000)
    if whole:
        assert outcome(size) == whole


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=30) | st.lists(st.text(max_size=5))))
def test_whatever_values_an_event_has_they_arrive_unchanged(values: dict[str, str | list[str]]) -> None:
    values.pop("_body", None)
    found = event(json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    assert set(found.headers) >= {name for name in values if name.isascii()}
    for name, value in values.items():
        wanted = value if isinstance(value, str) else "ARRAY::" + "|:".join(value)
        if name.isascii() and wanted.isascii():
            assert found.headers[name] == wanted


@given(st.binary(max_size=200), st.sampled_from(["text/event-json", "text/event-plain"]))
def test_no_body_of_an_event_does_more_than_raise_the_one_error(body: bytes, kind: str) -> None:
    try:
        event(body, kind)
    except BrokenStream:
        return


@given(st.binary(max_size=40).filter(lambda raw: not set(raw) & set(b'"\\')))
def test_no_name_of_a_caller_makes_an_event_unreadable(raw: bytes) -> None:
    found = event(b'{"Event-Name":"X","Caller-Caller-ID-Name":"' + raw + b'","Unique-ID":"u"}')
    assert (found.name, found.get("Unique-ID")) == ("X", "u")
    assert found.get("Caller-Caller-ID-Name") == raw.decode("utf-8", "replace")


# ---------------------------------------------------------------------- commands


@pytest.mark.req("SAFE-03")
@given(st.lists(st.text(max_size=10) | HOSTILE, max_size=6).map("".join))
def test_no_text_makes_a_second_command_or_another_header(text: str) -> None:
    try:
        block = command_block(f"api uuid_kill {text}", {"Job-UUID": text})
    except UnsafeAction:
        assert set(text) & set("\r\n\0")
        return
    assert block.count("\n") == 3
    assert block.endswith("\n\n")
    assert not set(block) & set("\r\0")


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize("end", ["\n", "\r", "\0", "\n\napi fsctl shutdown\n\n"])
def test_a_line_end_in_a_command_or_a_header_is_refused(end: str) -> None:
    with pytest.raises(UnsafeAction):
        command_line(f"api uuid_exists x{end}")
    with pytest.raises(UnsafeAction):
        command_block("sendmsg u", {"execute-app-arg": f"x{end}"})
    with pytest.raises(UnsafeAction):
        command_block("sendmsg u", {f"a{end}": "x"})


@pytest.mark.parametrize("name", ["", "a b", "a: b", "1", "x" * 65, "é"])
def test_what_is_no_name_of_a_header_is_refused(name: str) -> None:
    with pytest.raises(UnsafeAction):
        command_block("sendmsg u", {name: "x"})


def test_empty_and_oversized_commands_are_refused() -> None:
    with pytest.raises(UnsafeAction):
        command_line("")
    with pytest.raises(UnsafeAction):
        command_line("é" * (MAX_COMMAND_BYTES // 2 + 1))
    assert command_line("é" * (MAX_COMMAND_BYTES // 2))


def test_a_block_is_the_command_its_headers_and_an_empty_line() -> None:
    assert command_block("auth x") == "auth x\n\n"
    assert command_block("bgapi status", {"Job-UUID": "j"}) == "bgapi status\nJob-UUID: j\n\n"
