"""Recording follows the agent whose call it is; pause and resume, by hand or by the core's own timer.

Each recorded agent's leg has a file of its own. A consulted agent's is silent until the call becomes his, and every
file is silent while the customer is on hold: talk of agents among themselves and hold music are in none.
"""

from __future__ import annotations

from dataclasses import replace

from routing.core.commands import SetRecording
from routing.core.events import EventType
from routing.core.facts import CommandEnded, CommandOutcome
from routing.core.guard import require
from routing.core.interaction import CUSTOMER_ON_HOLD, OUTDIALING, Interaction, InteractionState, Party, Role
from routing.core.orders import PauseRecording, ResumeRecording
from routing.core.recording import (
    NOT_RECORDED,
    AskedRecording,
    Recording,
    RecordingState,
    RecordingTrigger,
    next_recording,
)
from routing.core.roles import Action
from routing.core.timers import Due, key
from routing.core.world import World

Values = dict[str, object]
_S, _T = RecordingState, RecordingTrigger

RETRY_MS = 2000
MAX_REFUSALS = 5  # a PBX that cannot record at all is asked no more than so often per state

# He waits for somebody to talk with; what is recorded of a seat goes on with the contact who comes.
_BEFORE_TALK = OUTDIALING | {InteractionState.SEATED, InteractionState.REACHED}

_EVENTS = {
    _T.STARTED: EventType.RECORDING_STARTED,
    _T.PAUSED: EventType.RECORDING_PAUSED,
    _T.RESUMED: EventType.RECORDING_RESUMED,
    _T.STOPPED: EventType.RECORDING_STOPPED,
}
SERVER = ""  # nobody asked: the server did it by itself


def pause(world: World, order: PauseRecording) -> Values:
    """Silence in the file for the configured time (REC-02..04). Raises as `require`."""
    _, interaction = require(world, order.agent_id, order.interaction_id, Action.PAUSE_RECORDING)
    resume_at = world.now_ms + (world.config.recording_pause_s or 0) * 1000
    world.set_timer(key(Due.RECORDING, interaction.id), resume_at)
    paused = ask(world, _step(world, interaction, _T.PAUSED, _who(order), resume_at_ms=resume_at))
    return {"version": paused.version, "resume_at_ms": resume_at, **_to_confirm(interaction, paused)}


def resume(world: World, order: ResumeRecording) -> Values:
    """Before the time is over; the timer is cancelled (REC-06). Raises as `require`."""
    _, interaction = require(world, order.agent_id, order.interaction_id, Action.RESUME_RECORDING)
    resumed = _resume(world, interaction, _who(order))
    return {"version": resumed.version, **_to_confirm(interaction, resumed)}


def _to_confirm(before: Interaction, after: Interaction) -> Values:
    """`recording.confirmed` with this `command_id` follows; "" where the PBX had nothing to do, as on hold."""
    old, new = _asked_of_owner(before), _asked_of_owner(after)
    return {"command_id": new.command_id if new and new != old else ""}


def _asked_of_owner(interaction: Interaction) -> AskedRecording | None:
    leg_id = interaction.recording.leg_id
    return next((asked for asked in interaction.asked_recordings if asked.leg_id == leg_id), None)


def pause_over(world: World, interaction_id: str) -> None:
    """The time of a pause is over (REC-05)."""
    interaction = world.state.interactions.get(interaction_id)
    resume_at = interaction.recording.resume_at_ms if interaction else None
    if interaction and resume_at is not None and resume_at <= world.now_ms:
        _resume(world, interaction, SERVER)


def _who(order: PauseRecording | ResumeRecording) -> str:
    return order.actor or f"agent:{order.agent_id}"


def _resume(world: World, interaction: Interaction, by: str) -> Interaction:
    world.clear_timer(key(Due.RECORDING, interaction.id))
    return ask(world, _step(world, interaction, _T.RESUMED, by))


def follow(world: World, interaction: Interaction) -> Interaction:
    """After each change of state or parties: whose call it is now is recorded if he shall be (REC-01)."""
    is_call = interaction.state not in (InteractionState.ENDED, *_BEFORE_TALK)
    owner = interaction.party(Role.OWNER) if is_call else None
    leg_id = owner.leg_id if owner and owner.recording else ""
    if interaction.recording.leg_id != leg_id:
        if interaction.recording.state is not _S.OFF:
            interaction = _stop(world, interaction)
        if owner and leg_id:
            interaction = _start(world, interaction, owner)
    return ask(world, interaction)


def _start(world: World, interaction: Interaction, owner: Party) -> Interaction:
    mine = Recording(agent_id=owner.agent_id, leg_id=owner.leg_id, file=owner.recording)
    return _step(world, world.update_interaction(interaction, recording=mine), _T.STARTED, SERVER)


def _stop(world: World, interaction: Interaction) -> Interaction:
    """The agent leaves, and a pause of his ends with it (A20)."""
    world.clear_timer(key(Due.RECORDING, interaction.id))
    interaction = _step(world, interaction, _T.STOPPED, SERVER)
    return world.update_interaction(interaction, recording=NOT_RECORDED)


def _step(
    world: World, interaction: Interaction, trigger: RecordingTrigger, by: str, resume_at_ms: int | None = None
) -> Interaction:
    """One row of the machine, and its record (REC-08)."""
    old = interaction.recording
    state = next_recording(old.state, trigger)
    new = replace(old, state=state, since_ms=world.now_ms, resume_at_ms=resume_at_ms)
    interaction = world.update_interaction(interaction, recording=new)
    how = {"how": "manual" if by else "automatic", "by": by or "server"}
    values = {"state": state.value, "was": old.state.value, "file": old.file, "resume_at_ms": resume_at_ms}
    world.emit(_EVENTS[trigger], interaction, old.agent_id, **values, **how)
    return interaction


# ------------------------------------------------------------------ what the PBX shall do


def wanted(interaction: Interaction, party: Party) -> RecordingState:
    """What shall get into the file of this recorded party now."""
    if party.role is not Role.OWNER or interaction.state in (*CUSTOMER_ON_HOLD, *_BEFORE_TALK):
        return _S.PAUSED
    return interaction.recording.state


def ask(world: World, interaction: Interaction) -> Interaction:
    """Send what differs from what was asked already."""
    if interaction.state is InteractionState.ENDED:
        return interaction
    before = {asked.leg_id: asked for asked in interaction.asked_recordings}
    asked = []
    for party in interaction.parties:
        old, state = before.get(party.leg_id), wanted(interaction, party)
        if party.recording:
            is_new = old is None or old.state is not state
            asked.append(_send(world, interaction, party, state) if old is None or is_new else old)
    if tuple(asked) == interaction.asked_recordings:
        return interaction
    return world.update_interaction(interaction, asked_recordings=tuple(asked))


def _send(
    world: World, interaction: Interaction, party: Party, state: RecordingState, refusals: int = 0
) -> AskedRecording:
    command = SetRecording(
        id=world.new_id("cmd"), pbx=interaction.pbx, leg_id=party.leg_id, file=party.recording, state=state
    )
    world.send(command)
    return AskedRecording(
        command_id=command.id, leg_id=party.leg_id, file=party.recording, state=state, refusals=refusals
    )


def ask_again(world: World, interaction_id: str, *, keep_refusals: bool = True) -> None:
    """Say it all once more: harmless where it holds."""
    interaction = world.state.interactions.get(interaction_id)
    if interaction is None or not interaction.asked_recordings:
        return
    refusals = {asked.leg_id: asked.refusals if keep_refusals else 0 for asked in interaction.asked_recordings}
    asked = tuple(
        _send(world, interaction, party, wanted(interaction, party), refusals.get(party.leg_id, 0))
        for party in interaction.parties
        if party.recording
    )
    world.update_interaction(interaction, asked_recordings=asked)


def command_ended(world: World, fact: CommandEnded) -> None:
    """What the PBX did is told. A refused SetRecording is tried again: a pause must not fail in silence."""
    interaction = world.interaction_of(fact.command_id)
    asked = interaction.asked_recordings if interaction else ()
    mine = next((a for a in asked if a.command_id == fact.command_id), None)
    if interaction is None or mine is None:
        return
    told = {"command_id": mine.command_id, "leg_id": mine.leg_id, "file": mine.file, "state": mine.state.value}
    if fact.outcome is CommandOutcome.SUCCEEDED:
        world.emit(EventType.RECORDING_CONFIRMED, interaction, _recorded_agent(interaction, mine), **told)
    refusals = 0 if fact.outcome is CommandOutcome.SUCCEEDED else mine.refusals + 1
    if refusals != mine.refusals:
        counted = tuple(replace(a, refusals=refusals) if a is mine else a for a in asked)
        interaction = world.update_interaction(interaction, asked_recordings=counted)
    if refusals:
        reason = fact.cause[:256] or fact.outcome.value
        values = {"pbx": fact.pbx, "what": f"recording not {mine.state.value}", "reason": reason, **told}
        world.emit(EventType.PBX_MISMATCH, interaction, interaction.recording.agent_id, **values)
        if refusals < MAX_REFUSALS:
            world.set_timer(key(Due.RECORDER, interaction.id), world.now_ms + RETRY_MS)


def _recorded_agent(interaction: Interaction, asked: AskedRecording) -> str:
    return next((party.agent_id for party in interaction.parties if party.leg_id == asked.leg_id), "")
