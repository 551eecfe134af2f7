"""`up`, `engine`, `connector`, `replay`: the server's own processes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from routing.app import bootstrap
from routing.app.cad_keys import codecs_of
from routing.app.config import Settings, load_settings
from routing.app.engine_watch import EngineWatch, WatchedPort
from routing.app.settings import PbxKind, PbxSettings, ServerSettings
from routing.app.supervisor import ChildSpec
from routing.cli.db_commands import database_url, upgrade_if_reachable
from routing.cli.exits import Exit
from routing.cli.output import fail, say, show_json
from routing.cli.session import Session, command
from routing.core.errors import PbxError
from routing.engine.core import RoutingCore
from routing.engine.replay import replay
from telephony.port import PbxPort

PbxArgument = Annotated[str, typer.Argument(metavar="PBX", help="Its id in the configuration files.")]
SnapshotOption = Annotated[
    int | None, typer.Option("--from", metavar="STEP", help="A kept snapshot; default: the oldest.")
]


class NoSecret(PbxError):
    code = "pbx-secret-missing"
    template = "the secret of PBX {pbx} cannot be read: {source} is missing or empty"


class UnknownPbx(PbxError):
    code = "pbx-unknown"
    template = "the configuration files know no PBX {pbx}; known: {known}"


class NoConnector(PbxError):
    code = "pbx-kind-internal"
    template = "PBX {pbx} is {kind}: it lives in tests and simulations and has no connector"


@command
def up_command(session: Session) -> None:
    """Run everything of this machine: engines, recorder, worker, ticker, look-ups, API, and a connector per PBX.

    Ends with Ctrl-C or SIGTERM.
    """
    settings = load_settings(session.directory)
    server = session.server
    codecs_of(server)  # refused here rather than by each child again and again
    environment = {
        "SWITCHROOM_REDIS": server.redis_url,
        "SWITCHROOM_TENANT": server.tenant,
        "SWITCHROOM_CONFIG": str(session.directory),
        "SWITCHROOM_DATABASE": database_url(server, os.environ.get("SWITCHROOM_DATABASE")),
    }
    names = [("engine", f"engine-{number}", ["engine"]) for number in range(1, server.standbys + 2)]
    names += [(name, name, [name]) for name in ("recorder", "worker", "ticker", "lookups", "api")]
    names += [("connector", f"connector-{pbx}", ["connector", pbx]) for pbx in _connected(settings)]
    children = [
        ChildSpec(name=name, argv=[sys.executable, "-m", "routing.cli.main", *words], environment=environment)
        for _kind, name, words in names
    ]
    upgrade_if_reachable(environment["SWITCHROOM_DATABASE"])
    bootstrap.run_supervisor(server, children)


@command
def engine_command(session: Session) -> None:
    """Run one engine: it leads, or stands by to take over."""
    bootstrap.run_engine(session.server)


@command
def connector_command(session: Session, pbx: PbxArgument) -> None:
    """Run the connector of one PBX."""
    pbxs = load_settings(session.directory).pbxs
    if pbx not in pbxs:
        raise UnknownPbx(pbx=pbx, known=", ".join(sorted(pbxs)) or "none")
    bootstrap.run_connector(session.server, pbx, _port(pbxs[pbx], session.server))


@command
def replay_command(session: Session, start: SnapshotOption = None) -> None:
    """Do the journaled steps again from a snapshot and compare with what is stored. Exit code 1 when it differs."""
    result = session.with_store(lambda store: replay(store, RoutingCore(), start), needs_keys=True)
    if session.json:
        show_json({"is_same": result.is_same, "result": result})
    elif result.is_same:
        say(f"{result.steps} steps from {result.from_seq} to {result.to_seq} give the stored state: {result.stored}")
    if not result.is_same:
        detail = f"after {result.steps} steps these differ: {', '.join(result.different) or 'order of entries'}"
        if session.json:
            raise typer.Exit(Exit.FOUND)
        fail(Exit.FOUND, "replay-differs", detail, session.json)


def _connected(settings: Settings) -> list[str]:
    return sorted(pbx.id for pbx in settings.pbxs.values() if pbx.kind is not PbxKind.SIMULATED)


def _port(pbx: PbxSettings, server: ServerSettings) -> PbxPort:
    """Raises NoSecret, NoConnector."""
    if pbx.kind is PbxKind.SIMULATED:
        raise NoConnector(pbx=pbx.id, kind=pbx.kind.value)
    if not pbx.secret:
        raise NoSecret(pbx=pbx.id, source=pbx.secret_source)
    watch = EngineWatch(lambda: bootstrap.open_store(server))
    make = _freeswitch_port if pbx.kind is PbxKind.FREESWITCH else _asterisk_port
    return WatchedPort(make(pbx, watch), watch)


def _asterisk_port(pbx: PbxSettings, watch: EngineWatch) -> PbxPort:
    from telephony.asterisk import AsteriskPort, AsteriskSettings

    settings = AsteriskSettings(pbx=pbx.id, username=pbx.username, secret=pbx.secret, host=pbx.host, port=pbx.port)
    return AsteriskPort(settings, is_serving=watch.is_serving)


def _freeswitch_port(pbx: PbxSettings, watch: EngineWatch) -> PbxPort:
    from telephony.freeswitch import FreeswitchPort, FreeswitchSettings, TransportKind

    transport = TransportKind(pbx.transport.value)
    settings = FreeswitchSettings(pbx=pbx.id, secret=pbx.secret, host=pbx.host, port=pbx.port, transport=transport)
    return FreeswitchPort(settings, is_serving=watch.is_serving)
