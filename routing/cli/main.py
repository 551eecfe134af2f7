"""`switchroom`: the entry of the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer

from routing.cli.output import say

# Where each is defined, below routing.cli: a process imports what its own command needs, which shortens the time that
# it takes to come back.
_COMMANDS = {
    "up": "server_commands:up_command",
    "engine": "server_commands:engine_command",
    "connector": "server_commands:connector_command",
    "recorder": "recorder_command:recorder_command",
    "worker": "worker_commands:worker_command",
    "ticker": "worker_commands:ticker_command",
    "lookups": "worker_commands:lookups_command",
    "api": "api_command:api_command",
    "check": "config_commands:check_command",
    "plan": "config_commands:plan_command",
    "apply": "config_commands:apply_command",
    "cad-key": "config_commands:cad_key_command",
    "status": "live_commands:status_command",
    "agents": "live_commands:agents_command",
    "queues": "live_commands:queues_command",
    "calls": "live_commands:calls_command",
    "explain": "live_commands:explain_command",
    "dry-run": "dry_run_command:dry_run_command",
    "report": "report_command:report_command",
    "simulate": "simulate_command:simulate_command",
    "export-day": "simulate_command:export_day_command",
    "make-day": "simulate_command:make_day_command",
    "erlang": "erlang_command:erlang_command",
    "doctor": "doctor_command:doctor_command",
    "replay": "server_commands:replay_command",
}
_GROUPS = {
    "agent": "order_commands:agent_app",
    "call": "supervise_commands:call_app",
    "callback": "callback_commands:callback_app",
    "campaign": "campaign_list_commands:campaign_app",
    "db": "db_commands:db_app",
    "do-not-call": "do_not_call_commands:do_not_call_app",
    "flow": "flow_commands:flow_app",
    "import": "import_command:import_app",
    "key": "key_commands:key_app",
    "list": "list_commands:list_app",
    "pacing": "pacing_commands:pacing_app",
    "prompts": "prompt_commands:prompts_app",
    "user": "user_commands:user_app",
}


def _say_version(wanted: bool) -> None:
    if wanted:
        say(f"switchroom {version('switchroom')}")
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and end.")
]


def options(_version: VersionOption = False) -> None:
    """Options of the program itself."""


def program(names: Iterable[str]) -> typer.Typer:
    """The command line with these commands and groups of commands."""
    made = typer.Typer(
        name="switchroom",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Contact-centre routing server. Every command takes --redis, --tenant, --config and --json.",
    )
    made.callback()(options)
    for name in names:
        if name in _COMMANDS:
            made.command(name)(_found(_COMMANDS[name]))
        else:
            made.add_typer(_found(_GROUPS[name]), name=name)
    return made


def _found(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"routing.cli.{module}"), name)


def __getattr__(name: str) -> typer.Typer:
    """`app`: all of it, made when it is asked for."""
    if name != "app":
        raise AttributeError(name)
    made = globals()[name] = program([*_COMMANDS, *_GROUPS])
    return made


def run() -> None:
    """The command that is named first, or whatever needs to know them all: help, completion, a misspelt name."""
    first = sys.argv[1:2]
    program(first if first and first[0] in _COMMANDS | _GROUPS else [*_COMMANDS, *_GROUPS])()


if __name__ == "__main__":
    run()
