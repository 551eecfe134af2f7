"""`simulate`, `export-day`, `make-day`: what would have been with another configuration (ROUTE-19)."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from routing.cli.db_commands import DatabaseOption, database_url
from routing.cli.output import complain, now_ms, say, show_json
from routing.cli.report_command import tenants_zone
from routing.cli.session import Session, command, live_world
from routing.core.config import Config
from routing.core.errors import ConfigError

RUNNING = "@running"
_MOST_REPLICATIONS = 1000

DayOption = Annotated[Path, typer.Option("--day", metavar="FILE", help="A day, of export-day or make-day.")]
ConfigsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        metavar="DIR",
        help=f"Configuration to try, once or twice; {RUNNING} is the one in force, which is also the default.",
    ),
]
ReplicationsOption = Annotated[
    int, typer.Option("--replications", "-n", metavar="N", min=1, max=_MOST_REPLICATIONS, help="How often.")
]
SeedOption = Annotated[int, typer.Option(metavar="S", help="The same seed gives the same result.")]
JobsOption = Annotated[int, typer.Option("--jobs", "-j", metavar="N", min=1, max=64, help="Processes that work.")]
AlikeOption = Annotated[
    list[str] | None,
    typer.Option("--shift", metavar="AGENT=LIKE", help="An agent works when another one did, e.g. a new one."),
]
OutOption = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="File to write.")]
DateOption = Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="The day.")]
ZoneOption = Annotated[
    str | None, typer.Option("--time-zone", metavar="ZONE", help="IANA name; default: the tenant's own.")
]
CallsOption = Annotated[
    list[str], typer.Option("--calls", metavar="QUEUE=N", help="So many calls for that queue in the day.")
]
SpanOption = Annotated[str, typer.Option("--hours", metavar="FROM-TO", help="When calls come and agents work.")]
SecondsOption = Annotated[float, typer.Option(metavar="S", min=0)]


class SimulationRefused(ConfigError):
    code = "simulation-refused"
    template = "{reason}"


@command
def _simulate(
    session: Session,
    day: DayOption,
    configs: ConfigsOption = None,
    replications: ReplicationsOption = 10,
    seed: SeedOption = 1,
    jobs: JobsOption = 1,
    shift: AlikeOption = None,
) -> None:
    """Replay a day through the real routing, with one configuration or two, and compare them with confidence bands."""
    from routing.cli.simulate_tables import result_tables
    from routing.sim.comparison import Plan
    from routing.sim.day_file import read_day
    from routing.sim.outcome import simulate

    chosen = configs or [RUNNING]
    if len(chosen) > 2:
        raise SimulationRefused(reason="one configuration is tried, or two are compared")
    plan = Plan(replications=replications, seed=seed, jobs=jobs, alike=dict(_pair(text) for text in shift or ()))
    recorded, named = read_day(day), [(name, _config(session, name)) for name in chosen]
    for agent_id in plan.alike or {}:
        if all(agent_id not in config.agents for _, config in named):
            raise SimulationRefused(reason=f"there is no agent {agent_id} in any of the configurations")
    result = simulate(recorded, named, plan)
    if session.json:
        show_json(result)
        return
    for table in result_tables(result):
        say(table)
    for warning in result.warnings:
        complain(warning)


def _with_several_configs(run: Callable[..., None]) -> Callable[..., None]:
    """`--config` of this command may be given twice; the files of the first one say where the server is."""

    def simulate_command(**options: Any) -> None:
        chosen = options["configs"] or []
        found = next((name for name in chosen if name != RUNNING), os.environ.get("SWITCHROOM_CONFIG"))
        run(**options, config=Path(found) if found else None)

    signature = inspect.signature(run)
    kept = [p for name, p in signature.parameters.items() if name != "config"]
    simulate_command.__doc__ = run.__doc__
    simulate_command.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    simulate_command.__annotations__ = {p.name: p.annotation for p in kept}
    return simulate_command


simulate_command = _with_several_configs(_simulate)


def _config(session: Session, name: str) -> Config:
    """Raises ConfigRefused; for the running one StoreError and NothingApplied."""
    from routing.app.config import load

    if name != RUNNING:
        return load(Path(name)).config
    return session.with_store(lambda store: live_world(store, session.server.tenant)).config


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise SimulationRefused(reason=f"{text} is not of the form NAME=VALUE")
    return name, value


@command
def export_day_command(
    session: Session, date: DateOption, out: OutOption, time_zone: ZoneOption = None, database: DatabaseOption = None
) -> None:
    """Write a recorded day into a file for `simulate`: no numbers, no names, no call data, agents by pseudonyms."""
    from routing.sim.day_file import write_day
    from routing.sim.export import export_day
    from routing.store.sql.database import Database

    zone = time_zone or tenants_zone(session)
    opened = Database.at(database_url(session.server, database))
    try:
        with opened.read() as connection:
            day = export_day(connection, session.server.tenant, date, zone)
    except (ValueError, KeyError) as error:
        raise SimulationRefused(reason=f"{date} in {zone} is no day: {error}") from error
    finally:
        opened.close()
    write_day(day, out)
    if warning := unfinished(date, day.starts_at_ms + day.length_ms, now_ms()):
        complain(warning)
    _tell(session, out, len(day.calls), len(day.shifts))


@command
def make_day_command(
    session: Session,
    out: OutOption,
    calls: CallsOption,
    date: DateOption = "2026-03-14",
    time_zone: ZoneOption = None,
    hours: SpanOption = "8-18",
    talk: SecondsOption = 180,
    wrap_up: SecondsOption = 20,
    patience: SecondsOption = 240,
    seed: SeedOption = 1,
) -> None:
    """Make a day up for `simulate`: every agent of the configuration files works, callers come at random."""
    from routing.app.config import load
    from routing.sim.day_file import write_day
    from routing.sim.generate import Frame, Means, office_day

    means = Means(talk_s=talk, wrap_up_s=wrap_up, patience_s=patience)
    config = load(session.directory).config
    wanted = {queue: int(number) for queue, number in map(_pair, calls) if number.isdecimal()}
    if unknown := sorted(wanted.keys() - config.queues.keys()):
        raise SimulationRefused(reason=f"there is no queue {unknown[0]}")
    if len(wanted) < len(calls):
        raise SimulationRefused(reason="calls are given as QUEUE=N, each queue once")
    first, _, last = hours.partition("-")
    if not (first.isdecimal() and last.isdecimal() and int(first) < int(last) <= 24):
        raise SimulationRefused(reason=f"{hours} are no hours of a day, e.g. 8-18")
    try:
        frame = Frame(date=date, zone=time_zone or config.time_zone, seed=seed)
        day = office_day(config, wanted, (int(first), int(last)), means, frame)
    except (ValueError, KeyError) as error:
        raise SimulationRefused(reason=str(error)) from error
    write_day(day, out)
    _tell(session, out, len(day.calls), len(day.shifts))


def unfinished(date: str, ends_at_ms: int, at_ms: int) -> str:
    """What to think of when a day is exported before its end; empty: it is over."""
    return f"{date} is not over: who is signed in now is taken to work until its end" if at_ms < ends_at_ms else ""


def _tell(session: Session, out: Path, calls: int, shifts: int) -> None:
    if session.json:
        show_json({"file": str(out), "calls": calls, "shifts": shifts})
    else:
        say(f"{out}: {calls} calls, {shifts} agents")
