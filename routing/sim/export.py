"""A recorded day out of the history (SQL), as far as a replay needs it: nothing that identifies a caller.

Calls are stays in queues (`routing.app.reports.story`), from an hour before the day to an hour after it. Agents' time
is what their own state was; while they had something to do that is not replayed (outdials, voicemails, consults, calls
that colleagues sent them) they count as idle, since then they took no calls.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby
from secrets import token_hex

from sqlalchemy import Connection, select

from routing.app.reports.story import ABANDONED, ANSWERED, Part, Story, story_of
from routing.core.declarations import Requirement
from routing.core.errors import ConfigError
from routing.core.intervals import SLOT_MS
from routing.sim.clock import length_of, start_of
from routing.sim.day import HOUR_MS, Call, Day, Fate, Presence, Shift, Span, pseudonym
from routing.store.sql.history_tables import interactions, offers, wrap_ups
from routing.store.sql.meta import row_as
from routing.store.sql.report_rows import changes_of_slot
from routing.store.sql.report_steps import StepKind
from routing.store.sql.report_tables import agent_changes, call_steps
from routing.store.sql.report_values import Change, Step

LEAD_MS = HOUR_MS
INBOUND = "inbound"
_AVAILABLE, _LOGGED_OUT = "available", "logged_out"


class NothingRecorded(ConfigError):
    code = "nothing-recorded"
    template = "no call and no agent of {date} ({zone}) is in the history of tenant {tenant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Details:
    """How long telephones rang, by leg those that were answered, by interaction those whose caller gave up meanwhile;
    the legs of agents whose wrap-up was ended by its time-out; and where each interaction came in.
    """

    rings_ms: Mapping[str, int]
    cut: frozenset[str]
    pbxs: Mapping[str, str]


def export_day(connection: Connection, tenant: str, date: str, zone: str, salt: str = "") -> Day:
    """Raises NothingRecorded, ValueError for no date, KeyError for no zone. `salt` empty: a new one."""
    zero_ms, length_ms, salt = start_of(date, zone), length_of(date, zone), salt or token_hex(8)
    window = (zero_ms - LEAD_MS, zero_ms + length_ms + LEAD_MS)
    told = list(_calls_of(connection, tenant, window))
    stories = [story_of(steps) for steps in told]
    details = _details(connection, tenant, window)
    visits = [v for story, steps in zip(stories, told, strict=True) for v in _visits(story, steps, details)]
    inside = [(call, leg_id) for call, leg_id in visits if window[0] <= call.at_ms < window[1]]
    busy = _otherwise_busy(stories, {leg_id for _, leg_id in inside}, window[1])
    shifts = _shifts(_changes(connection, tenant, window), busy, window)
    if not inside and not any(shifts.values()):
        raise NothingRecorded(date=date, zone=zone, tenant=tenant)
    return Day(
        date=date,
        zone=zone,
        starts_at_ms=zero_ms,
        length_ms=length_ms,
        salt=salt,
        calls=_pseudonymous_calls([call for call, _ in inside], zero_ms, salt),
        shifts=_pseudonymous_shifts(shifts, zero_ms, salt),
    )


def _pseudonymous_calls(calls: Iterable[Call], zero_ms: int, salt: str) -> tuple[Call, ...]:
    """In the order of time, numbered, with times from the day's start on."""
    ordered = sorted(_usual_left_out(list(calls)), key=lambda call: call.at_ms)
    return tuple(
        replace(
            call,
            id=f"c{number:06}",
            at_ms=call.at_ms - zero_ms,
            agent=pseudonym(salt, call.agent) if call.agent else "",
        )
        for number, call in enumerate(ordered, start=1)
    )


def _pseudonymous_shifts(shifts: Mapping[str, Sequence[Span]], zero_ms: int, salt: str) -> tuple[Shift, ...]:
    """In the order of pseudonyms: that of ids would tell something of them."""
    named = (
        (pseudonym(salt, agent), tuple(_moved(span, -zero_ms) for span in spans)) for agent, spans in shifts.items()
    )
    return tuple(Shift(agent=name, spans=spans) for name, spans in sorted(named, key=lambda one: one[0]) if spans)


# ------------------------------------------------------------------ calls


def _calls_of(connection: Connection, tenant: str, window: tuple[int, int]) -> Iterator[list[Step]]:
    """All steps of each call that has one in the window."""
    steps = call_steps.c
    touching = select(steps.interaction_id).where(
        steps.tenant == tenant, steps.at_ms >= window[0], steps.at_ms < window[1]
    )
    query = select(*(steps[f.name] for f in fields(Step))).where(
        steps.tenant == tenant, steps.interaction_id.in_(touching)
    )
    rows = connection.execute(query.order_by(steps.interaction_id, steps.position)).mappings()
    for _id, found in groupby(rows, lambda row: row["interaction_id"]):
        yield [row_as(Step, row) for row in found]


def _details(connection: Connection, tenant: str, window: tuple[int, int]) -> _Details:
    offer = offers.c
    rung = select(offer.outcome, offer.leg_id, offer.interaction_id, offer.offered_at_ms, offer.ended_at_ms).where(
        offers.c.tenant == tenant,
        offers.c.outcome.in_((ANSWERED, ABANDONED)),
        offers.c.offered_at_ms >= window[0] - LEAD_MS,
        offers.c.offered_at_ms < window[1] + LEAD_MS,
    )
    cut = select(wrap_ups.c.leg_id).where(
        wrap_ups.c.tenant == tenant,
        wrap_ups.c.by == "timeout",
        wrap_ups.c.started_at_ms >= window[0] - LEAD_MS,
    )
    rings = {
        (row.leg_id if row.outcome == ANSWERED else row.interaction_id): row.ended_at_ms - row.offered_at_ms
        for row in connection.execute(rung)
        if row.ended_at_ms is not None
    }
    entered = interactions.c.entered_at_ms
    came = select(interactions.c.id, interactions.c.pbx).where(
        interactions.c.tenant == tenant, entered >= window[0] - LEAD_MS, entered < window[1]
    )
    pbxs = {id_: pbx for id_, pbx in connection.execute(came) if pbx}
    return _Details(rings_ms=rings, cut=frozenset(connection.scalars(cut)), pbxs=pbxs)


def _visits(story: Story, steps: Sequence[Step], details: _Details) -> Iterator[tuple[Call, str]]:
    """Each stay in a queue as a call, times still in ms UTC and the agent by his id, and the leg of who answered."""
    if story.kind != INBOUND:
        return
    queued = {(step.queue, step.at_ms): step for step in steps if step.step == StepKind.QUEUED.value}
    answers = [p for p in story.parts if p.owned_at_ms == p.joined_at_ms and not p.is_transfer_in]
    for place, visit in enumerate(story.visits):
        asked = queued.get((visit.queue, visit.begun_at_ms))
        part = next((p for p in answers if p.visit == place), None)
        came_straight = place == 0 and visit.begun_at_ms == story.begun_at_ms
        call = Call(
            id="",
            at_ms=visit.begun_at_ms,
            queue=visit.queue,
            entry_point=story.entry_point if came_straight else "",
            pbx=details.pbxs.get(steps[0].interaction_id, ""),
            fate=_FATES.get(visit.outcome or "", Fate.UNKNOWN if visit.outcome is None else Fate.LET_GO),
            waited_ms=visit.wait_ms if visit.outcome is not None else None,
            ring_ms=details.rings_ms.get(steps[0].interaction_id) if visit.outcome == ABANDONED else None,
            priority=asked.priority if asked else None,
            requires=_requirement(asked.requires) if asked else (),
        )
        yield (_answered(call, story, part, details), part.leg_id) if part else (call, "")


_FATES = {ANSWERED: Fate.ANSWERED, ABANDONED: Fate.ABANDONED}


def _answered(call: Call, story: Story, part: Part, details: _Details) -> Call:
    if part.left_at_ms is None:
        return replace(call, agent=part.agent_id)
    return replace(
        call,
        agent=part.agent_id,
        ring_ms=details.rings_ms.get(part.leg_id),
        talk_ms=story.talk_ms(part),
        hold_ms=story.hold_ms(part),
        wrap_up_ms=part.wrap_up_ms,
        is_wrap_up_cut=part.leg_id in details.cut,
    )


def _requirement(told: Mapping[str, int] | None) -> Requirement:
    return tuple(sorted((told or {}).items()))


def _usual_left_out(calls: Sequence[Call]) -> Iterator[Call]:
    """Priority and skills only where they are the call's own: not what all calls of its queue have, nor the priority
    of most of those that came by the same entry point. The rest is the configuration's, which is what may be changed.
    """
    priorities: defaultdict[tuple[str, str], Counter[int | None]] = defaultdict(Counter)
    skills: dict[str, dict[str, int]] = {}
    for call in calls:
        priorities[call.queue, call.entry_point][call.priority] += 1
        mine = dict(call.requires)
        common = skills.setdefault(call.queue, mine)
        skills[call.queue] = {skill: min(level, mine[skill]) for skill, level in common.items() if skill in mine}
    for call in calls:
        (usual, _count) = priorities[call.queue, call.entry_point].most_common(1)[0]
        own = tuple((skill, level) for skill, level in call.requires if level > skills[call.queue].get(skill, 0))
        yield replace(call, requires=own, priority=None if call.priority == usual else call.priority)


# ------------------------------------------------------------------ agents


def _otherwise_busy(
    stories: Iterable[Story], replayed: set[str], until_ms: int
) -> defaultdict[str, list[tuple[int, int]]]:
    """By agent: when he had a part in a call that is none of the replayed answers."""
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for story in stories:
        for part in story.parts:
            if part.leg_id not in replayed:
                ended_ms = part.wrapped_up_at_ms or part.left_at_ms or until_ms
                found[part.agent_id].append((part.joined_at_ms, ended_ms))
    return found


def _changes(connection: Connection, tenant: str, window: tuple[int, int]) -> list[Change]:
    """Of every agent the last change before the window and all in it."""
    first = changes_of_slot(connection, tenant, window[0])
    mine = agent_changes.c
    later = select(*(mine[f.name] for f in fields(Change))).where(
        mine.tenant == tenant, mine.at_ms >= window[0] + SLOT_MS, mine.at_ms < window[1]
    )
    rows = connection.execute(later.order_by(mine.position)).mappings()
    return first + [row_as(Change, row) for row in rows]


def _shifts(
    changes: Iterable[Change], busy: Mapping[str, Sequence[tuple[int, int]]], window: tuple[int, int]
) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    ordered = sorted(changes, key=lambda change: (change.agent_id, change.at_ms))
    for agent, mine in groupby(ordered, lambda change: change.agent_id):
        spans = list(_joined(_own_states(list(mine), window)))
        for begin_ms, end_ms in sorted(busy.get(agent, ())):
            spans = [piece for span in spans for piece in _without(span, begin_ms, end_ms)]
        found[agent] = list(_joined(spans))
    return found


def _own_states(changes: Sequence[Change], window: tuple[int, int]) -> Iterator[Span]:
    ends = [change.at_ms for change in changes[1:]] + [window[1]]
    for change, end_ms in zip(changes, ends, strict=True):
        own = change.own_state or change.state
        begin_ms, end_ms = max(change.at_ms, window[0]), min(end_ms, window[1])
        if own != _LOGGED_OUT and begin_ms < end_ms:
            is_free = own == _AVAILABLE
            presence = Presence.AVAILABLE if is_free else Presence.IDLE
            reason = "" if is_free else change.reason or ""
            yield Span(from_ms=begin_ms, until_ms=end_ms, presence=presence, reason=reason)


def _without(span: Span, begin_ms: int, end_ms: int) -> Iterator[Span]:
    """An available span with what he did meanwhile as idle."""
    begin_ms, end_ms = max(span.from_ms, begin_ms), min(span.until_ms, end_ms)
    if span.presence is Presence.IDLE or begin_ms >= end_ms:
        yield span
        return
    if span.from_ms < begin_ms:
        yield replace(span, until_ms=begin_ms)
    yield Span(from_ms=begin_ms, until_ms=end_ms, presence=Presence.IDLE)
    if end_ms < span.until_ms:
        yield replace(span, from_ms=end_ms)


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbors that are alike as one."""
    last: Span | None = None
    for span in spans:
        if last and last.until_ms == span.from_ms and (last.presence, last.reason) == (span.presence, span.reason):
            last = replace(last, until_ms=span.until_ms)
            continue
        if last:
            yield last
        last = span
    if last:
        yield last


def _moved(span: Span, by_ms: int) -> Span:
    return replace(span, from_ms=span.from_ms + by_ms, until_ms=span.until_ms + by_ms)
