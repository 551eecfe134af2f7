"""Why a call went to whom: its story, the decision traces, and what would happen now (ROUTE-17, ROUTE-18)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from routing.app.live.calls import CallRow, call_row
from routing.core.errors import UnknownInteraction
from routing.core.interaction import Interaction, InteractionState
from routing.core.matching_types import Trace
from routing.core.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened. `what` is a constant word, `agent` may be empty, `took_s` a span that ended here."""

    at_ms: int
    what: str
    agent: str = ""
    detail: str = ""
    took_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`decisions` in order, `now`: the dry run, None for a call that does not wait or cannot be matched."""

    call: CallRow
    story: tuple[Moment, ...]
    decisions: tuple[Trace, ...]
    now: Trace | None


def explain(world: World, interaction: Interaction, traces: Sequence[Trace], now_ms: int) -> Explanation:
    """A live or an ended interaction. Nothing changes."""
    return Explanation(
        call=call_row(world, interaction, now_ms),
        story=tuple(sorted([*_story(interaction), *_relaxed(world, interaction)], key=lambda moment: moment.at_ms)),
        decisions=tuple(traces),
        now=_dry_run(world, interaction, now_ms),
    )


def _dry_run(world: World, interaction: Interaction, now_ms: int) -> Trace | None:
    if interaction.state is not InteractionState.QUEUED:
        return None
    try:
        return world.sync_pool().explain(interaction.id, now_ms, world.agent_views())
    except UnknownInteraction:  # its PBX's link is down
        return None


def _story(call: Interaction) -> Iterator[Moment]:
    yield Moment(at_ms=call.entered_at_ms, what="entered", detail=f"queue {call.queue}, priority {call.priority}")
    for past in call.past_offers:
        rang_s = (past.ended_at_ms - past.offered_at_ms) / 1000
        yield Moment(at_ms=past.offered_at_ms, what="offered", agent=past.agent_id or past.number)
        yield Moment(
            at_ms=past.ended_at_ms,
            what="offer_ended",
            agent=past.agent_id or past.number,
            detail=past.end.value,
            took_s=rang_s,
        )
    for offer in call.offers:
        yield Moment(
            at_ms=offer.offered_at_ms, what="offered", agent=offer.agent_id or offer.number, detail=offer.state.value
        )
    yield from _ending(call)


def _relaxed(world: World, call: Interaction) -> Iterator[Moment]:
    """The steps that were reached, by the configuration of now."""
    queue = world.config.queues.get(call.queue)
    for step in queue.relaxation[: call.relaxation_step] if queue else ():
        skills = ", ".join(f"{name} {level}" for name, level in step.requires) or "no skill"
        yield Moment(at_ms=call.entered_at_ms + step.after_s * 1000, what="relaxed", detail=f"requires {skills}")


def _ending(call: Interaction) -> Iterator[Moment]:
    for party in call.parties:
        yield Moment(at_ms=party.joined_at_ms, what="joined", agent=party.agent_id or party.number)
    if call.bridged_at_ms is not None and call.answered_at_ms is not None:
        took_s = (call.bridged_at_ms - call.answered_at_ms) / 1000
        yield Moment(at_ms=call.bridged_at_ms, what="bridged", detail="both hear each other", took_s=took_s)
    recording = call.recording
    if recording.since_ms is not None:
        file = f"file {recording.file}"
        what = "recording_paused" if recording.resume_at_ms is not None else "recording"
        yield Moment(at_ms=recording.since_ms, what=what, agent=recording.agent_id, detail=file)
    if call.held_since_ms is not None:
        yield Moment(at_ms=call.held_since_ms, what="held")
    if call.ended_at_ms is not None:
        result = call.result.value if call.result else ""
        by = f"{result}, by {call.ended_by}" if call.ended_by else result
        yield Moment(at_ms=call.ended_at_ms, what="ended", detail=by)
