"""What `status` and `doctor` want to know of a tenant's Redis."""

from __future__ import annotations

from typing import Any

from routing.core.errors import StoreError
from routing.store.keys import Keys
from routing.store.port import START, StoreHealth
from routing.store.redis_link import RedisLink
from routing.store.redis_state import meta_of

# Whether commits survive a crash and whether Redis may throw keys away.
_SETTINGS = ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy")
_FACTS = ("redis_version", "aof_last_write_status", "used_memory", "role")


async def read_health(link: RedisLink, keys: Keys) -> StoreHealth:
    """Raises StoreUnavailable; settings that Redis does not show are left out."""
    pbxs = [name.decode() for name in await link.call("HKEYS", keys("command_positions"))]
    owner, token, meta, newest, waiting, *lengths = await link.transaction(
        ("GET", keys("lease")),
        ("GET", keys("fence")),
        ("HGETALL", keys("meta")),
        ("XREVRANGE", keys("inputs"), "+", "-", "COUNT", 1),
        ("XLEN", keys("inputs")),
        ("XLEN", keys("journal")),
        ("XLEN", keys("events")),
        ("HLEN", keys("interactions")),
        ("ZCARD", keys("timers")),
        *(("XLEN", keys("commands", pbx)) for pbx in pbxs),
    )
    names = ["journal", "events", "interactions", "timers", *(f"commands:{pbx}" for pbx in pbxs)]
    numbers = meta_of(meta)
    position = numbers.get("position", START)
    return StoreHealth(
        owner=owner.decode() if owner else None,
        token=int(token or 0),
        seq=int(numbers.get("seq", 0)),
        position=position,
        waiting_inputs=int(waiting),
        lag_ms=_lag_ms(position, newest),
        lengths={name: int(length) for name, length in zip(names, lengths, strict=True)},
        settings=await _settings(link),
    )


def _lag_ms(position: str, newest: list[Any]) -> int:
    """0 when nothing waits, and before the first commit. Positions begin with Redis' time in ms."""
    if not newest or position == START:
        return 0
    return max(0, int(newest[0][0].partition(b"-")[0]) - int(position.partition("-")[0]))


async def _settings(link: RedisLink) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        for name in _SETTINGS:
            for key, value in (await link.call("CONFIG GET", name)).items():
                found[str(key)] = str(value)
        info = await link.call("INFO")
        found |= {name: str(info[name]) for name in _FACTS if name in info}
    except StoreError:
        # Hosted Redis often forbids CONFIG; doctor then says that it could not look.
        pass
    return found
