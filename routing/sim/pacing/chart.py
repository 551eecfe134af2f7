"""Curves as one SVG file each: no library, no script, nothing to load."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 44
_COLORS = ("#7a7a7a", "#d08a00", "#b0413e", "#7b4fa3", "#1565c0", "#2e7d32", "#00838f", "#6d4c41")
_LEGEND_PX = 20


@dataclass(frozen=True, slots=True)
class Series:
    """One line; `has_dots`: its points are seen as such."""

    name: str
    points: Sequence[tuple[float, float]]
    has_dots: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """`level`: a dashed line across, e.g. the cap. `marks`: dashed lines upward, with what happens there."""

    title: str
    across: str
    series: Sequence[Series]
    level: float | None = None
    marks: Sequence[tuple[float, str]] = ()


def draw(panels: Sequence[Panel]) -> str:
    """Panels one below the other, with one legend; a series has its color by its place in the first panel."""
    names = list(dict.fromkeys(series.name for panel in panels for series in panel.series))
    colors = {name: _COLORS[place % len(_COLORS)] for place, name in enumerate(names)}
    height = len(panels) * _HEIGHT + _LEGEND_PX * (len(names) + 1)
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
    ]
    for place, panel in enumerate(panels):
        parts.append(f'<g transform="translate(0 {place * _HEIGHT})">')
        parts.extend(_panel(panel, colors))
        parts.append("</g>")
    for place, name in enumerate(names):
        y = len(panels) * _HEIGHT + _LEGEND_PX * (place + 0.5)
        parts.append(_line([(_LEFT, y), (_LEFT + 24, y)], colors[name]))
        parts.append(_text(_LEFT + 32, y + 4, name))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, colors: dict[str, str]) -> Iterable[str]:
    found = [point for series in panel.series for point in series.points]
    xs = _ticks([x for x, _ in found])
    ys = _ticks([0.0, *(y for _, y in found), *([] if panel.level is None else [panel.level])])

    def at(x: float, y: float) -> tuple[float, float]:
        across = (x - xs[0]) / (xs[-1] - xs[0])
        up = (y - ys[0]) / (ys[-1] - ys[0])
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    yield _text(_LEFT, 20, panel.title, "bold")
    yield _text(_WIDTH - _RIGHT, _HEIGHT - 8, panel.across, anchor="end")
    for y in ys:
        yield _line([at(xs[0], y), at(xs[-1], y)], "#dddddd", 1)
        yield _text(_LEFT - 6, at(0, y)[1] + 4, f"{y:g}", anchor="end")
    for x in xs:
        yield _text(at(x, 0)[0], _HEIGHT - _BOTTOM + 16, f"{x:g}", anchor="middle")
    if panel.level is not None:
        yield _line([at(xs[0], panel.level), at(xs[-1], panel.level)], "#b0413e", 1, "5 4")
    for place, (x, what) in enumerate(panel.marks):
        yield _line([at(x, ys[0]), at(x, ys[-1])], "#999999", 1, "2 3")
        yield _text(at(x, 0)[0] + 3, _TOP + 10 + 14 * (place % 2), what)
    for series in panel.series:
        points = [at(x, y) for x, y in series.points]
        yield _line(points, colors[series.name])
        if series.has_dots:
            yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colors[series.name]}"/>' for x, y in points)


def _ticks(values: Sequence[float]) -> list[float]:
    """Round numbers, a step apart, from below the least to above the greatest."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    span = (high - low) or 1.0
    raw = span / 6
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return [round(n * step, 10) for n in range(first, last + 1)]


def _line(points: Iterable[tuple[float, float]], color: str, width: float = 2, dashes: str = "") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"{dashed}/>'


def _text(x: float, y: float, text: str, weight: str = "normal", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}" text-anchor="{anchor}">{escape(text)}</text>'
