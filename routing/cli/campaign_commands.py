"""`campaign ...`: outbound campaigns, what they do now, and their load, start, pause and stop (CAMP, DIALER)."""

from __future__ import annotations

from typing import Annotated

import typer

from routing.app.ask import new_order_id
from routing.app.live.campaigns import CampaignRow, campaign_row, campaign_rows
from routing.app.live.why import NEEDED, Why, why
from routing.cli.campaign_tables import campaign_parts, campaigns_table, why_table
from routing.cli.db_commands import DatabaseOption
from routing.cli.key_commands import opened
from routing.cli.order_commands import obey
from routing.cli.output import now_ms, say, show_json
from routing.cli.session import Session, actor, command, live_world
from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import Campaign
from routing.core.config import Config
from routing.core.errors import StoreError, UnknownCampaign
from routing.core.orders import ControlCampaign
from routing.core.world import World
from routing.store.front import connect
from routing.store.port import Store
from routing.store.signs import Signs
from routing.store.sql.campaign_cards import ClaimRules
from routing.store.sql.campaign_counts import RecordCounts, record_counts

campaign_app = typer.Typer(no_args_is_help=True, help="Outbound campaigns.")

CampaignArgument = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Its id in the configuration.")]
StateOption = Annotated[str, typer.Option("--state", metavar="STATE", help="stopped, loaded, running or paused.")]


@campaign_app.command("list")
@command
def list_command(session: Session, state: StateOption = "") -> None:
    """Every configured campaign, with its agents, its records and its drops against the cap."""

    async def read(store: Store) -> list[CampaignRow]:
        rows = campaign_rows(await live_world(store, session.server.tenant))
        return [row for row in rows if state in ("", row.state)]

    rows = session.with_store(read)
    if session.json:
        show_json(rows)
    else:
        say(campaigns_table(rows))


@campaign_app.command("show")
@command
def show_command(session: Session, campaign: CampaignArgument, database: DatabaseOption = None) -> None:
    """One campaign: agents, records in hand and in its lists, calls, drops, pacing."""

    async def read(store: Store) -> tuple[CampaignRow, Config]:
        world = await live_world(store, session.server.tenant)
        return campaign_row(world, configured(world.config, campaign)), world.config

    row, config = session.with_store(read)
    counts = counts_of(session, config, campaign, database)
    if session.json:
        show_json({"campaign": row, "list": counts})
        return
    for part in campaign_parts(row, counts):
        say(part)


@campaign_app.command("why")
@command
def why_command(session: Session, campaign: CampaignArgument, database: DatabaseOption = None) -> None:
    """Why is nothing dialed? Counts per reason (DIALER-11)."""

    async def read(store: Store) -> World:
        world = await live_world(store, session.server.tenant)
        configured(world.config, campaign)
        return world

    world = session.with_store(read)
    found: Why = why(world, campaign, counts_of(session, world.config, campaign, database), _alive(session))
    if session.json:
        show_json(found)
    else:
        say(why_table(found))


@campaign_app.command("load")
@command
def load_command(session: Session, campaign: CampaignArgument) -> None:
    """Its agents are told, and may join; nothing is dialed yet."""
    _control(session, campaign, CampaignTrigger.LOAD)


@campaign_app.command("start")
@command
def start_command(session: Session, campaign: CampaignArgument) -> None:
    """Records come to agents and are dialed from now on; also after a pause."""
    _control(session, campaign, CampaignTrigger.START)


@campaign_app.command("pause")
@command
def pause_command(session: Session, campaign: CampaignArgument) -> None:
    """Nothing new is begun; whom it is calling is called on."""
    _control(session, campaign, CampaignTrigger.PAUSE)


@campaign_app.command("stop")
@command
def stop_command(session: Session, campaign: CampaignArgument) -> None:
    """What only rings is given up, records go back to their lists; who talks talks on."""
    _control(session, campaign, CampaignTrigger.STOP)


def _control(session: Session, campaign: str, action: CampaignTrigger) -> None:
    obey(session, ControlCampaign(order_id=new_order_id(), actor=actor(), campaign=campaign, action=action))


def configured(config: Config, campaign_id: str) -> Campaign:
    """Raises UnknownCampaign."""
    try:
        return config.campaigns[campaign_id]
    except KeyError:
        raise UnknownCampaign(campaign=campaign_id) from None


def counts_of(session: Session, config: Config, campaign: str, database: str | None) -> RecordCounts | None:
    """Of its lists; None where the database does not answer: what lives is shown all the same."""
    if not (database or session.server.database_url):
        return None
    try:
        with opened(session, database) as found, found.read() as connection:
            rules = ClaimRules.of(config, campaign)
            return record_counts(connection, session.server.tenant, campaign, now_ms(), rules)
    except StoreError:
        return None


def _alive(session: Session) -> list[str]:
    redis = connect(session.server.redis_url)
    try:
        signs = Signs(redis, session.server.tenant)
        return [kind for kind in NEEDED if signs.alive(kind, now_ms())]
    finally:
        redis.close()
