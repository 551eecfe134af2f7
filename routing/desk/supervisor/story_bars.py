"""The time line of an interaction: a lane for each who had a part in it, bars for what lasted, marks for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from routing.desk.language import gettext as _
from routing.desk.supervisor.clock import ms_of
from routing.desk.supervisor.names import name_of, queue_label
from routing.desk.supervisor.story_facts import Facts, Row
from routing.desk.supervisor.story_words import listener
from routing.desk.words_calls import outcome, party_role

_TICKS = 5
_QUEUE_LEFT = ("interaction.connected", "queue.overflowed", "flow.entered", "interaction.ended", "callback.dialed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`end_ms`: None while it lasts. `kind` is the class it is drawn with, `title` says what it is."""

    kind: str
    begin_ms: int
    end_ms: int | None
    title: str


@dataclass(slots=True, kw_only=True)
class Lane:
    """`marks`: (kind, ms, title)."""

    name: str
    bars: list[Bar] = field(default_factory=list)
    marks: list[tuple[str, int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLine:
    """Places are percent of the width."""

    begin_ms: int
    end_ms: int
    lanes: list[Lane]

    def place(self, at_ms: int) -> float:
        span = max(1, self.end_ms - self.begin_ms)
        return round(min(100.0, max(0.0, (at_ms - self.begin_ms) / span * 100)), 3)

    def width(self, bar: Bar) -> float:
        """At least so wide that it can be seen."""
        end_ms = self.end_ms if bar.end_ms is None else bar.end_ms
        return round(max(0.25, self.place(end_ms) - self.place(bar.begin_ms)), 3)

    def ticks(self) -> list[tuple[float, int]]:
        step = (self.end_ms - self.begin_ms) / (_TICKS - 1)
        return [(100 * n / (_TICKS - 1), int(self.begin_ms + n * step)) for n in range(_TICKS)]


def time_line(facts: Facts, now_ms: int) -> TimeLine:
    lanes = [_route(facts), _customer(facts), *_people(facts), _recording(facts), *_listening(facts), _marks(facts)]
    shown = [lane for lane in lanes if lane.bars or lane.marks]
    begins = [bar.begin_ms for lane in shown for bar in lane.bars] + [at for lane in shown for _k, at, _t in lane.marks]
    ends = [bar.end_ms or now_ms for lane in shown for bar in lane.bars] + begins
    entered_ms = ms_of(facts.first("entered_at"))
    return TimeLine(begin_ms=min([entered_ms, *begins]), end_ms=max([entered_ms + 1000, *ends]), lanes=shown)


def _span(kind: str, begin: str, end: str | None, title: str, limit_ms: int | None = None) -> Bar:
    end_ms = ms_of(end) if end else limit_ms
    return Bar(kind=kind, begin_ms=ms_of(begin), end_ms=end_ms, title=title)


def _over_ms(facts: Facts) -> int | None:
    """Where what has no end of its own ends: with the call; None while it lives."""
    ended = facts.first("ended_at")
    return ms_of(ended) if ended else None


def _route(facts: Facts) -> Lane:
    """Flow steps and queues, from the events."""
    lane, queued = Lane(name=_("Route")), None
    for event in facts.events:
        at_ms, told = ms_of(event["at"]), event["data"]
        if queued and (event["type"] in _QUEUE_LEFT or event["type"] == "interaction.queued"):
            lane.bars.append(_waited(queued, at_ms))
            queued = None
        if event["type"] in ("interaction.queued", "interaction.requeued"):
            queued = queued or event
        if event["type"] == "flow.step" and told.get("do") != "queue":
            title = _("Step %(step)s: %(exit)s") % {"step": told["step"], "exit": told["exit"]}
            lane.bars.append(Bar(kind="flow", begin_ms=at_ms - int(told["took_ms"]), end_ms=at_ms, title=title))
    if queued:
        lane.bars.append(_waited(queued, _over_ms(facts)))
    return lane


def _waited(queued: Row, end_ms: int | None) -> Bar:
    title = _("Waits in queue %(queue)s") % {"queue": queue_label(queued["queue"] or "")}
    return Bar(kind="wait", begin_ms=ms_of(queued["at"]), end_ms=end_ms, title=title)


def _customer(facts: Facts) -> Lane:
    lane, over_ms = Lane(name=_("Customer")), _over_ms(facts)
    legs = [leg for leg in (facts.history or {}).get("legs", ()) if leg["role"] == "customer"]
    if legs:
        lane.bars += [_span("call", leg["joined_at"], leg["left_at"], _("In the call"), over_ms) for leg in legs]
    elif facts.first("entered_at"):
        lane.bars.append(_span("call", facts.first("entered_at"), facts.first("ended_at"), _("In the call")))
    for hold in (facts.history or {}).get("holds", ()):
        lane.bars.append(_span("hold", hold["held_at"], hold["resumed_at"], _("On hold"), over_ms))
    return lane


def _people(facts: Facts) -> Iterable[Lane]:
    """Agents and outside numbers, by when they first had to do with it."""
    found: dict[str, Lane] = {}
    timed: list[tuple[str, str, Bar]] = []
    history, over_ms = facts.history or {}, _over_ms(facts)
    for offer in history.get("offers", ()):
        told = outcome(offer["outcome"]) if offer["outcome"] else _("Rings")
        bar = _span(
            "offer", offer["offered_at"], offer["ended_at"], _("Offer: %(outcome)s") % {"outcome": told}, over_ms
        )
        timed.append((offer["offered_at"], _who(offer), bar))
    for leg in history.get("legs", ()):
        if leg["role"] != "customer":
            bar = _span("talk", leg["joined_at"], leg["left_at"], party_role(leg["role"]), over_ms)
            timed.append((leg["joined_at"], _who(leg), bar))
    for wrap_up in history.get("wrap_ups", ()):
        if wrap_up["started_at"]:
            bar = _span("wrap", wrap_up["started_at"], wrap_up["ended_at"], _("Wrap-up"))
            timed.append((wrap_up["started_at"], _who(wrap_up), bar))
    for _at, who, bar in sorted(timed, key=lambda one: one[0]):
        found.setdefault(who, Lane(name=who)).bars.append(bar)
    return found.values()


def _who(row: Row) -> str:
    return name_of(row.get("agent_id")) or str(row.get("number") or _("Somebody"))


def _recording(facts: Facts) -> Lane:
    lane = Lane(name=_("Recording"))
    for recording in (facts.history or {}).get("recordings", ()):
        if not recording["started_at"]:
            continue
        lane.bars.append(
            _span("record", recording["started_at"], recording["stopped_at"], _("Recorded"), _over_ms(facts))
        )
        lane.bars += _pauses(recording, _over_ms(facts))
    return lane


def _pauses(recording: Row, over_ms: int | None) -> Iterator[Bar]:
    since = ""
    for mark in recording["marks"]:
        if mark["kind"] == "paused":
            since = since or mark["at"]
        elif since:
            yield _span("pause", since, mark["at"], _("Recording paused"))
            since = ""
    if since:
        yield _span("pause", since, recording["stopped_at"], _("Recording paused"), over_ms)


def _listening(facts: Facts) -> list[Lane]:
    """Supervisors who heard it."""
    found: dict[str, Lane] = {}
    begun: dict[str, Row] = {}
    for event in facts.events:
        told = event["data"]
        if event["type"] == "supervision.started":
            begun[str(told["supervision_id"])] = event
        elif event["type"] == "supervision.ended" and (first := begun.pop(str(told["supervision_id"]), None)):
            _listens(found, first, ms_of(event["at"]))
    for first in begun.values():
        _listens(found, first, _over_ms(facts))
    return list(found.values())


def _listens(lanes: dict[str, Lane], first: Row, end_ms: int | None) -> None:
    who = listener(first["data"])
    bar = Bar(kind="listen", begin_ms=ms_of(first["at"]), end_ms=end_ms, title=_("Listens to the call"))
    lanes.setdefault(who, Lane(name=who)).bars.append(bar)


def _marks(facts: Facts) -> Lane:
    lane, history = Lane(name=_("Decisions and notes")), facts.history or {}
    for decision in facts.decisions:
        lane.marks.append(("decision", ms_of(decision["at"]), _("Routing decision")))
    for version in history.get("cad_versions", ()):
        title = _("Call data, version %(version)s") % {"version": version["version"]}
        lane.marks.append(("data", ms_of(version["at"]), title))
    for note in history.get("notes", ()):
        lane.marks.append(("note", ms_of(note["at"]), _("Note")))
    for digits in history.get("digits", ()):
        lane.marks.append(("digits", ms_of(digits["at"]), _("Digits sent")))
    return lane


def kinds_of(line: TimeLine) -> list[str]:
    """What the legend explains: kinds that are in it."""
    used: Any = {bar.kind for lane in line.lanes for bar in lane.bars} | {
        k for lane in line.lanes for k, _a, _t in lane.marks
    }
    return [kind for kind in LEGEND if kind in used]


LEGEND = (
    "flow",
    "wait",
    "offer",
    "call",
    "talk",
    "hold",
    "wrap",
    "record",
    "pause",
    "listen",
    "decision",
    "data",
    "note",
    "digits",
)
