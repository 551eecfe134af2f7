"""What reports are made from, and the reports themselves: figures of every quarter of an hour."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from routing.store.sql.meta import at, instant_key, json, key, maybe, metadata, number

# What happened to a call on its way through queues and agents, a row per event. `position`: the event's, written so
# that texts sort as the events do. `begun_at_ms`: of a hold. The aim of the queue is written down when a call enters
# it: a later change of the configuration does not rewrite the past. `priority`, `requires` (skill -> level): with which
# it entered.
call_steps = Table(
    "call_steps",
    metadata,
    key("tenant"),
    key("position"),
    maybe("interaction_id"),
    at("at_ms"),
    maybe("step"),
    maybe("kind"),
    maybe("queue"),
    maybe("entry_point"),
    maybe("agent_id"),
    maybe("leg_id"),
    maybe("role"),
    maybe("purpose"),
    maybe("outcome"),
    maybe("target"),
    at("begun_at_ms"),
    at("percent"),
    at("within_s"),
    at("short_abandon_s"),
    at("priority"),
    json("requires"),
    Index("ix_call_steps_interaction", "tenant", "interaction_id", "position"),
    Index("ix_call_steps_at", "tenant", "at_ms"),
)

# Every change of what people see of an agent: it holds until the next one.
agent_changes = Table(
    "agent_changes",
    metadata,
    key("tenant"),
    key("position"),
    maybe("agent_id"),
    at("at_ms"),
    maybe("state"),
    maybe("own_state"),
    maybe("reason"),
    maybe("team"),
    Index("ix_agent_changes_agent", "tenant", "agent_id", "at_ms", "position"),
    Index("ix_agent_changes_at", "tenant", "at_ms"),
)


def _name(name: str) -> Column[str]:
    """A part of the key that may be empty."""
    return Column(name, Text, primary_key=True, server_default="")


# Figures of one member (a queue, an entry point, an agent in a team) in one slot. `kind`: of the calls; empty: of the
# agent himself. What is open for new words is JSON: outcomes besides answered and abandoned, missed offers by cause,
# ms in each state.
report_rows = Table(
    "report_rows",
    metadata,
    key("tenant"),
    instant_key("slot_ms"),
    key("subject"),
    _name("member"),
    _name("team"),
    _name("kind"),
    number("offered"),
    number("answered"),
    number("answered_within"),
    number("abandoned"),
    number("short_abandoned"),
    number("waiting"),
    number("answer_wait_ms"),
    number("abandon_wait_ms"),
    number("longest_wait_ms"),
    number("handled"),
    number("talk_ms"),
    number("hold_ms"),
    number("wrap_up_ms"),
    number("consulted"),
    number("consult_ms"),
    number("missed"),
    number("transfers_in"),
    number("transfers_out"),
    at("target_percent"),
    at("target_within_s"),
    json("outcomes"),
    json("misses"),
    json("states"),
    Index("ix_report_rows_member", "tenant", "subject", "member", "slot_ms"),
)

# Slots of which the rows are not what they should be. `token`: new with every mark, so that what was computed before
# it was set is noticed to be late. `due_at_ms`: when a job is made of it, if there is none yet.
report_marks = Table(
    "report_marks",
    metadata,
    key("tenant"),
    instant_key("slot_ms"),
    maybe("token"),
    at("due_at_ms"),
)

# Up to where events have been marked, and up to when slots were marked since they were over. Slots that begin before
# `frozen_until_ms` stay as they are: what they were made from is deleted.
report_progress = Table(
    "report_progress",
    metadata,
    key("tenant"),
    maybe("position"),
    at("closed_until_ms"),
    number("frozen_until_ms"),
)
