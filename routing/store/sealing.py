"""Call-associated data, and digits, at rest: what is encrypted on its way to Redis, and how (SAFE-06).

A sealed field reads `{"~": "<key id>.<base64>"}` (text: `"~<key id>.<base64>"`, a list of texts: `["~..."]`) instead of
its value; behind the point stand a nonce of 12 bytes and what AES-256-GCM makes of the value's JSON, the key's id being
authenticated with it.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from routing.core.cad import MASK
from routing.core.commands import DialLeg, LookUp, MarkLeg, PlayDigits, PlayPrompts, ReturnLeg
from routing.core.facts import LegArrived, LookedUp, PromptsEnded
from routing.core.interaction import Interaction
from routing.core.orders import EditCad, RequestCallback, SendDigits
from routing.store.errors import SealKeyMissing, StoreCorrupt

MARK = "~"
KEY_BYTES, NONCE_BYTES = 32, 12

# The one field of each type that may hold CAD, or digits, which may be those of a card: pressed, or read aloud.
SEALED: Mapping[type, str] = {
    Interaction: "cad",
    LegArrived: "cad",
    EditCad: "values",
    DialLeg: "variables",
    ReturnLeg: "variables",
    MarkLeg: "variables",
    SendDigits: "digits",
    PlayDigits: "digits",
    PlayPrompts: "prompts",
    PromptsEnded: "digits",
    LookUp: "values",
    LookedUp: "cad",
    RequestCallback: "cad",
}

Value = dict[str, str] | str | tuple[str, ...]

_KEY_LINE = re.compile(r"([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)")
_TEXT = re.compile(rf"{MARK}[A-Za-z0-9_-]{{1,32}}\.[A-Za-z0-9+/]+={{0,2}}")
_REMEMBERED = 4096
_DICT, _STR = msgspec.json.Decoder(dict[str, str]), msgspec.json.Decoder(str)
_LIST = msgspec.json.Decoder(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class SealKey:
    id: str
    secret: bytes = field(repr=False)

    @property
    def line(self) -> str:
        """As it stands in a file of keys."""
        return f"{self.id}:{b64encode(self.secret).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealKeys:
    """The first seals, every one opens. `source`: where they are configured to be, for messages; empty: nowhere.

    `problem`: why this process has none although it should.
    """

    keys: tuple[SealKey, ...] = ()
    source: str = ""
    problem: str = ""


NO_KEYS = SealKeys()


def new_key(id_: str) -> SealKey:
    """A key that nobody else has."""
    return SealKey(id_, os.urandom(KEY_BYTES))


def parse_keys(lines: Iterable[str]) -> tuple[SealKey, ...]:
    """One `id:base64 of 32 bytes` per line; empty ones and those that begin with # do not count.

    Raises ValueError, which names the line and never quotes it.
    """
    keys: dict[str, SealKey] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = _KEY_LINE.fullmatch(text)
        if found is None:
            raise ValueError(f"line {number} is not id:base64 of {KEY_BYTES} bytes")
        if found[1] in keys:
            raise ValueError(f"line {number}: a second key {found[1]}")
        keys[found[1]] = SealKey(found[1], b64decode(found[2]))
    if not keys:
        raise ValueError("no key in it")
    return tuple(keys.values())


class Sealer:
    """Seals and opens the fields of `SEALED`.

    Without keys nothing is sealed, unless there should be some: then a value that would have to be raises
    SealKeyMissing. `is_lenient`: what cannot be opened for want of its key is shown as a mask instead of raising; for
    those who only look.
    """

    def __init__(self, keys: SealKeys = NO_KEYS, *, is_lenient: bool = False) -> None:
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys.keys}
        self._newest = keys.keys[0].id if keys.keys else ""
        self._source = keys.source
        self._is_lenient = is_lenient
        # A call's CAD is written many times and changes seldom. By identity: equal values of two calls look different.
        self._seals: dict[int, tuple[Value, bytes, bytes]] = {}

    @property
    def is_plain(self) -> bool:
        """Nothing is to be sealed."""
        return not self._newest and not self._source

    def sealed(self, value: Value, plain: bytes) -> bytes:
        """The JSON that stands for `value`, whose own JSON is `plain`. Raises SealKeyMissing."""
        known = self._seals.get(id(value))
        if known is not None and known[0] is value and known[1] == plain:
            return known[2]
        token = self._token(plain)
        return self._remember(value, plain, _wrapped(value, token).encode())

    def _token(self, plain: bytes) -> str:
        if not self._newest:
            raise SealKeyMissing(key_id="any key", setting=self._source)
        nonce = os.urandom(NONCE_BYTES)
        secret = self._ciphers[self._newest].encrypt(nonce, plain, self._newest.encode())
        return f"{self._newest}.{b64encode(nonce + secret).decode()}"

    def _remember(self, value: Value, plain: bytes, wrapped: bytes) -> bytes:
        if len(self._seals) >= _REMEMBERED:
            del self._seals[next(iter(self._seals))]
        self._seals[id(value)] = (value, plain, wrapped)
        return wrapped

    def opened(self, value: Value) -> Value:
        """What stands behind a sealed value. Raises SealKeyMissing, and StoreCorrupt for a forged or broken one."""
        plain = self._plain(_token_in(value))
        if plain is None:
            return _masked(value)
        opened: Value = _decoder_of(value).decode(plain)
        self._remember(opened, plain, msgspec.json.encode(value))
        return opened

    def _plain(self, token: str) -> bytes | None:
        """None: the key is missing, and that is all right."""
        key_id, _, encoded = token.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            if self._is_lenient:
                return None
            raise SealKeyMissing(
                key_id=f"key {key_id[:32]}", setting=self._source or "server.cad_key_file or cad_key_env"
            )
        try:
            sealed = b64decode(encoded, validate=True)
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], key_id.encode())
        except (InvalidTag, ValueError) as error:
            raise StoreCorrupt(what="CAD", reason=f"it is not what key {key_id} sealed") from error

    def seal_whole(self, data: bytes) -> bytes:
        """For what is kept beside the types above, e.g. answers of the API. Without any key: as it is."""
        return data if self.is_plain else f"{MARK}{self._token(data)}".encode()

    def open_whole(self, data: bytes) -> bytes:
        """The inverse; what was kept unsealed (and does not begin with `~`) is returned as it is.

        Raises SealKeyMissing, StoreCorrupt.
        """
        if not data.startswith(MARK.encode()):
            return data
        plain = self._plain(data[1:].decode("utf-8", "replace"))
        return MASK.encode() if plain is None else plain


def _wrapped(value: Value, token: str) -> str:
    """The JSON of a sealed value, by the type of the value."""
    match value:
        case dict():
            return f'{{"{MARK}":"{token}"}}'
        case tuple():
            return f'["{MARK}{token}"]'
        case _:
            return f'"{MARK}{token}"'


def _token_in(value: Value) -> str:
    """The inverse of `_wrapped`."""
    match value:
        case dict():
            return value[MARK]
        case tuple():
            return value[0][1:]
        case _:
            return value[1:]


def _decoder_of(value: Value) -> msgspec.json.Decoder[Any]:
    return _DICT if isinstance(value, dict) else _LIST if isinstance(value, tuple) else _STR


def _masked(value: Value) -> Value:
    return {MARK: MASK} if isinstance(value, dict) else (MASK,) if isinstance(value, tuple) else MASK


def is_sealed(value: Value) -> bool:
    """Whether it has the form of a sealed value."""
    match value:
        case dict():
            return len(value) == 1 and MARK in value
        case tuple():
            return len(value) == 1 and is_sealed(value[0])
        case _:
            return value.startswith(MARK) and _TEXT.fullmatch(value) is not None


def unmistakable(value: Value) -> Value:
    """For what is written unsealed: nothing from outside may look as if it were (no variable can be named so)."""
    if not is_sealed(value):
        return value
    match value:
        case dict():
            return {MARK * 2: value[MARK]}
        case tuple():
            return (MARK + value[0],)
        case _:
            return MARK + value
