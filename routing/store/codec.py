"""Values to JSON and back, strictly typed. Members of a union are written as `ClassName {...}`."""

from __future__ import annotations

from dataclasses import fields
from hashlib import sha256
from typing import Any, Generic, TypeVar, cast, get_args

import msgspec

from routing.core.agent import Agent
from routing.core.commands import Command
from routing.core.config import Config
from routing.core.events import Event
from routing.core.facts import Fact
from routing.core.interaction import Interaction
from routing.core.matching_types import Trace
from routing.core.orders import AnyOrder, FireTimer, Reply
from routing.core.world import WorldState
from routing.store.errors import StoreCorrupt
from routing.store.port import Item, JournalEntry, Undecodable

T = TypeVar("T")

# An event's or a reply's values are open: what JSON lacks is written as its text, not failing a commit.
_encoder = msgspec.json.Encoder(enc_hook=str)


def encode(value: object) -> bytes:
    """JSON of a core value. Lone surrogates (bytes from outside that were no UTF-8) become U+FFFD."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_scrubbed(msgspec.to_builtins(value, enc_hook=str)))


def _scrubbed(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        case dict():
            return {_scrubbed(key): _scrubbed(item) for key, item in value.items()}
        case list() | tuple():
            return [_scrubbed(item) for item in value]
        case _:
            return value


class Codec(Generic[T]):
    """One type, JSON without a tag."""

    def __init__(self, type_: type[T]) -> None:
        self._name = type_.__name__
        self._decoder = msgspec.json.Decoder(type_)

    def decode(self, data: bytes) -> T:
        """Raises StoreCorrupt."""
        try:
            return self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreCorrupt(what=self._name, reason=str(error)) from error

    def read(self, data: bytes) -> T | Undecodable:
        """The value, or what could not be read as one."""
        try:
            return self.decode(data)
        except StoreCorrupt as error:
            return Undecodable(type=self._name, data=data, reason=str(error))


class UnionCodec(Generic[T]):
    """Members of a union, as `tagged` writes them."""

    def __init__(self, *members: type) -> None:
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {m.__name__: msgspec.json.Decoder(m) for m in members}

    def read(self, entry: bytes) -> T | Undecodable:
        """The member, or what could not be read as one."""
        name, _, data = entry.partition(b" ")
        type_ = name.decode("utf-8", "replace")
        decoder = self._decoders.get(type_)
        if decoder is None:
            return Undecodable(type=type_, data=data, reason="unknown type")
        try:
            return cast(T, decoder.decode(data))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Undecodable(type=type_, data=data, reason=str(error))


def tagged(value: object) -> bytes:
    """`ClassName {...}`; an undecodable one goes back as it came."""
    if isinstance(value, Undecodable):
        return value.type.encode() + b" " + value.data
    return type(value).__name__.encode() + b" " + encode(value)


def journaled(entry: JournalEntry) -> bytes:
    """`<now_ms> <1 if skipped, else 0> ClassName {...}`; the number stands beside it."""
    return b"%d %d %b" % (entry.now_ms, entry.is_skipped, tagged(entry.item))


def read_journaled(seq: int, entry: bytes) -> JournalEntry:
    """The inverse of `journaled`."""
    now_ms, skipped, item = entry.split(b" ", 2)
    return JournalEntry(seq=seq, now_ms=int(now_ms), is_skipped=skipped == b"1", item=items.read(item))


items: UnionCodec[Item] = UnionCodec(*get_args(Fact), *get_args(AnyOrder), FireTimer)
commands: UnionCodec[Command] = UnionCodec(*get_args(Command))
interactions = Codec(Interaction)
agents = Codec(Agent)
configs = Codec(Config)
events = Codec(Event)
replies = Codec(Reply)
traces = Codec(Trace)


def digest(state: WorldState) -> str:
    """SHA-256 over the whole state, independent of the order of its dictionaries."""
    parts = {f.name: getattr(state, f.name) for f in fields(state)}
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()
