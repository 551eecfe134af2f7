"""Where a command works: which Redis, which tenant, which files; and what goes wrong there as an exit code."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, get_type_hints

import typer

from routing.app import bootstrap
from routing.app.ask import NoReply, ask
from routing.app.config import ConfigRefused, load_settings
from routing.app.settings import ServerSettings
from routing.cli.exits import Exit
from routing.cli.output import complain, fail
from routing.core.config import Config
from routing.core.errors import DomainError, StoreError, SwitchroomError
from routing.core.orders import AnyOrder, Reply
from routing.core.world import World, WorldState
from routing.store.errors import DatabaseRefused, DatabaseUnavailable
from routing.store.port import Store
from routing.store.sealing import SealKeys

T = TypeVar("T")
P = ParamSpec("P")
DEFAULT_DIRECTORY = Path("/etc/switchroom")

RedisOption = Annotated[
    str | None,
    typer.Option("--redis", envvar="SWITCHROOM_REDIS", metavar="URL", help="Redis, e.g. redis://host:6379/0."),
]
TenantOption = Annotated[str | None, typer.Option("--tenant", envvar="SWITCHROOM_TENANT", help="Tenant.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", envvar="SWITCHROOM_CONFIG", metavar="DIR", help="Directory of the configuration files."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


class NothingApplied(DomainError):
    """An empty list would hide a mistyped tenant."""

    code = "nothing-applied"
    template = "tenant {tenant} has no configuration: is that its name? else make one run with switchroom apply"


@dataclass(frozen=True, kw_only=True)
class Session:
    """The options that every command has. What is not given stands in the table `server` of the files.

    Without slots, so that `server` is read once: a table that is shown live asks at every picture.
    """

    redis: str | None = None
    tenant: str | None = None
    config: Path | None = None
    json: bool = False

    @property
    def directory(self) -> Path:
        """The configuration files' directory."""
        return self.config or DEFAULT_DIRECTORY

    @functools.cached_property
    def server(self) -> ServerSettings:
        """Options first, then the files, then defaults. Raises ConfigRefused when the files' server table is wrong,
        unless the options say all but the keys.
        """
        has_files = self.config is not None or DEFAULT_DIRECTORY.is_dir()
        try:
            found = load_settings(self.directory).server if has_files else ServerSettings()
        except ConfigRefused:
            if self.redis is None or self.tenant is None:
                raise
            unknown = SealKeys(source=f"table server in {self.directory}", problem="the files cannot be read")
            found = ServerSettings(cad_keys=unknown)
        return replace(found, redis_url=self.redis or found.redis_url, tenant=self.tenant or found.tenant)

    def with_store(self, work: Callable[[Store], Awaitable[T]], *, needs_keys: bool = False) -> T:
        """Run `work` with the tenant's store. Ends the command when it cannot be reached or the rules refuse.

        Without `needs_keys` CAD whose key is missing is masked.
        """
        return asyncio.run(self._with_store(work, needs_keys))

    async def _with_store(self, work: Callable[[Store], Awaitable[T]], needs_keys: bool) -> T:
        store = (bootstrap.open_store if needs_keys else bootstrap.open_store_to_look)(self.server)
        try:
            return await work(store)
        finally:
            await store.close()

    def ask(self, order: AnyOrder, timeout_s: float = 5.0) -> Reply:
        """Send one order; ends the command when it is refused."""
        reply = self.with_store(lambda store: ask(store, order, timeout_s))
        if reply.code != "ok":
            fail(Exit.REFUSED, reply.code, reply.detail, self.json, **reply.values)
        return reply


async def world_of(store: Store, tenant: str) -> World:
    """The committed state with its indexes; an empty world before the first commit."""
    state, _position = await store.load()
    return World(state or WorldState(config=Config(tenant=tenant)))


async def live_world(store: Store, tenant: str) -> World:
    """As world_of, for those who look at what lives. Raises NothingApplied."""
    world = await world_of(store, tenant)
    if not world.config.revision:
        raise NothingApplied(tenant=tenant)
    return world


def actor() -> str:
    """Who gives the order, for events and history."""
    user = os.environ.get("SUDO_USER") or os.environ.get("USER") or str(os.getuid())
    return f"cli:{user}"


def command(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """Give `function`, which takes the session first, the options of every command; errors become exit codes."""

    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> None:
        session = Session(
            **{name: options.pop(name) for name in ("redis", "tenant", "config")}, json=options.pop("as_json")
        )
        try:
            function(session, *args, **options)
        except ConfigRefused as error:
            _refuse_files(error, session.json)
        except (StoreError, NoReply) as error:
            fail(Exit.UNREACHABLE, error.code, f"{error} {_where(session, error)}", session.json)
        except DomainError as error:
            fail(Exit.REFUSED, error.code, str(error), session.json)
        except SwitchroomError as error:
            fail(Exit.FOUND, error.code, str(error), session.json)

    hints = get_type_hints(function, include_extras=True)
    own = [p.replace(annotation=hints[p.name]) for p in list(inspect.signature(function).parameters.values())[1:]]
    run.__signature__ = inspect.Signature([*own, *_common()], return_annotation=None)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in run.__signature__.parameters.values()}  # type: ignore[attr-defined]
    del run.__wrapped__
    return run


def _where(session: Session, error: SwitchroomError) -> str:
    """What was asked, for those who asked the wrong one."""
    if isinstance(error, DatabaseRefused):
        return "(its tables are made by switchroom db upgrade, and by switchroom up)"
    if isinstance(error, DatabaseUnavailable):
        return "(see --database, SWITCHROOM_DATABASE and database_url of the table server)"
    server = session.server
    return f"(tenant {server.tenant} at {server.shown_redis_url}; see --tenant, --redis and the table server)"


def _common() -> list[inspect.Parameter]:
    options = {"redis": RedisOption, "tenant": TenantOption, "config": ConfigOption, "as_json": JsonOption}
    return [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=False if name == "as_json" else None, annotation=type_
        )
        for name, type_ in options.items()
    ]


def _refuse_files(error: ConfigRefused, as_json: bool) -> None:
    if not as_json:
        for problem in error.problems:
            complain(str(problem))
        missing = error.problems[0].file if error.problems else Path()
        if not missing.exists():
            complain("name the directory of the configuration files with --config DIR or SWITCHROOM_CONFIG")
    fail(Exit.FOUND, error.code, str(error), as_json)
