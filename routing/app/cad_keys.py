"""The codecs of a process: sealed with the keys that its settings name (SAFE-06)."""

from __future__ import annotations

from datetime import UTC, datetime
from secrets import token_hex

from routing.app.settings import ServerSettings
from routing.core.errors import ConfigError
from routing.store.codec import Codecs
from routing.store.sealing import Sealer, SealKey, new_key


class CadKeyUnreadable(ConfigError):
    """A process without its key would store CAD in the open, and could not read what others sealed."""

    code = "cad-key-unreadable"
    template = "the key for call-associated data cannot be used, {source}: {problem}"


def codecs_of(server: ServerSettings) -> Codecs:
    """For processes that carry calls. Raises CadKeyUnreadable when a key is configured that cannot be read."""
    keys = server.cad_keys
    if keys.problem:
        raise CadKeyUnreadable(source=keys.source, problem=keys.problem)
    return Codecs(Sealer(keys))


def lenient_codecs_of(server: ServerSettings) -> Codecs:
    """For those who look: CAD whose key is missing is masked, and writing some raises SealKeyMissing."""
    return Codecs(Sealer(server.cad_keys, is_lenient=True))


def generated_key(now_ms: int) -> SealKey:
    """A new key whose id says when it was made, e.g. k20261121-9f0c."""
    day = datetime.fromtimestamp(now_ms / 1000, UTC)
    return new_key(f"k{day:%Y%m%d}-{token_hex(2)}")
