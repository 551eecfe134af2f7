"""`doctor`: examines Redis, the server's processes and every PBX, and says how to mend what is wrong (OPS-01)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from routing.app import bootstrap
from routing.app.clock import Clock, SystemClock
from routing.app.config import check, load_settings
from routing.app.doctor import asterisk_checks, freeswitch, prompt_checks, redis_checks, server_checks
from routing.app.doctor.findings import Finding, Findings, Level
from routing.app.settings import PbxKind, PbxSettings, ServerSettings
from routing.core.config import Config
from routing.core.errors import StoreError
from routing.core.world import WorldState
from routing.store.port import Store

__all__ = ["Finding", "Level", "examine"]


async def examine(directory: Path, server: ServerSettings, clock: Clock | None = None) -> list[Finding]:
    """Every finding, Redis first. Raises ConfigRefused when the files do not say where Redis and the PBXs are."""
    from routing.app.doctor import background_checks  # with SQL and migrations, which no other command waits for

    pbxs = load_settings(directory).pbxs
    loaded = check(directory).loaded
    files = loaded.config if loaded else None
    clock = clock or SystemClock()
    found, state = await _examine_server(server, files, clock)
    for examined in await asyncio.to_thread(background_checks.examine, server, clock):
        found += examined.all
    config = state.config if state and state.config.revision else files
    for pbx in sorted(pbxs.values(), key=lambda p: p.id):
        findings = Findings(pbx.id)
        if pbx.kind is PbxKind.ASTERISK:
            await asterisk_checks.examine(findings, pbx, _phones(pbx, config), clock)
        elif pbx.kind is PbxKind.FREESWITCH:
            await freeswitch.examine(findings, pbx, freeswitch.needs_of(pbx, config), clock)
        prompt_checks.examine(findings, pbx, config)
        found += findings.all
    return found


def _phones(pbx: PbxSettings, config: Config | None) -> list[str]:
    agents = config.agents.values() if config else ()
    return sorted({agent.phone for agent in agents if agent.pbx == pbx.id})


async def _examine_server(
    server: ServerSettings, files: Config | None, clock: Clock
) -> tuple[list[Finding], WorldState | None]:
    redis, own = Findings("redis"), Findings("server")
    state = None
    try:
        store = bootstrap.open_store_to_look(server)
        try:
            state = await _ask_store(store, redis, own, files)
            server_checks.cad_key(own, server.cad_keys, state.config if state else files)
            await redis_checks.redis_clock(redis, server, clock)
        finally:
            await store.close()
    except StoreError as error:
        redis_checks.unreachable(redis, server, error)
    return redis.all + own.all, state


async def _ask_store(store: Store, redis: Findings, own: Findings, files: Config | None) -> WorldState | None:
    health = await store.health()
    redis.ok("reachable", "answers")
    redis_checks.redis_settings(redis, health)
    server_checks.engine(own, health)
    state, _position = await store.load()
    if state is None:
        own.error("configuration", "nothing is applied", "switchroom apply")
    else:
        if health.owner is not None:  # without an engine nobody keeps the links' state
            server_checks.links(own, state)
        server_checks.configuration(own, state, files)
    return state
