"""Messages of the event socket from bytes and back: as FreeSWITCH writes them, but not with the codec under test."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote

from tests.contract.recordings import Message, Role, trimmed_answer, trimmed_event

JSON_EVENT, PLAIN_EVENT = "text/event-json", "text/event-plain"


class Splitter:
    """Chunks of any size into (head, body)."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, chunk: bytes) -> list[tuple[dict[str, str], str]]:
        self._buffer += chunk
        found: list[tuple[dict[str, str], str]] = []
        while True:
            text, end, rest = self._buffer.lstrip(b"\n").partition(b"\n\n")
            head = fields_of(text.decode("utf-8", "replace"))
            length = int(head.get("Content-Length", 0))
            if not end or len(rest) < length:
                return found
            found.append((head, rest[:length].decode("utf-8", "replace")))
            self._buffer = rest[length:]


def fields_of(text: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text.split("\n") if ": " in line)


def message_of(role: Role, head: dict[str, str], body: str, command: str = "") -> Message:
    """What is worth keeping of a message; `command`: which it answers."""
    kind = head["Content-Type"]
    if kind == JSON_EVENT:
        event = json.loads(body)
        return Message(role, kind, trimmed_event(event), event.get("_body", ""))
    if kind == PLAIN_EVENT:
        text, _, inner = body.partition("\n\n")
        fields = {name: unquote(value) for name, value in fields_of(text).items()}
        fields.pop("Content-Length", "")
        return Message(role, kind, trimmed_event(fields), inner)
    fields = {name: value for name, value in head.items() if name not in ("Content-Type", "Content-Length")}
    return Message(role, kind, fields, trimmed_answer(command, body))


def bytes_of(message: Message) -> bytes:
    """As it comes over the wire."""
    if message.content_type == JSON_EVENT:
        body = json.dumps(message.fields, ensure_ascii=False)
    elif message.content_type == PLAIN_EVENT:
        body = _plain({**message.fields, "Content-Length": str(len(message.body.encode()))}) + message.body
    else:
        return _enveloped({"Content-Type": message.content_type, **message.fields}, message.body)
    return _enveloped({"Content-Type": message.content_type}, body)


def _plain(fields: dict[str, Any]) -> str:
    return "".join(f"{name}: {quote(value, safe=' ')}\n" for name, value in fields.items()) + "\n"


def _enveloped(head: dict[str, str], body: str) -> bytes:
    content = body.encode("utf-8", "surrogatepass")
    if content:
        head = {"Content-Length": str(len(content)), **head}
    return ("".join(f"{name}: {value}\n" for name, value in head.items()) + "\n").encode() + content


def answer(text: str) -> bytes:
    """To an API command."""
    return bytes_of(Message(Role.COMMANDS, "api/response", {}, text))


def reply(text: str) -> bytes:
    """To any other command."""
    return bytes_of(Message(Role.COMMANDS, "command/reply", {"Reply-Text": text}))


GREETING = bytes_of(Message(Role.COMMANDS, "auth/request", {}))


def blocks(buffer: str) -> tuple[list[str], str]:
    """Complete commands with their headers, and the rest. Empty lines between them mean nothing."""
    *complete, rest = buffer.lstrip("\n").split("\n\n")
    return [block for block in (each.lstrip("\n") for each in complete) if block], rest


def is_chore(block: str) -> bool:
    """What a connector sends whenever its own clock says so: nothing of a recording."""
    return block == "api strepoch" or block.startswith("api global_setvar SR_BEAT=")
