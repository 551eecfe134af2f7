"""PBXs and the telephones on them: dial strings by kind, trunks between PBXs, numbers that must be told apart."""

from __future__ import annotations

from collections.abc import Iterator

from routing.app.config.dial_strings import FORMS, address_of, extension_mistake, phone_mistake, template_mistake
from routing.app.config.models import AgentTable
from routing.app.config.pbx_models import PbxTable
from routing.app.config.positions import KeyPath
from routing.app.config.problems import did_you_mean
from routing.app.config.sources import Sources
from routing.app.config.supervisor_models import SupervisorTable
from routing.app.config.validate import Tables
from routing.app.settings import PbxKind
from routing.core.config import Config
from routing.core.reach import is_in_reach, number_of

_NAMED_QUEUES = 3
# Keys that mean something for one kind alone, and what to do about them elsewhere.
_OF_ONE_KIND = {
    "username": (PbxKind.ASTERISK, "leave it out: FreeSWITCH asks for its password alone"),
    "transport": (PbxKind.FREESWITCH, 'leave it out, or is kind = "freeswitch" missing?'),
}


def check_pbxs(sources: Sources, tables: Tables) -> None:
    """Errors of the PBX tables by themselves."""
    for id_, table in tables.pbx.items():
        path: KeyPath = ("pbx", id_)
        for key, (kind, advice) in _OF_ONE_KIND.items():
            if table.kind not in (kind, PbxKind.SIMULATED) and key in table.model_fields_set:
                sources.error((*path, key), f"has no meaning for this kind: {advice}")
        for keys, template in _templates(table):
            if mistake := template_mistake(table.kind, template, is_trunk=keys != ("phone",)):
                sources.error((*path, *keys), mistake)
        for other in table.trunks:
            _trunk(sources, id_, other)


def _templates(table: PbxTable) -> Iterator[tuple[tuple[str, ...], str]]:
    for key in ("phone", "dial"):
        if (text := getattr(table, key)) is not None:
            yield (key,), text
    for other, text in table.trunks.items():
        yield ("trunks", other), text


def _trunk(sources: Sources, id_: str, other: str) -> None:
    path, known = ("pbx", id_, "trunks", other), sources.entries("pbx")
    if other == id_:
        sources.error(path, "leads to this PBX itself: its own telephones are dialed as 'phone' says")
    elif other not in known:
        sources.error(path, f"there is no PBX {other!r}{did_you_mean(other, known)}")


def home_of(sources: Sources, agent: AgentTable | SupervisorTable) -> str:
    """Id of the PBX of his telephone."""
    return agent.pbx or next(iter(sources.entries("pbx")), "")


def address(sources: Sources, tables: Tables, agent: AgentTable) -> str:
    """His telephone as his PBX names it."""
    table = tables.pbx.get(home_of(sources, agent))
    return address_of(agent.phone, template_of(table)) if table else agent.phone


def template_of(table: PbxTable) -> str:
    """How this PBX dials a telephone of its own by number."""
    return table.phone or FORMS[table.kind].usual


def check_phones(sources: Sources, tables: Tables) -> None:
    """Telephones that are no address on their PBX, or that two agents share."""
    owners: dict[tuple[str, str], str] = {}
    for id_, agent in tables.agents.items():
        home, path = home_of(sources, agent), ("agents", id_, "phone")
        table = tables.pbx.get(home)
        if table and (mistake := phone_mistake(table.kind, agent.phone)):
            sources.error(path, mistake)
            continue
        owner = owners.setdefault((home, address(sources, tables, agent)), id_)
        if owner != id_:
            file, line = sources.place(("agents", owner))
            sources.error(path, f"agent {owner!r} has this phone too ({file.name}, line {line})")
    for id_, supervisor in tables.supervisors.items():
        table = tables.pbx.get(home_of(sources, supervisor))
        if table and (mistake := phone_mistake(table.kind, supervisor.phone)):
            sources.error(("supervisors", id_, "phone"), mistake)


def check_reach(sources: Sources, config: Config) -> None:
    """Judged on the resolved configuration: numbers that trunks dial, and agents whom callers of a queue cannot get."""
    dialed = {other for pbx in config.pbxs.values() for other in pbx.trunks}
    owners: dict[tuple[str, str], str] = {}
    for agent in config.agents.values():
        if agent.pbx not in dialed:
            if agent.extension and len(config.pbxs) > 1:
                sources.warn(("agents", agent.id, "extension"), f"nobody dials it: no trunk leads to {agent.pbx}")
            continue
        number, key = number_of(agent), "extension" if agent.extension else "phone"
        owner = owners.setdefault((agent.pbx, number), agent.id)
        if mistake := extension_mistake(number):
            sources.error(("agents", agent.id, key), f"{mistake}; give 'extension'")
        elif owner != agent.id:
            reason = f"over the trunks to {agent.pbx} agent {owner!r} has the number {number} too; give 'extension'"
            sources.error(("agents", agent.id, key), reason)
    for pbx in config.pbxs:
        _missing_trunks(sources, config, pbx)


def _missing_trunks(sources: Sources, config: Config, pbx: str) -> None:
    """Queues with agents on this PBX and on one that it does not reach: some of their callers wait longer."""
    staff: dict[str, set[str]] = {}
    for agent in config.agents.values():
        for queue, _rank in agent.queues:
            staff.setdefault(queue, set()).add(agent.pbx)
    for other in config.pbxs:
        shared = [queue for queue, pbxs in staff.items() if {pbx, other} <= pbxs]
        if shared and not is_in_reach(config, pbx, other):
            names = ", ".join(shared[:_NAMED_QUEUES]) + (", ..." if len(shared) > _NAMED_QUEUES else "")
            reason = f"its callers cannot reach agents on {other}, though queue {names} has agents on both: give"
            sources.warn(("pbx", pbx, "trunks"), f"{reason} a dial string, pbx.{pbx}.trunks.{other}")
