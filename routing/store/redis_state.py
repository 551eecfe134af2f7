"""The state of a tenant, from what Redis returns for the keys of `keys.STATE`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from routing.core.config import Config
from routing.core.facts import PhoneState
from routing.core.world import WorldState
from routing.store.codec import Codecs
from routing.store.errors import StoreCorrupt
from routing.store.keys import STATE
from routing.store.port import START
from routing.store.redis_link import Word

_POSITION = re.compile(r"\d+-\d+", re.ASCII)


def state_reads(keys: list[str]) -> list[Sequence[Word]]:
    """One command per key, in the order of `STATE`."""
    commands: list[Sequence[Word]] = []
    for name, key in zip(STATE, keys, strict=True):
        match name:
            case "timers":
                commands.append(("ZRANGE", key, 0, -1, "WITHSCORES"))
            case "config":
                commands.append(("GET", key))
            case _:
                commands.append(("HGETALL", key))
    return commands


def state_of(tenant: str, values: list[Any], codecs: Codecs) -> WorldState | None:
    """None when nothing was committed yet. Raises StoreCorrupt, SealKeyMissing."""
    interactions, agents, phones, links, timers, figures, campaigns, records, config, meta = values
    if not meta:
        return None
    try:
        numbers = _checked(meta_of(meta))
        return WorldState(
            config=codecs.configs.decode(config) if config else Config(tenant=tenant),
            interactions={k.decode(): codecs.interactions.decode(v) for k, v in interactions.items()},
            agents={k.decode(): codecs.agents.decode(v) for k, v in agents.items()},
            phones={k.decode(): PhoneState(v.decode()) for k, v in phones.items()},
            links={k.decode(): v == b"1" for k, v in links.items()},
            # A score is a double; every time in ms UTC is one exactly.
            timers={k.decode(): int(float(at)) for k, at in zip(timers[::2], timers[1::2], strict=True)},
            figures={k.decode(): codecs.figure(k.decode(), v) for k, v in figures.items()},
            campaigns={k.decode(): codecs.campaigns.decode(v) for k, v in campaigns.items()},
            records={k.decode(): codecs.records.decode(v) for k, v in records.items()},
            calls_granted=int(numbers["calls_granted"]) if numbers.get("calls_granted") else None,
            now_ms=int(numbers.get("now_ms", 0)),
            seq=int(numbers.get("seq", 0)),
        )
    except ValueError as error:
        raise StoreCorrupt(what="state", reason=str(error)) from error


def _checked(meta: dict[str, str]) -> dict[str, str]:
    """Raises ValueError for what no commit has written: commits compare the text of `seq`, and go on at `position`."""
    seq, position = meta.get("seq", "0"), meta.get("position", START)
    if str(int(seq)) != seq or not _POSITION.fullmatch(position):
        raise ValueError(f"seq {seq[:40]!r}, position {position[:40]!r}")
    return meta


def meta_of(meta: dict[bytes, bytes]) -> dict[str, str]:
    """Fields `seq`, `now_ms`, `position`, `calls_granted` (empty: no limit); empty before the first commit."""
    return {k.decode(): v.decode() for k, v in meta.items()}
