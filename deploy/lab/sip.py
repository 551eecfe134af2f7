"""SIP messages: parse and write them, answer a digest challenge. Pure; only what the telephone needs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

TYPE_SDP = "Content-Type: application/sdp"
REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    404: "Not Found",
    480: "Temporarily Unavailable",
    481: "Call Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    503: "Service Unavailable",
    600: "Busy Everywhere",
    603: "Decline",
}


class MalformedMessage(ValueError):
    """The datagram is not a SIP message."""


def token(size: int = 8) -> str:
    """A random hexadecimal token of `size` bytes."""
    return os.urandom(size).hex()


@dataclass(slots=True)
class Message:
    """A request (`method` set, `status` 0) or a response (`method` empty, `status` set)."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    method: str = ""
    status: int = 0

    @classmethod
    def parse(cls, data: bytes) -> Message:
        """Read one datagram; raises MalformedMessage. Folded header lines are joined."""
        head, _, body = data.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
        headers = [(name.strip(), value.strip()) for name, _, value in (x.partition(":") for x in lines[1:])]
        message = cls(lines[0], headers, body)
        words = lines[0].split()
        if len(words) >= 2 and words[0] == "SIP/2.0" and re.fullmatch(r"[1-6]\d\d", words[1], re.ASCII):
            message.status = int(words[1])
        elif len(words) == 3 and words[2] == "SIP/2.0":
            message.method = words[0]
        else:
            raise MalformedMessage(lines[0][:80])
        if not re.match(r"\d+\s+\S+$", message.get("CSeq"), re.ASCII):
            raise MalformedMessage("no CSeq")
        return message

    def get(self, name: str) -> str:
        """The first header of that name, or ""."""
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), "")

    def all(self, name: str) -> list[str]:
        """Every header of that name, in order."""
        name = name.lower()
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def cseq_method(self) -> str:
        return self.get("CSeq").split()[1]

    @property
    def branch(self) -> str:
        found = re.search(r"branch=([^;,\s]+)", self.get("Via"))
        return found.group(1) if found else ""


def tag_of(value: str) -> str:
    """The tag of a From or To header, or ""."""
    found = re.search(r";tag=([^;>\s]+)", value)
    return found.group(1) if found else ""


def uri_of(value: str) -> str:
    """The bare URI of a name-addr or addr-spec header."""
    found = re.search(r"<([^>]+)>", value)
    return found.group(1) if found else value.split(";", 1)[0].strip()


def q850_cause(reason: str) -> int | None:
    """The cause number of a Reason header, if there is one."""
    found = re.search(r"cause=(\d+)", reason)
    return int(found.group(1)) if found else None


def write(start: str, headers: Iterable[str], body: bytes = b"") -> bytes:
    """A datagram from its start line, header lines and body; adds Content-Length."""
    return "\r\n".join([start, *headers, f"Content-Length: {len(body)}", "", ""]).encode() + body


def write_response(
    request: Message, code: int, to_tag: str = "", headers: Iterable[str] = (), body: bytes = b""
) -> bytes:
    """The response to `request`, with a tag on To where one is given and none is there."""
    to = request.get("To")
    if to_tag and not tag_of(to):
        to += f";tag={to_tag}"
    lines = [f"Via: {value}" for value in request.all("Via")]
    lines += [f"Record-Route: {value}" for value in request.all("Record-Route")]
    lines += [f"From: {request.get('From')}", f"To: {to}"]
    lines += [f"{name}: {request.get(name)}" for name in ("Call-ID", "CSeq")]
    return write(f"SIP/2.0 {code} {REASONS.get(code, 'Status')}", [*lines, *headers], body)


def digest_header(challenge: Message, method: str, uri: str, user: str, password: str) -> str:
    """The Authorization or Proxy-Authorization line for a 401 or 407 (RFC 2617, MD5)."""
    proxy = challenge.status == 407
    given = challenge.get("Proxy-Authenticate" if proxy else "WWW-Authenticate")
    values = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
    realm, nonce = values["realm"], values["nonce"]
    secret, request = _md5(f"{user}:{realm}:{password}"), _md5(f"{method}:{uri}")
    line = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", algorithm=MD5'
    if "qop" in values:
        cnonce, count = token(4), "00000001"
        response = _md5(f"{secret}:{nonce}:{count}:{cnonce}:auth:{request}")
        line += f', qop=auth, nc={count}, cnonce="{cnonce}", response="{response}"'
    else:
        line += f', response="{_md5(f"{secret}:{nonce}:{request}")}"'
    if "opaque" in values:
        line += f', opaque="{values["opaque"]}"'
    return ("Proxy-Authorization: " if proxy else "Authorization: ") + line


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
