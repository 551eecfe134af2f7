"""Lists and records of campaigns, what became of each attempt, and the ledger that proves it."""

from __future__ import annotations

from sqlalchemy import Index, Table
from sqlalchemy import text as words

from routing.store.sql.meta import at, instant_key, json, key, maybe, metadata, number, text

_HAS_EXTERNAL_ID = words("external_id <> ''")
_IS_CLOSED = words("closed_because <> ''")
_IS_RESERVED = words("reserve_until_ms > 0")

# A contact in the list of a campaign. New rows: `campaign_rows.new_row`.
# `number`: the first of `numbers` as `search.lookup_number` has it. `numbers`: as `core.record.RecordNumber`;
# `blocked`: those of them that are on a do-not-call list, taken out for good. `dedupe_key`: unique within the campaign,
# NULL: as often as it comes. `zone`, `rank`: for claiming, see `campaign_rows`. `state`: open, claimed, closed.
# `claim` grows with each claim. `day`: the contact's own; `attempts_today` and those of numbers are of it.
# `callback`: at_ms, zone, number, number_kind, agent_id; NULL: none is planned.
records = Table(
    "records",
    metadata,
    key("tenant"),
    key("id"),
    text("campaign"),
    text("list_id"),
    text("contact_id"),
    text("external_id"),
    maybe("dedupe_key"),
    text("name"),
    text("number"),
    json("numbers"),
    json("blocked"),
    json("data"),
    number("priority", 5),
    number("list_order"),
    text("zone"),
    number("rank"),
    text("state", "open"),
    number("claim"),
    at("claimed_at_ms"),
    number("due_at_ms"),
    text("day"),
    number("attempts"),
    number("attempts_today"),
    number("next_number"),
    number("reserve_until_ms"),
    json("callback"),
    text("last_result"),
    at("last_attempt_at_ms"),
    text("closed_because"),
    at("closed_at_ms"),
    number("version", 1),
    number("created_at_ms"),
    number("updated_at_ms"),
    Index("ix_records_due", "tenant", "campaign", "state", "zone", "rank", "due_at_ms", "list_order"),
    Index("ix_records_list", "tenant", "campaign", "list_order", "id"),
    Index("ix_records_number", "tenant", "number"),
    Index("uq_records_dedupe_key", "tenant", "campaign", "dedupe_key", unique=True),
    Index(
        "ix_records_external_id",
        "tenant",
        "external_id",
        sqlite_where=_HAS_EXTERNAL_ID,
        postgresql_where=_HAS_EXTERNAL_ID,
    ),
    Index(
        "ix_records_closed",
        "tenant",
        "campaign",
        "closed_because",
        sqlite_where=_IS_CLOSED,
        postgresql_where=_IS_CLOSED,
    ),
    Index(
        "ix_records_reserved",
        "tenant",
        "campaign",
        "reserve_until_ms",
        sqlite_where=_IS_RESERVED,
        postgresql_where=_IS_RESERVED,
    ),
)

# Numbers whose call was dropped, as `search.lookup_number` has them: not dialed without an agent before `until_ms`.
reserved_numbers = Table(
    "reserved_numbers",
    metadata,
    key("tenant"),
    key("number"),
    number("until_ms"),
    Index("ix_reserved_numbers_until", "tenant", "until_ms"),
)

# One dialing of a record, for looking up and for sums; evidence is the ledger. `is_live`: a person answered;
# `is_dropped`: no agent in time; `is_hung_up`: he hung up while he waited. 0, 1, or NULL until it has ended.
attempts = Table(
    "attempts",
    metadata,
    key("tenant"),
    key("id"),
    maybe("campaign"),
    maybe("record_id"),
    maybe("interaction_id"),
    maybe("agent_id"),
    at("claim"),
    at("attempt"),
    maybe("number"),
    maybe("number_kind"),
    maybe("ani"),
    maybe("mode"),
    json("basis"),
    at("started_at_ms"),
    at("reached_at_ms"),
    at("ended_at_ms"),
    maybe("result"),
    maybe("verdict"),
    maybe("cause"),
    at("took_ms"),
    at("ring_ms"),
    at("wait_ms"),
    at("is_live"),
    at("is_dropped"),
    at("is_hung_up"),
    Index("ix_attempts_record", "tenant", "record_id", "started_at_ms"),
    Index("ix_attempts_ended", "tenant", "campaign", "ended_at_ms"),
)

# Rows are only added. `sequence` has no gaps within a campaign; `hash`: SHA-256 of the hash before, and `body`.
# `body`: canonical JSON of all that the event told. `kind`: started, ended.
attempt_ledger = Table(
    "attempt_ledger",
    metadata,
    key("tenant"),
    key("campaign"),
    instant_key("sequence"),
    text("attempt_id"),
    text("kind"),
    number("at_ms"),
    text("body"),
    text("hash"),
    Index("uq_attempt_ledger_attempt", "tenant", "attempt_id", "kind", unique=True),
    Index("ix_attempt_ledger_at", "tenant", "campaign", "at_ms"),
)

# Where each ledger ends, so that rows cut off at its end are missed. `cut_...`: of the last row that was deleted since
# it was old; 0: none was.
ledger_heads = Table(
    "ledger_heads",
    metadata,
    key("tenant"),
    key("campaign"),
    number("sequence"),
    text("hash"),
    number("cut_sequence"),
    text("cut_hash"),
)

# What agents chose; the newest one of an interaction is what holds.
record_dispositions = Table(
    "record_dispositions",
    metadata,
    key("tenant"),
    key("id"),
    text("campaign"),
    text("record_id"),
    text("interaction_id"),
    text("agent_id"),
    json("codes"),
    number("do_not_call"),
    text("number"),
    number("at_ms"),
    Index("ix_record_dispositions_record", "tenant", "record_id", "at_ms"),
    Index("ix_record_dispositions_at", "tenant", "campaign", "at_ms"),
)

# Answers of a call guide, by question; one row per interaction.
guide_answers = Table(
    "guide_answers",
    metadata,
    key("tenant"),
    key("record_id"),
    key("interaction_id"),
    text("campaign"),
    text("agent_id"),
    json("answers"),
    number("is_complete"),
    number("at_ms"),
    Index("ix_guide_answers_at", "tenant", "campaign", "at_ms"),
)
