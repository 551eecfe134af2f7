"""Bytes of the event socket into messages, messages into events, and commands into safe lines. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from routing.core.errors import PbxError
from telephony.safety import UnsafeAction, plain

MAX_HEAD_BYTES = 64 * 1024
# A list of all channels is one body; of an event a few KiB are usual.
MAX_BODY_BYTES = 32 * 1024 * 1024
# FreeSWITCH reads a command byte by byte and takes up to 10 MiB for one.
MAX_COMMAND_BYTES = 64 * 1024

JSON_EVENT, PLAIN_EVENT = "text/event-json", "text/event-plain"
AUTH_REQUEST = "auth/request"
COMMAND_REPLY, API_RESPONSE = "command/reply", "api/response"
DISCONNECT_NOTICE, RUDE_REJECTION = "text/disconnect-notice", "text/rude-rejection"

_HEAD_END = b"\n\n"
_LENGTH = re.compile(r"[0-9]{1,10}")
_LINE_END = re.compile(r"[\r\n\0]")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_FAILED = ("-ERR", "-USAGE", "Command not found", "command not found")
_LIST = re.compile(rb'":\s*\[')
_VARIABLE = "variable_"

_fields = msgspec.json.Decoder(dict[str, str | list[str]])


class BrokenStream(PbxError):
    """The bytes are not those of an event socket; nothing that follows can be trusted."""

    code = "esl-stream-broken"
    template = "the event socket sent {what}"


@dataclass(frozen=True, slots=True)
class EslMessage:
    """One message of the wire. Header names are in lower case; of a doubled header the last value counts."""

    headers: Mapping[str, str]
    body: bytes = b""

    def get(self, name: str) -> str:
        return self.headers.get(name, "")

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").lower()

    @property
    def text(self) -> str:
        """What a reply says: the body of an API command's answer, else the reply text."""
        if self.content_type == COMMAND_REPLY:
            return self.get("reply-text")
        return self.body.decode("utf-8", "replace").removesuffix("\n")

    @property
    def is_refusal(self) -> bool:
        """For a reply: the PBX says that it did not do it."""
        return self.text.startswith(_FAILED)


@dataclass(frozen=True, slots=True)
class EslEvent:
    """One event; header names as sent. Lists have FreeSWITCH's own form `ARRAY::one|:other`."""

    headers: Mapping[str, str]
    body: str = ""
    _folded: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.headers.get("Event-Name", "")

    @property
    def subclass(self) -> str:
        """Of a CUSTOM event; empty where there is none."""
        return self.headers.get("Event-Subclass", "")

    def get(self, header: str) -> str:
        """The value of a header in whatever case; empty when it is absent."""
        value = self.headers.get(header)
        if value is not None:
            return value
        if not self._folded:
            self._folded.update((name.lower(), text) for name, text in self.headers.items())
        return self._folded.get(header.lower(), "")

    def variables(self) -> dict[str, str]:
        """The channel's variables, by their names as sent."""
        cut = len(_VARIABLE)
        return {name[cut:]: value for name, value in self.headers.items() if name.startswith(_VARIABLE)}


# ---------------------------------------------------------------------- bytes to messages


class EslDecoder:
    """Feed it chunks of any size; after it has raised BrokenStream it does nothing else."""

    def __init__(self, max_head_bytes: int = MAX_HEAD_BYTES, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._max_head, self._max_body = max_head_bytes, max_body_bytes
        self._buffer = bytearray()
        self._begin = self._searched = 0
        self._head: dict[str, str] | None = None
        self._length = 0
        self._fault: BrokenStream | None = None

    @property
    def is_midway(self) -> bool:
        """The rest of a message is still to come."""
        return bool(self._buffer) or self._head is not None

    def feed(self, chunk: bytes) -> list[EslMessage]:
        """The messages which this chunk completes, in order. Raises BrokenStream."""
        if self._fault is not None:
            raise self._fault
        self._buffer += chunk
        messages: list[EslMessage] = []
        try:
            while (message := self._next()) is not None:
                messages.append(message)
        except BrokenStream as fault:
            self._fault = fault
            self._buffer.clear()
            raise
        del self._buffer[: self._begin]
        self._searched -= self._begin
        self._begin = 0
        return messages

    def _next(self) -> EslMessage | None:
        if self._head is None and not self._take_head():
            return None
        end = self._begin + self._length
        if self._head is None or len(self._buffer) < end:
            return None
        message = EslMessage(self._head, bytes(self._buffer[self._begin : end]))
        self._head, self._begin, self._searched = None, end, end
        return message

    def _take_head(self) -> bool:
        buffer = self._buffer
        while self._begin < len(buffer) and buffer[self._begin] in b"\r\n":
            self._begin += 1
        end = buffer.find(_HEAD_END, max(self._begin, self._searched - 1))
        if (end if end >= 0 else len(buffer)) - self._begin > self._max_head:
            raise BrokenStream(what="a header without end")
        if end < 0:
            self._searched = len(buffer)
            return False
        self._head = _headers(bytes(buffer[self._begin : end]))
        self._length = self._body_length(self._head)
        self._begin = self._searched = end + len(_HEAD_END)
        return True

    def _body_length(self, head: Mapping[str, str]) -> int:
        if "content-type" not in head:
            raise BrokenStream(what="a message without a type")
        text = head.get("content-length", "0")
        if not _LENGTH.fullmatch(text) or int(text) > self._max_body:
            raise BrokenStream(what=f"the length {plain(text, 20)!r}")
        return int(text)


def _headers(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        name, separator, value = line.partition(":")
        if not separator:
            continue
        name, value = name.strip().lower(), value.strip(" \t\r")
        if name == "content-length" and headers.get(name, value) != value:
            raise BrokenStream(what="two lengths of one message")
        headers[name] = value
    return headers


# ---------------------------------------------------------------------- messages to events


def event_of(message: EslMessage) -> EslEvent | None:
    """The event that this message carries, None when it is no event. Raises BrokenStream."""
    if message.content_type == JSON_EVENT:
        return _json_event(message.body)
    return _plain_event(message.body) if message.content_type == PLAIN_EVENT else None


def _json_event(body: bytes) -> EslEvent:
    try:
        fields = _fields.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):  # for bad UTF-8 it has more than one error
        fields = _lenient(body)
    if b"[" in body and _LIST.search(body):
        fields = {name: _one(value) for name, value in fields.items()}
    text = fields.pop("_body", "")
    return EslEvent(fields, text if isinstance(text, str) else "")  # type: ignore[arg-type]  # no list is left


def _lenient(body: bytes) -> dict[str, str | list[str]]:
    """FreeSWITCH passes on names of callers as they came: not always UTF-8."""
    try:
        found: Any = json.loads(body.decode("utf-8", "replace"), strict=False)
        return msgspec.convert(found, dict[str, str | list[str]])
    except (ValueError, RecursionError, msgspec.ValidationError) as err:
        raise BrokenStream(what="an event that cannot be read") from err


def _one(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "ARRAY::" + "|:".join(value)


def _plain_event(content: bytes) -> EslEvent:
    head, _, body = content.partition(_HEAD_END)
    headers: dict[str, str] = {}
    for line in head.split(b"\n"):
        name, separator, value = line.partition(b":")
        if separator:
            headers[_decoded(name)] = _decoded(value.removeprefix(b" "))
    length = headers.get("Content-Length", "")
    text = body[: int(length)] if _LENGTH.fullmatch(length) else b""
    return EslEvent(headers, text.decode("utf-8", "replace"))


def _decoded(value: bytes) -> str:
    return (unquote_to_bytes(value) if b"%" in value else value).decode("utf-8", "replace")


# ---------------------------------------------------------------------- commands


def command_line(text: str) -> str:
    """The same text when it is one line that may be sent. Raises UnsafeAction.

    The only way onto the wire: a line end inside would begin a command of its own and shift every later reply.
    """
    if not text or _LINE_END.search(text):
        raise UnsafeAction(what="a line end in a command" if text else "an empty command")
    if len(text.encode("utf-8", "replace")) > MAX_COMMAND_BYTES:
        raise UnsafeAction(what=f"a command of more than {MAX_COMMAND_BYTES} bytes")
    return text


def command_block(line: str, headers: Mapping[str, str] | None = None) -> str:
    """A command with its headers, ready for the wire. Raises UnsafeAction."""
    lines = [command_line(line)]
    for name, value in (headers or {}).items():
        if not _HEADER_NAME.fullmatch(name):
            raise UnsafeAction(what="a header name")
        lines.append(command_line(f"{name}: {value}"))
    return "\n".join(lines) + "\n\n"
