"""Events as rows of reports, without a database: what recorder, ticker and worker make of them together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import groupby
from typing import Any, TypeVar

from routing.app.reports.figures import Figures, Member, Subject
from routing.app.reports.slot import Rows, rows_of
from routing.app.reports.story import Story, story_of
from routing.core.events import Event
from routing.core.intervals import SLOT_MS, slots
from routing.store.sql import rows as sql_rows
from routing.store.sql.report_steps import put_steps
from routing.store.sql.report_tables import agent_changes, call_steps
from routing.store.sql.report_values import Change, Step

T = TypeVar("T")


class Reported:
    """`rows` by slot. `until_ms`: when they are computed."""

    def __init__(self, events: Iterable[Event], until_ms: int) -> None:
        collected = sql_rows.Rows()
        for number, event in enumerate(events, 1):
            put_steps(collected, "t", f"{number}-0", event)
        self.steps = _as(Step, collected.of(call_steps))
        self.changes = _as(Change, collected.of(agent_changes))
        ordered = sorted(self.steps, key=lambda step: step.interaction_id)  # stable
        self.stories = [story_of(steps) for _id, steps in groupby(ordered, lambda step: step.interaction_id)]
        begin_ms = min([step.at_ms for step in self.steps] + [change.at_ms for change in self.changes])
        self.rows: dict[int, Rows] = {
            slot: rows_of(slot, self.stories, changes_for(self.changes, slot), until_ms)
            for slot in slots(begin_ms, until_ms)
        }

    def total(self, subject: Subject, id_: str, kind: str | None = None) -> Figures:
        """Of all slots and teams; `kind` None: of all."""
        found = Figures()
        for rows in self.rows.values():
            for member, figures in rows.items():
                if (member.subject, member.id) == (subject, id_) and kind in (None, member.kind):
                    found.add(figures)
        return found

    def members(self) -> set[Member]:
        return {member for rows in self.rows.values() for member in rows}

    def story(self) -> Story:
        """Of the only call."""
        (found,) = self.stories
        return found


def changes_for(changes: Sequence[Change], slot_ms: int) -> list[Change]:
    before = {change.agent_id: change for change in changes if change.at_ms < slot_ms}
    return [*before.values(), *(c for c in changes if slot_ms <= c.at_ms < slot_ms + SLOT_MS)]


def _as(kind: type[T], rows: Iterable[dict[str, Any]]) -> list[T]:
    names = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    return [kind(**{name: value for name, value in row.items() if name in names}) for row in rows]
