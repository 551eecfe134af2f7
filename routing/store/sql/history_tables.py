"""The history of interactions, as the recorder writes it from events; notes come from the API."""

from __future__ import annotations

from sqlalchemy import Index, Table

from routing.store.sql.meta import at, instant_key, json, key, maybe, metadata, number, text

# `customer_number`: normalized for look-up. `kind`: inbound, outdial, ...
interactions = Table(
    "interactions",
    metadata,
    key("tenant"),
    key("id"),
    maybe("kind"),
    maybe("pbx"),
    maybe("ani"),
    maybe("ani_name"),
    maybe("dnis"),
    maybe("customer_number"),
    maybe("queue"),
    maybe("entry_point"),
    maybe("first_agent"),
    maybe("last_agent"),
    at("entered_at_ms"),
    at("answered_at_ms"),
    at("bridged_at_ms"),
    at("ended_at_ms"),
    maybe("result"),
    maybe("ended_by"),
    at("waited_ms"),
    at("talked_ms"),
    at("held_ms"),
    Index("ix_interactions_customer", "tenant", "customer_number", "entered_at_ms"),
    Index("ix_interactions_ended", "tenant", "ended_at_ms"),
    Index("ix_interactions_entered", "tenant", "entered_at_ms", "id"),
)

# `role`: customer, owner or consulted. An external party has a number and no agent.
legs = Table(
    "legs",
    metadata,
    key("tenant"),
    key("id"),
    maybe("interaction_id"),
    maybe("role"),
    maybe("agent_id"),
    maybe("number"),
    at("joined_at_ms"),
    at("left_at_ms"),
    Index("ix_legs_interaction", "tenant", "interaction_id"),
    Index("ix_legs_agent", "tenant", "agent_id", "joined_at_ms", "id"),
)

# `outcome`: the words of OfferEnd. To an external party: no agent, but the number.
offers = Table(
    "offers",
    metadata,
    key("tenant"),
    key("id"),
    maybe("interaction_id"),
    maybe("agent_id"),
    maybe("number"),
    maybe("leg_id"),
    maybe("queue"),
    maybe("purpose"),
    at("offered_at_ms"),
    at("ringing_at_ms"),
    at("ended_at_ms"),
    maybe("outcome"),
    Index("ix_offers_interaction", "tenant", "interaction_id"),
)

# Every span in which the customer heard music although he had an agent: hold, and consult.
holds = Table(
    "holds",
    metadata,
    key("tenant"),
    key("interaction_id"),
    instant_key("held_at_ms"),
    at("resumed_at_ms"),
)

recordings = Table(
    "recordings",
    metadata,
    key("tenant"),
    key("file"),
    maybe("interaction_id"),
    maybe("leg_id"),
    maybe("agent_id"),
    at("started_at_ms"),
    at("stopped_at_ms"),
    at("deleted_at_ms"),
    Index("ix_recordings_interaction", "tenant", "interaction_id"),
    Index("ix_recordings_started", "tenant", "started_at_ms"),
)

# Pauses and resumes (REC-08). `kind`: paused, resumed; `how`: manual, automatic; `by`: who asked, or "server".
recording_marks = Table(
    "recording_marks",
    metadata,
    key("tenant"),
    key("file"),
    instant_key("at_ms"),
    key("kind"),
    maybe("interaction_id"),
    maybe("by"),
    maybe("how"),
    Index("ix_recording_marks_interaction", "tenant", "interaction_id"),
)

cad_versions = Table(
    "cad_versions",
    metadata,
    key("tenant"),
    key("interaction_id"),
    instant_key("version"),
    maybe("author"),
    json("changes"),
    at("at_ms"),
)

# One for each part of an agent in a call. `by`: agent, timeout or queue. NULL reason: none was applied.
wrap_ups = Table(
    "wrap_ups",
    metadata,
    key("tenant"),
    key("leg_id"),
    maybe("interaction_id"),
    maybe("agent_id"),
    maybe("queue"),
    maybe("reason"),
    maybe("by"),
    at("started_at_ms"),
    at("ended_at_ms"),
    Index("ix_wrap_ups_interaction", "tenant", "interaction_id"),
)

notes = Table(
    "notes",
    metadata,
    key("tenant"),
    key("id"),
    text("interaction_id"),
    text("author"),
    text("text"),
    number("at_ms"),
    Index("ix_notes_interaction", "tenant", "interaction_id", "at_ms"),
)

digits = Table(
    "digits",
    metadata,
    key("tenant"),
    key("id"),
    maybe("interaction_id"),
    maybe("agent_id"),
    maybe("digits"),
    at("at_ms"),
    Index("ix_digits_interaction", "tenant", "interaction_id"),
)

# Events that this version cannot read or record: kept as they came, so that nothing is lost.
unread_events = Table(
    "unread_events",
    metadata,
    key("tenant"),
    key("position"),
    text("type"),
    text("body"),
    text("reason"),
    number("at_ms"),
)

# Up to where the events of a tenant are recorded. `ordinal`: how many events its stream had had by then.
# `lost_events`: trimmed before they were read.
recorder_positions = Table(
    "recorder_positions",
    metadata,
    key("tenant"),
    text("position"),
    number("ordinal"),
    number("recorded_events"),
    number("lost_events"),
    number("updated_at_ms"),
)
