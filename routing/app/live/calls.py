"""Interactions as rows: where they are, with whom, and their separate clocks."""

from __future__ import annotations

from dataclasses import dataclass

from routing.core import estimates
from routing.core.cad import masked
from routing.core.interaction import Interaction
from routing.core.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """`position`: 1 is next in its queue. `estimated_wait_ms`: how much longer it is expected to wait. None when it
    does not wait, or nobody can say. `agents`: who talks, or to whom it is offered; an external party by its number.

    `recording`: off, recording or paused. Clocks: waiting ends with the answer, talking excludes hold. `cad` has
    secure values masked.
    """

    id: str
    kind: str
    state: str
    queue: str
    entry_point: str
    pbx: str
    ani: str
    dnis: str
    priority: int
    requires: dict[str, int]
    relaxation_step: int
    position: int | None
    estimated_wait_ms: int | None
    agents: tuple[str, ...]
    missed_offers: int
    entered_at_ms: int
    waited_s: int
    talked_s: int
    held_s: int
    recording: str
    result: str | None
    ended_by: str
    cad: dict[str, str]


def call_rows(world: World, now_ms: int, queue: str = "") -> list[CallRow]:
    """Live interactions, oldest first; all, or those of one queue."""
    found = [i for i in world.state.interactions.values() if not queue or i.queue == queue]
    return [call_row(world, i, now_ms) for i in sorted(found, key=lambda i: (i.entered_at_ms, i.id))]


def call_row(world: World, interaction: Interaction, now_ms: int) -> CallRow:
    """A live or an ended interaction."""
    clocks = clocks_of(interaction, now_ms)
    partners = [one.agent_id or one.number for one in interaction.parties or interaction.offers]
    return CallRow(
        id=interaction.id,
        kind=interaction.kind,
        state=interaction.state.value,
        queue=interaction.queue,
        entry_point=interaction.entry_point,
        pbx=interaction.pbx,
        ani=interaction.ani,
        dnis=interaction.dnis,
        priority=interaction.priority,
        requires=dict(interaction.requires),
        relaxation_step=interaction.relaxation_step,
        position=estimates.position(world, interaction),
        estimated_wait_ms=estimates.wait_ms(world, interaction),
        agents=tuple(partners),
        missed_offers=sum(offer.end.value != "answered" for offer in interaction.past_offers),
        entered_at_ms=interaction.entered_at_ms,
        waited_s=clocks.waited_ms // 1000,
        talked_s=clocks.talked_ms // 1000,
        held_s=clocks.held_ms // 1000,
        recording=interaction.recording.state.value,
        result=interaction.result.value if interaction.result else None,
        ended_by=interaction.ended_by,
        cad=masked(world.config.cad_of(interaction.entry_point), interaction.cad),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    waited_ms: int
    talked_ms: int
    held_ms: int


def clocks_of(interaction: Interaction, now_ms: int) -> Clocks:
    """The separate clocks of a call, at `now_ms` or at its end. Of what has no caller at its begin the talk begins with
    its answer; the time in flows is neither wait nor talk.
    """
    end_ms = interaction.ended_at_ms or now_ms
    waited_ms = interaction.waited_ms + _running(interaction.waiting_since_ms, end_ms)
    held_ms = interaction.held_ms + _running(interaction.held_since_ms, end_ms)
    flow_ms = interaction.flow_ms + _running(interaction.flow_since_ms, end_ms)
    begun_at_ms, before_ms = _talk_begin(interaction, end_ms)
    talked_ms = max(0, end_ms - begun_at_ms - (waited_ms - before_ms) - held_ms - flow_ms)
    return Clocks(waited_ms=waited_ms, talked_ms=talked_ms, held_ms=held_ms)


def _talk_begin(interaction: Interaction, end_ms: int) -> tuple[int, int]:
    """From when on what is no wait, hold or flow is talk, and how much it had waited by then."""
    if interaction.callback or interaction.message:
        before_ms = interaction.callback.waited_ms if interaction.callback else interaction.waited_ms
        return interaction.answered_at_ms or end_ms, before_ms
    if interaction.outdial:
        return interaction.answered_at_ms or end_ms, 0
    return interaction.entered_at_ms, 0


def _running(since_ms: int | None, end_ms: int) -> int:
    return max(0, end_ms - since_ms) if since_ms is not None else 0
