"""Values to JSON and back, strictly typed. Members of a union are written as `ClassName {...}`.

codecs = Codecs(Sealer(server.cad_keys))
entry = codecs.tagged(order)                   # its CAD sealed
call = codecs.interactions.decode(data)        # and opened
"""

from __future__ import annotations

from dataclasses import fields, replace
from hashlib import sha256
from typing import Any, Generic, TypeVar, cast, get_args

import msgspec

from routing.core.agent import Agent
from routing.core.campaign import CampaignLive
from routing.core.commands import Command
from routing.core.config import Config
from routing.core.events import Event
from routing.core.facts import Fact
from routing.core.interaction import Interaction
from routing.core.matching_types import Trace
from routing.core.orders import AnyOrder, CapacityGranted, FireTimer, Reply
from routing.core.record import RecordLive
from routing.core.tallies import FIGURE_OF, Figure
from routing.core.world import WorldState
from routing.store.errors import StoreCorrupt
from routing.store.port import Item, JournalEntry, Undecodable
from routing.store.sealing import SEALED, Sealer, Value, is_sealed, unmistakable

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

    def __init__(self, type_: type[T], sealer: Sealer) -> None:
        self._name, self._sealer = type_.__name__, sealer
        self._decoder = msgspec.json.Decoder(type_)
        self._sealed = SEALED.get(type_)

    def decode(self, data: bytes) -> T:
        """Raises StoreCorrupt, SealKeyMissing."""
        try:
            value = self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreCorrupt(what=self._name, reason=str(error)) from error
        return _opened(value, self._sealed, self._sealer)

    def read(self, data: bytes) -> T | Undecodable:
        """The value, or what could not be read as one. Raises SealKeyMissing."""
        try:
            return self.decode(data)
        except StoreCorrupt as error:
            return Undecodable(type=self._name, data=data, reason=str(error))


class UnionCodec(Generic[T]):
    """Members of a union, as `tagged` writes them."""

    def __init__(self, sealer: Sealer, *members: type) -> None:
        self._codecs: dict[str, Codec[Any]] = {m.__name__: Codec(m, sealer) for m in members}

    def read(self, entry: bytes) -> T | Undecodable:
        """The member, or what could not be read as one. Raises SealKeyMissing: with the key it can be read."""
        name, _, data = entry.partition(b" ")
        type_ = name.decode("utf-8", "replace")
        codec = self._codecs.get(type_)
        if codec is None:
            return Undecodable(type=type_, data=data, reason="unknown type")
        return cast("T | Undecodable", codec.read(data))


def _opened(value: T, name: str | None, sealer: Sealer) -> T:
    """`value`, which nobody else has seen yet, with its sealed field opened."""
    if name is not None and is_sealed(found := getattr(value, name)):
        object.__setattr__(value, name, sealer.opened(found))
    return value


class Codecs:
    """Everything a store writes and reads, with CAD sealed by that sealer; PLAIN seals nothing and opens nothing."""

    def __init__(self, sealer: Sealer) -> None:
        self.sealer = sealer
        own = (FireTimer, CapacityGranted)
        self.items: UnionCodec[Item] = UnionCodec(sealer, *get_args(Fact), *get_args(AnyOrder), *own)
        self.commands: UnionCodec[Command] = UnionCodec(sealer, *get_args(Command))
        self.interactions = Codec(Interaction, sealer)
        self.agents = Codec(Agent, sealer)
        self.campaigns = Codec(CampaignLive, sealer)
        self.records = Codec(RecordLive, sealer)
        self.configs = Codec(Config, sealer)
        self.events = Codec(Event, sealer)
        self.replies = Codec(Reply, sealer)
        self.traces = Codec(Trace, sealer)
        self._figures: dict[str, Codec[Any]] = {head: Codec(type_, sealer) for head, type_ in FIGURE_OF.items()}

    def figure(self, key: str, data: bytes) -> Figure:
        """Of which type it is says the key. Raises StoreCorrupt."""
        codec = self._figures.get(key[: key.find(":") + 1])
        if codec is None:
            raise StoreCorrupt(what="figure", reason=f"{key} is of no known kind")
        return cast("Figure", codec.decode(data))

    def encode(self, value: object) -> bytes:
        """JSON of a core value. Raises SealKeyMissing."""
        name = SEALED.get(type(value))
        found = getattr(value, name) if name is not None else None
        return self._sealed(value, str(name), found) if found else encode(value)

    def _sealed(self, value: object, name: str, found: Value) -> bytes:
        """Puts the sealed field in the place of the plain one; both are the same encoder's, and quotes within strings
        are escaped, so that the first place that looks like the field is it.
        """
        if self.sealer.is_plain:
            return encode(value) if (safe := unmistakable(found)) is found else encode(replace(value, **{name: safe}))  # type: ignore[type-var]
        plain, head = encode(found), b'"%b":' % name.encode()
        before, place, after = encode(value).partition(head + plain)
        if not place:
            raise StoreCorrupt(what=type(value).__name__, reason=f"its {name} cannot be sealed")
        return b"%b%b%b%b" % (before, head, self.sealer.sealed(found, plain), after)

    def tagged(self, value: object) -> bytes:
        """`ClassName {...}`; an undecodable one goes back as it came. Raises SealKeyMissing."""
        if isinstance(value, Undecodable):
            return value.type.encode() + b" " + value.data
        return type(value).__name__.encode() + b" " + self.encode(value)

    def journaled(self, entry: JournalEntry) -> bytes:
        """`<now_ms> <1 if skipped, else 0> ClassName {...}`; the number stands beside it. Raises SealKeyMissing."""
        return b"%d %d %b" % (entry.now_ms, entry.is_skipped, self.tagged(entry.item))

    def read_journaled(self, seq: int, entry: bytes) -> JournalEntry:
        """The inverse of `journaled`. Raises SealKeyMissing."""
        now_ms, skipped, item = entry.split(b" ", 2)
        return JournalEntry(seq=seq, now_ms=int(now_ms), is_skipped=skipped == b"1", item=self.items.read(item))


PLAIN = Codecs(Sealer())


def digest(state: WorldState) -> str:
    """SHA-256 over the whole state, independent of the order of its dictionaries."""
    parts = {f.name: getattr(state, f.name) for f in fields(state)}
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()
