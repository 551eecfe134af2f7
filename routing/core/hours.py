"""Opening hours (ROUTE-12): when a place is open, in its own time zone, with exceptions and holidays.

`zoneinfo` reads the zone's rules from the standard library's database, the only thing here that is not an argument;
public holidays are dates that the configuration has already looked up, so that a replay sees the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Part of a day by the clock on the wall: minutes since midnight, `until_min` not included (1440: midnight)."""

    from_min: int
    until_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """`week`: spans of Monday to Sunday, seven entries. `exceptions`: ISO date -> spans of that day, () = closed.

    `holidays`: ISO date -> name; closed, unless the date is among the exceptions.
    """

    id: str
    time_zone: str
    week: tuple[tuple[Span, ...], ...]
    exceptions: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    holidays: dict[str, str] = field(default_factory=dict)
