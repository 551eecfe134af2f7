"""Prefixed, sortable, opaque ids that a replay makes again: they come from time and journal position, not from chance.

Layout of the 26 characters after the prefix (Crockford base 32, as in the ULID specification, github.com/ulid/spec):
48 bits of time in ms, 64 bits of journal sequence number, 16 bits of counter within the step.
"""

from __future__ import annotations

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26


def encode(number: int) -> str:
    """`number` (0 <= number < 2**130) as 26 characters."""
    out = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 32)
        out.append(_ALPHABET[digit])
    return "".join(reversed(out))


class IdSource:
    """Ids for one step. Two steps never share (`now_ms`, `seq`), so ids never repeat."""

    __slots__ = ("_base", "_count")

    def __init__(self, now_ms: int, seq: int) -> None:
        self._base = ((now_ms & (1 << 48) - 1) << 80) | ((seq & (1 << 64) - 1) << 16)
        self._count = 0

    def make(self, prefix: str) -> str:
        """The next id, e.g. `int_01JD...` for prefix `int`."""
        self._count += 1
        return f"{prefix}_{encode(self._base | self._count)}"
