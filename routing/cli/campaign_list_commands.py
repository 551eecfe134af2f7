"""`campaign records | drops | ledger | advise`: what SQL keeps of a campaign."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer

from routing.cli.campaign_commands import CampaignArgument, campaign_app, configured
from routing.cli.campaign_tables import drops_table, records_table
from routing.cli.db_commands import DatabaseOption
from routing.cli.exits import Exit
from routing.cli.key_commands import opened
from routing.cli.output import fail, now_ms, say, show_json
from routing.cli.session import Session, command, live_world
from routing.core import windows
from routing.core.config import Config
from routing.store.port import Store
from routing.store.sql.campaign_drops import drop_days, drop_months
from routing.store.sql.campaign_ledger import Entry, ledger, verify_ledger
from routing.store.sql.campaign_listing import RecordKind, RecordSearch, search_records
from routing.store.sql.paging import PageOf

__all__ = ["campaign_app"]  # with all of its commands

QueryOption = Annotated[str, typer.Option("--find", "-f", metavar="TEXT", help="Part of a name, number, external id.")]
KindOption = Annotated[
    RecordKind | None, typer.Option("--state", metavar="STATE", help="due, resting, callback, claimed or closed.")
]
MostOption = Annotated[int, typer.Option("--most", "-n", metavar="N", min=1, max=200, help="Show so many.")]
FromOption = Annotated[str, typer.Option("--from", metavar="DAY", help="e.g. 2026-11-01; default: the legal window.")]
ToOption = Annotated[str, typer.Option("--to", metavar="DAY", help="Included; default: today.")]
MonthsOption = Annotated[bool, typer.Option("--months", help="A line for each month.")]
MonthOption = Annotated[str, typer.Option("--month", metavar="MONTH", help="e.g. 2026-11; default: the running one.")]
VerifyOption = Annotated[
    bool, typer.Option("--verify", help="Check the whole chain instead. Exit code 1 if it breaks.")
]
HashOption = Annotated[str, typer.Option("--hash", metavar="HASH", help="Of an export; it must be in the chain.")]
AgentsOption = Annotated[int, typer.Option("--agents", "-a", metavar="N", min=0, help="Default: who has joined.")]
RateOption = Annotated[float, typer.Option("--rate", metavar="R", min=0, max=1, help="Of answers; default: measured.")]
WrapUpOption = Annotated[float, typer.Option("--wrap-up", metavar="S", min=0, help="Mean, in seconds.")]
SeedsOption = Annotated[int, typer.Option("--seeds", "-n", metavar="N", min=0, help="Shifts; 0: by the team's size.")]


@campaign_app.command("records")
@command
def records_command(
    session: Session,
    campaign: CampaignArgument,
    find: QueryOption = "",
    state: KindOption = None,
    most: MostOption = 50,
    database: DatabaseOption = None,
) -> None:
    """Its records, in the order of the list."""
    config = _config(session, campaign)
    wanted, place = RecordSearch(text=find, kind=state), (PageOf(limit=most), config.numbers, now_ms())
    with opened(session, database) as found, found.read() as connection:
        rows = search_records(connection, session.server.tenant, campaign, wanted, place).items
    if session.json:
        show_json(rows)
    else:
        say(records_table(rows))


@campaign_app.command("drops")
@command
def drops_command(
    session: Session,
    campaign: CampaignArgument,
    begin: FromOption = "",
    end: ToOption = "",
    months: MonthsOption = False,
    database: DatabaseOption = None,
) -> None:
    """The abandon grid: both measures apart, each day with the legal window that ends with it."""
    config = _config(session, campaign)
    rules = config.campaigns[campaign].pacing
    last = _day(session, end) if end else date.fromisoformat(windows.local_day(config.time_zone, now_ms()))
    first = _day(session, begin) if begin else last - timedelta(days=max(1, rules.window_days) - 1)
    with opened(session, database) as found, found.read() as connection:
        rows = drop_days(connection, session.server.tenant, campaign, rules, (first, last), config.time_zone)
    shown = drop_months(rows, rules) if months else rows
    if session.json:
        show_json(shown)
    else:
        say(drops_table(campaign, shown))


@campaign_app.command("ledger")
@command
def ledger_command(
    session: Session,
    campaign: CampaignArgument,
    month: MonthOption = "",
    verify: VerifyOption = False,
    known_hash: HashOption = "",
    database: DatabaseOption = None,
) -> None:
    """Every attempt of a month with its legal basis and outcome, sealed row by row, as CSV on standard output."""
    config = _config(session, campaign)
    if verify or known_hash:
        _verify(session, campaign, known_hash, database)
        return
    month = month or windows.local_day(config.time_zone, now_ms())[:7]
    try:
        with opened(session, database) as found, found.read() as connection:
            _write(session, ledger(connection, session.server.tenant, campaign, month, config.time_zone))
    except ValueError:
        fail(Exit.USAGE, "month-malformed", f"{month!r} is no month such as 2026-11", session.json)


def _write(session: Session, entries: Iterator[Entry]) -> None:
    """JSON: one line per row, since a month may be long."""
    if session.json:
        show_json([_told(entry) for entry in entries])
        return
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("sequence", "at", "kind", "attempt_id", "body", "hash"))
    for entry in entries:
        table.writerow((entry.sequence, _time(entry.at_ms), entry.kind, entry.attempt_id, entry.body, entry.hash))


def _told(entry: Entry) -> dict[str, Any]:
    names = ("sequence", "attempt_id", "kind", "body", "hash")
    return {name: getattr(entry, name) for name in names} | {"at": _time(entry.at_ms)}


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _verify(session: Session, campaign: str, known_hash: str, database: str | None) -> None:
    with opened(session, database) as found, found.read() as connection:
        breach = verify_ledger(connection, session.server.tenant, campaign, known_hash)
    if session.json:
        why = {"sequence": breach.sequence, "why": breach.why} if breach else {"sequence": None, "why": None}
        show_json({"holds": breach is None} | why)
    else:
        say("the chain holds" if breach is None else f"the chain breaks at row {breach.sequence}: {breach.why}")
    if breach is not None:
        raise typer.Exit(Exit.FOUND)


@campaign_app.command("advise")
@command
def advise_command(
    session: Session,
    campaign: CampaignArgument,
    agents: AgentsOption = 0,
    rate: RateOption = 0.0,
    wrap_up: WrapUpOption = 20.0,
    seeds: SeedsOption = 0,
    database: DatabaseOption = None,
) -> None:
    """Which mode fits it, by its attempts of the last 30 days: simulated shifts; some seconds up to minutes."""
    from routing.cli.pacing_tables import advice_lines
    from routing.sim.pacing.campaign_advice import MEASURED_DAYS, advice, measured
    from routing.store.sql.campaign_measures import measures

    config = _config(session, campaign)
    with opened(session, database) as found, found.read() as connection:
        since_ms = now_ms() - MEASURED_DAYS * 86_400_000
        figures = measured(measures(connection, session.server.tenant, campaign, since_ms), wrap_up, rate)
    team = agents or _joined(session, campaign)
    if not team:
        fail(Exit.USAGE, "agents-unknown", "nobody has joined it: say for how many agents with --agents", session.json)
    advised = advice(config.campaigns[campaign], team, figures, seeds)
    if session.json:
        show_json(advised)
        return
    for line in advice_lines(advised):
        say(line)


def _joined(session: Session, campaign: str) -> int:
    async def read(store: Store) -> int:
        live = (await live_world(store, session.server.tenant)).state.campaigns.get(campaign)
        return len(live.joined) if live else 0

    return session.with_store(read)


def _config(session: Session, campaign: str) -> Config:
    """The running configuration, which has that campaign. Raises UnknownCampaign."""

    async def read(store: Store) -> Config:
        config = (await live_world(store, session.server.tenant)).config
        configured(config, campaign)
        return config

    return session.with_store(read)


def _day(session: Session, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(Exit.USAGE, "day-malformed", f"{text!r} is no day such as 2026-11-21", session.json)
