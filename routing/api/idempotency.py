"""Idempotency-Key (API-03; draft-ietf-httpapi-idempotency-key-header): a repeated request is done once.

The key is reserved before anything is sent. A process that dies leaves a lease that runs out; the retry then takes
over, and its orders have the ids of the first attempt, so that what was sent is not sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Response, g, request

from routing.api.principal import current
from routing.api.problems import Problem
from routing.api.requests import is_streamed
from routing.api.services import services
from routing.core.errors import StoreError
from routing.store.errors import StoreCorrupt
from routing.store.idempotency import KeyRecord, Reserved
from routing.store.sql.ids import id_for, new_id

View = TypeVar("View", bound=Callable[..., Any])
HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?")
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Retry-After")
_NONCE_BYTES = 12

log = structlog.get_logger()


class KeyUse(StrEnum):
    """What a POST does with the header: `required`, `accepted` if it is there, or `ignored`."""

    REQUIRED = "required"
    ACCEPTED = "accepted"
    IGNORED = "ignored"


def idempotent(use: KeyUse = KeyUse.REQUIRED) -> Callable[[View], View]:
    """Mark a POST that dials, transfers or creates. A POST without a mark accepts a key."""

    def decorate(view: View) -> View:
        view.key_use = use  # type: ignore[attr-defined]
        return view

    return decorate


def key_use(view: Callable[..., Any]) -> KeyUse:
    """As marked."""
    found: KeyUse = getattr(view, "key_use", KeyUse.ACCEPTED)
    return found


class Answer(msgspec.Struct, frozen=True):
    """A response as it is kept."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """This request's attempt under its key."""

    record: KeyRecord
    attempt: str
    cipher: AESGCM


def new_or_same_id(prefix: str) -> str:
    """An id for what this request creates: the same whenever it is repeated with its key."""
    key: str | None = g.get("idempotency_key")
    if key is None:
        return new_id(prefix, services().clock.now_ms())
    return id_for(prefix, current().tenant, key)


def reserve(view: Callable[..., Any]) -> Response | None:
    """The kept answer, if there is one; else the key is this request's. Raises Problem for every other case."""
    if request.method != "POST" or (use := key_use(view)) is KeyUse.IGNORED:
        return None
    header = request.headers.get(HEADER)
    if header is None and use is KeyUse.ACCEPTED:
        return None
    key = f"{current().actor}\0{parsed_key(header)}"
    cipher = _cipher(key)
    record = KeyRecord(services().front(current().tenant).redis, current().tenant, key)
    attempt = uuid4().hex
    found = record.reserve(_fingerprint(), attempt)
    if found.outcome is Reserved.TAKEN:
        g.reservation = Reservation(record=record, attempt=attempt, cipher=cipher)
        g.idempotency_key = key
        g.order_id = "ord_" + hashlib.sha256(f"{current().tenant}\0{key}".encode()).hexdigest()[:40]
        return None
    if found.outcome is Reserved.DONE:
        return _replayed(cipher, found.answer)
    if found.outcome is Reserved.OTHER:
        raise Problem("idempotency-key-reused", "this key came with another method, path or body before")
    wait_s = max(1, -(-found.wait_ms // 1000))
    raise Problem("idempotency-in-progress", "the first request has not been answered yet", retry_after_s=wait_s)


def settle(answer: Response) -> Response:
    """Keep the answer under the request's key. A failure of the server is not kept: a retry goes on."""
    held: Reservation | None = g.pop("reservation", None)
    if held is None:
        return answer
    is_final = answer.status_code < 500
    if not is_final and g.get("store_failed"):
        return answer  # the lease runs out by itself; a store that does not answer would hold up this answer, too
    try:
        held.record.settle(held.attempt, _kept(held.cipher, answer) if is_final else b"")
    except StoreError as error:
        log.warning("answer_not_kept", reason=str(error))
    return answer


def parsed_key(header: str | None) -> str:
    """The key, of the structured-header string or a bare one. Raises Problem."""
    if header is None:
        raise Problem("idempotency-key-missing", "send a new UUID in the header Idempotency-Key")
    text = header.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not _KEY.fullmatch(text):
        raise Problem("idempotency-key-invalid", "the key is 1 to 200 visible ASCII characters")
    return text


def _fingerprint() -> str:
    parts = (request.method, request.path, request.query_string.decode("latin-1"))
    digest = hashlib.sha256("\0".join(parts).encode())
    digest.update(b"\0" + _body())
    return digest.hexdigest()


def _body() -> bytes:
    """Of a file, which is not read here, what tells it from another one."""
    if not is_streamed(request.method, request.path):
        return request.get_data()
    told = (request.headers.get(name, "") for name in ("Content-Length", "Content-Digest", "Content-Disposition"))
    return "\0".join((request.mimetype, *told)).encode("utf-8", "replace")


def _cipher(key: str) -> AESGCM:
    """Answers may hold secure CAD or a new secret. Redis holds only a hash of the key that this is derived from."""
    keys = services().server.cad_keys.keys
    secret = keys[-1].secret if keys else b"no key of the server"
    return AESGCM(hmac.digest(secret, f"answer\0{current().tenant}\0{key}".encode(), "sha256"))


def _kept(cipher: AESGCM, answer: Response) -> bytes:
    headers = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
    plain = msgspec.json.encode(Answer(answer.status_code, headers, answer.get_data()))
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, None)


def _replayed(cipher: AESGCM, kept: bytes) -> Response:
    from cryptography.exceptions import InvalidTag

    try:
        plain = cipher.decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], None)
    except InvalidTag as error:
        raise StoreCorrupt(what="a kept answer", reason="it was sealed with another key") from error
    found = msgspec.json.decode(plain, type=Answer)
    answer = Response(found.body, found.status, found.headers)
    answer.headers[REPLAYED] = "true"
    return answer
