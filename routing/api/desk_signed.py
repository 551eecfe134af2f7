"""Tokens for the desk in a frame that a program signs itself (JWT), without asking us for one.

Which algorithm a token must have follows from the key that it names, never from the token (RFC 8725, 3.1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from redis import Redis
from redis.exceptions import RedisError

from routing.app.settings import FrameKey
from routing.store.keys import shared_key
from routing.store.redis_link import translated

LONGEST_S, LEEWAY_S = 300, 30
_MOST_BYTES = 4096
_MOST_ID = 128
_NEEDED = ["iss", "sub", "aud", "iat", "exp", "jti", "origins"]


class TokenRefused(Exception):
    """`reason` is for the log: it helps who signs, and would help who guesses."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a good token says."""

    key: FrameKey
    agent_id: str
    token_id: str
    origins: tuple[str, ...]


def is_signed(token: str) -> bool:
    """By its form: three parts."""
    return token.count(".") == 2


def read(token: str, keys: Sequence[FrameKey], audience: str, origins: Collection[str]) -> Signed:
    """Signed by one of the keys for this audience, now, for a frame on some of these origins. Raises TokenRefused."""
    if len(token) > _MOST_BYTES:
        raise TokenRefused("it is too long")
    try:
        key = _named(jwt.get_unverified_header(token), keys)
        options: Any = {"require": _NEEDED, "strict_aud": True}
        material, algorithm = (key.public_key, "EdDSA") if key.public_key else (key.secret, "HS256")
        claims: dict[str, Any] = jwt.decode(
            token,
            material,
            algorithms=[algorithm],
            audience=audience,
            issuer=key.issuer,
            leeway=LEEWAY_S,
            options=options,
        )
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise TokenRefused(str(error)) from error
    return _signed(key, claims, origins)


def _named(header: dict[str, Any], keys: Sequence[FrameKey]) -> FrameKey:
    """Raises TokenRefused."""
    key = next((key for key in keys if key.id == header.get("kid")), None)
    if key is None:
        raise TokenRefused("its kid names no key of desk.frame_keys")
    if not (key.secret or key.public_key):
        raise TokenRefused(f"its key could not be read from {key.source}")
    return key


def _signed(key: FrameKey, claims: dict[str, Any], origins: Collection[str]) -> Signed:
    """Raises TokenRefused."""
    issued_s, over_s, token_id, wanted = claims["iat"], claims["exp"], claims["jti"], claims["origins"]
    if not isinstance(issued_s, int) or not isinstance(over_s, int) or over_s - issued_s > LONGEST_S:
        raise TokenRefused(f"from iat to exp may be {LONGEST_S} seconds, whole ones")
    if not 0 < len(token_id) <= _MOST_ID:
        raise TokenRefused(f"its jti has to have 1 to {_MOST_ID} characters")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(one, str) for one in wanted):
        raise TokenRefused("origins is the list of origins that hold the frame")
    if foreign := [one for one in wanted if one not in origins]:
        raise TokenRefused(f"these may not hold the desk: {', '.join(foreign)}")
    return Signed(key=key, agent_id=claims["sub"], token_id=token_id, origins=tuple(wanted))


def is_first_use(redis: Redis, signed: Signed) -> bool:
    """Whether nobody has brought this token yet; from now on somebody has. Raises StoreError."""
    named = f"{signed.key.tenant}\0{signed.key.issuer}\0{signed.token_id}"
    place = shared_key("desk-token-used", hashlib.sha256(named.encode("utf-8", "replace")).hexdigest())
    # Remembered for longer than any token with this id can be good, whatever the clock of its program says.
    kept_s = LONGEST_S + 2 * LEEWAY_S + 1
    try:
        return bool(redis.set(place, b"", nx=True, ex=kept_s))
    except (RedisError, OSError) as error:
        raise translated(error) from error
