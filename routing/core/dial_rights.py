"""Which numbers may be dialed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRights:
    """Which numbers may be dialed (SAFE-04): those that begin with one of `allowed`, none where it is empty.

    Prefixes are digits, `*` and `#`, `+` first; an IDD prefix counts as `+`. `denied` goes before `allowed`.
    """

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    min_digits: int = 3
    max_digits: int = 15
    international: bool = False
    premium: bool = False
