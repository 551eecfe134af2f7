"""What has happened, for integrators, pages, history and logs: one flat shape for every event."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class EventType(StrEnum):
    """`digits.sent` is told when the PBX has sent them. Its digits may be those of a card: they are masked while the
    recording is paused, which is what an agent does to take payment data.

    `flow.step`: a step is left by an exit. `callback.refused`: it was asked for and cannot be; `callback.missed`: the
    customer was not reached, it rests or is given up; `callback.given_up`: it is over without a talk.

    `hold.started` and `hold.ended` are the hold clock of the interaction, consults included; `interaction.held` and
    `interaction.resumed` are what the PBX confirmed. `order.*` tell who asked for what, without CAD values or secrets.
    """

    INTERACTION_ARRIVED = "interaction.arrived"
    INTERACTION_QUEUED = "interaction.queued"
    INTERACTION_REQUEUED = "interaction.requeued"
    INTERACTION_RELAXED = "interaction.relaxed"
    INTERACTION_PREFERRED = "interaction.preferred"
    INTERACTION_PREFERENCE_OVER = "interaction.preference_over"
    INTERACTION_CONNECTED = "interaction.connected"
    INTERACTION_BRIDGED = "interaction.bridged"
    INTERACTION_HELD = "interaction.held"
    INTERACTION_RESUMED = "interaction.resumed"
    INTERACTION_MEDIA_CONFIRMED = "interaction.media_confirmed"
    INTERACTION_TRANSFERRED = "interaction.transferred"
    INTERACTION_ENDED = "interaction.ended"
    CONSULT_REQUESTED = "consult.requested"
    CONSULT_ANSWERED = "consult.answered"
    CONSULT_TOGGLED = "consult.toggled"
    CONSULT_NOT_TAKEN = "consult.not_taken"
    CONSULT_ENDED = "consult.ended"
    CONFERENCE_STARTED = "conference.started"
    RECORDING_STARTED = "recording.started"
    RECORDING_PAUSED = "recording.paused"
    RECORDING_RESUMED = "recording.resumed"
    RECORDING_STOPPED = "recording.stopped"
    RECORDING_CONFIRMED = "recording.confirmed"
    CAD_CHANGED = "interaction.cad_changed"
    FLOW_ENTERED = "flow.entered"
    FLOW_STEP = "flow.step"
    FLOW_LOOKED_UP = "flow.looked_up"
    FLOW_LEFT = "flow.left"
    QUEUE_ANNOUNCED = "queue.announced"
    QUEUE_OVERFLOWED = "queue.overflowed"
    CALLBACK_REQUESTED = "callback.requested"
    CALLBACK_REFUSED = "callback.refused"
    CALLBACK_DIALED = "callback.dialed"
    CALLBACK_MISSED = "callback.missed"
    CALLBACK_GIVEN_UP = "callback.given_up"
    VOICEMAIL_LEFT = "voicemail.left"
    VOICEMAIL_HEARD = "voicemail.heard"
    PARTY_JOINED = "party.joined"
    PARTY_ROLE_CHANGED = "party.role_changed"
    PARTY_LEFT = "party.left"
    HOLD_STARTED = "hold.started"
    HOLD_ENDED = "hold.ended"
    NOTE_ADDED = "note.added"
    DIGITS_SENT = "digits.sent"
    DIAL_STARTED = "dial.started"
    DIAL_RINGING = "dial.ringing"
    DIAL_ENDED = "dial.ended"
    OUTDIAL_STARTED = "outdial.started"
    OUTDIAL_FAILED = "outdial.failed"
    OFFER_RESERVED = "offer.reserved"
    OFFER_RINGING = "offer.ringing"
    OFFER_ENDED = "offer.ended"
    AGENT_STATE_CHANGED = "agent.state_changed"
    AGENT_PHONE_CHANGED = "agent.phone_changed"
    WRAP_UP_STARTED = "wrap_up.started"
    WRAP_UP_EXTENDED = "wrap_up.extended"
    WRAP_UP_ENDED = "wrap_up.ended"
    CAMPAIGN_LOADED = "campaign.loaded"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_STOPPED = "campaign.stopped"
    CAMPAIGN_JOINED = "campaign.joined"
    CAMPAIGN_LEFT = "campaign.left"
    RECORD_SHOWN = "record.shown"
    RECORD_ACCEPTED = "record.accepted"
    RECORD_DECLINED = "record.declined"
    RECORD_RETURNED = "record.returned"
    RECORD_DISPOSED = "record.disposed"
    RECORD_RELEASED = "record.released"
    RECORD_CALLBACK_PLANNED = "record.callback_planned"
    RECORD_CALLBACK_CANCELLED = "record.callback_cancelled"
    ATTEMPT_STARTED = "attempt.started"
    ATTEMPT_REACHED = "attempt.reached"
    ATTEMPT_ENDED = "attempt.ended"
    SEAT_TAKEN = "seat.taken"
    SEAT_LEFT = "seat.left"
    GUIDE_ANSWERED = "guide.answered"
    SUPERVISION_STARTED = "supervision.started"
    SUPERVISION_CHANGED = "supervision.changed"
    SUPERVISION_ENDED = "supervision.ended"
    CONFIG_APPLIED = "config.applied"
    ORDER_OBEYED = "order.obeyed"
    ORDER_REFUSED = "order.refused"
    PBX_LINK_CHANGED = "pbx.link_changed"
    PBX_MISMATCH = "pbx.mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    type: EventType
    at_ms: int
    interaction_id: str = ""
    agent_id: str = ""
    queue: str = ""
    values: dict[str, object] = field(default_factory=dict)
