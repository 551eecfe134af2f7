"""What the configuration wants of one FreeSWITCH. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from routing.app.settings import PbxSettings
from routing.core.config import Config
from routing.core.topology import RINGBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """`phones`, `dials`: dial strings of agents and, with `{number}`, of trunks. `music`: classes of the queues."""

    phones: tuple[str, ...] = ()
    dials: tuple[str, ...] = ()
    music: tuple[str, ...] = ()
    records: bool = False


def needs_of(pbx: PbxSettings, config: Config | None) -> Needs:
    """`config` None: nobody knows it, and nothing is looked for."""
    if config is None:
        return Needs()
    node = config.pbxs.get(pbx.id)
    dials = {node.dial, *node.trunks.values()} - {""} if node else set()
    return Needs(
        phones=tuple(sorted({agent.phone for agent in config.agents.values() if agent.pbx == pbx.id})),
        dials=tuple(sorted(dials)),
        music=tuple(sorted({queue.music for queue in config.queues.values()} - {"", RINGBACK})),
        records=any(profile.record for profile in config.profiles.values()),
    )
