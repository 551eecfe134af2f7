"""`switchroom`: the entry of the command line."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from routing.cli import config_commands, live_commands, server_commands, simulate_command
from routing.cli.api_command import api_command
from routing.cli.callback_commands import callback_app
from routing.cli.campaign_list_commands import campaign_app
from routing.cli.db_commands import db_app
from routing.cli.do_not_call_commands import do_not_call_app
from routing.cli.doctor_command import doctor_command
from routing.cli.dry_run_command import dry_run_command
from routing.cli.erlang_command import erlang_command
from routing.cli.flow_commands import flow_app
from routing.cli.import_command import import_app
from routing.cli.key_commands import key_app
from routing.cli.list_commands import list_app
from routing.cli.order_commands import agent_app
from routing.cli.output import say
from routing.cli.pacing_commands import pacing_app
from routing.cli.prompt_commands import prompts_app
from routing.cli.recorder_command import recorder_command
from routing.cli.report_command import report_command
from routing.cli.supervise_commands import call_app
from routing.cli.user_commands import user_app
from routing.cli.worker_commands import lookups_command, ticker_command, worker_command

app = typer.Typer(
    name="switchroom",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Contact-centre routing server. Every command takes --redis, --tenant, --config and --json.",
)


def _say_version(wanted: bool) -> None:
    if wanted:
        say(f"switchroom {version('switchroom')}")
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and end.")
]


@app.callback()
def options(_version: VersionOption = False) -> None:
    """Options of the program itself."""


_COMMANDS = {
    "up": server_commands.up_command,
    "engine": server_commands.engine_command,
    "connector": server_commands.connector_command,
    "recorder": recorder_command,
    "worker": worker_command,
    "ticker": ticker_command,
    "lookups": lookups_command,
    "api": api_command,
    "check": config_commands.check_command,
    "plan": config_commands.plan_command,
    "apply": config_commands.apply_command,
    "cad-key": config_commands.cad_key_command,
    "status": live_commands.status_command,
    "agents": live_commands.agents_command,
    "queues": live_commands.queues_command,
    "calls": live_commands.calls_command,
    "explain": live_commands.explain_command,
    "dry-run": dry_run_command,
    "report": report_command,
    "simulate": simulate_command.simulate_command,
    "export-day": simulate_command.export_day_command,
    "make-day": simulate_command.make_day_command,
    "erlang": erlang_command,
    "doctor": doctor_command,
    "replay": server_commands.replay_command,
}
for _name, _function in _COMMANDS.items():
    app.command(_name)(_function)
app.add_typer(agent_app, name="agent")
app.add_typer(call_app, name="call")
app.add_typer(callback_app, name="callback")
app.add_typer(campaign_app, name="campaign")
app.add_typer(db_app, name="db")
app.add_typer(do_not_call_app, name="do-not-call")
app.add_typer(flow_app, name="flow")
app.add_typer(import_app, name="import")
app.add_typer(key_app, name="key")
app.add_typer(list_app, name="list")
app.add_typer(pacing_app, name="pacing")
app.add_typer(prompts_app, name="prompts")
app.add_typer(user_app, name="user")

if __name__ == "__main__":
    app()
