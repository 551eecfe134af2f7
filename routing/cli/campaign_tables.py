"""Campaigns as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from routing.app.live.campaigns import CampaignRow
from routing.app.live.why import Why
from routing.cli.key_commands import day
from routing.cli.output import PlainTable, cell, now_ms, span
from routing.store.sql.campaign_counts import RecordCounts
from routing.store.sql.campaign_drops import DropRow
from routing.store.sql.campaign_listing import RecordRow


def percent(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}"


def campaigns_table(rows: Sequence[CampaignRow]) -> PlainTable:
    lines = [
        (
            row.id,
            row.label,
            row.mode,
            row.state,
            span((now_ms() - row.since_ms) // 1000) if row.since_ms else "",
            row.teams,
            len(row.joined),
            row.ready + row.seated,
            row.hopper,
            sum(row.calls.values()),
            row.drops.live,
            percent(row.drops.drop_rate),
            percent(row.drops.cap),
        )
        for row in rows
    ]
    agents = ("joined", "ready")
    columns = ("campaign", "name", "mode", "state", "for", "teams", *agents, "records", "calls", "answered")
    least = ("name", "for", "teams", "answered", "cap")
    return PlainTable(f"{len(rows)} campaigns", (*columns, "dropped", "cap"), lines, least)


def campaign_parts(row: CampaignRow, counts: RecordCounts | None) -> Iterator[RenderableType]:
    """Everything about one."""
    drops = row.drops
    about = [
        ("state", f"{row.state}, {row.mode}"),
        ("teams", cell(row.teams) or "none"),
        ("queue", row.queue),
        ("number shown", row.ani),
        ("agents joined", f"{cell(row.joined) or 'none'}; ready: {row.ready}, seated: {row.seated}"),
        ("records in hand", cell(row.records) or "none"),
        ("calls", cell(row.calls) or "none"),
        ("answered by persons", f"{drops.live} of {drops.attempts} attempts in {drops.window_days} days"),
        ("dropped", f"{drops.dropped}: {percent(drops.drop_rate) or 'none answered'}, cap {percent(drops.cap)}"),
        ("hung up while waiting", f"{drops.hung_up}: {percent(drops.hang_up_rate) or 'none answered'}"),
        ("machines", str(drops.machines)),
    ]
    if row.pacing:
        about.append(("pacing", ", ".join(f"{name} {value:g}" for name, value in row.pacing.items())))
    yield PlainTable(f"{row.id}: {row.label}", ("", ""), about)
    yield PlainTable("list", ("", ""), counts_lines(counts) if counts else [("the database", "does not answer")])


def counts_lines(counts: RecordCounts) -> list[tuple[str, object]]:
    return [
        ("due now", counts.due),
        ("due, window closed", f"{counts.window_closed}{_when(', opens', counts.opens_ms)}"),
        ("due later", f"{counts.not_due}{_when(', next', counts.next_due_ms)}"),
        ("callbacks to come", counts.callbacks_later),
        ("in hand", counts.claimed),
        ("only with an agent", counts.reserved),
        ("closed", cell(counts.closed) or 0),
        ("total", counts.total),
    ]


def _when(words: str, at_ms: int | None) -> str:
    return f"{words} {day(at_ms)}" if at_ms else ""


def why_table(found: Why) -> PlainTable:
    lines = [(row.reason, row.count, row.of, row.meaning) for row in found.reasons]
    dialing = "something is being called" if found.is_dialing else "nothing is being called"
    columns = ("reason", "count", "of", "meaning")
    return PlainTable(f"{found.campaign} is {found.state}; {dialing}", columns, lines, ("of",))


def drops_table(campaign: str, rows: Sequence[DropRow]) -> PlainTable:
    lines = [
        (
            row.period,
            row.sums.attempts,
            row.sums.live,
            row.sums.in_time,
            row.sums.dropped,
            row.sums.hung_up,
            row.sums.machines,
            row.window.live,
            row.window.dropped,
            percent(row.rate),
            percent(row.cap),
            "OVER THE CAP" if row.is_over else "",
        )
        for row in rows
        if row.sums.attempts or row.window.attempts
    ]
    columns = ("period", "attempts", "answered", "in time", "dropped", "hung up", "machines")
    window = ("window: answered", "dropped there", "rate", "cap", "")
    return PlainTable(f"drops of {campaign}", (*columns, *window), lines, ("machines", "in time"))


def records_table(rows: Sequence[RecordRow]) -> PlainTable:
    lines = [
        (
            row.id,
            row.external_id,
            row.name,
            row.numbers[0].number if row.numbers else "",
            max(0, len(row.numbers) - 1) or "",
            f"{row.state}: {row.closed_because}" if row.closed_because else row.state,
            day(row.due_at_ms) if row.state == "open" else "",
            "callback" if row.callback else "",
            row.priority,
            row.attempts,
            row.last_result,
        )
        for row in rows
    ]
    columns = ("record", "external id", "name", "number", "more", "state", "due", "", "prio", "attempts", "last")
    return PlainTable(f"{len(rows)} records", columns, lines, ("external id", "more", "prio", "last"))
