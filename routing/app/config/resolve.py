"""Checked tables -> the core's configuration. References must have been checked before."""

from __future__ import annotations

from dataclasses import replace

from routing.app.config import resolve_campaigns, resolve_flows, resolve_queues, secrets
from routing.app.config.cad_models import CadTable
from routing.app.config.call_models import NumbersTable, OutdialTable
from routing.app.config.dial_strings import address_of
from routing.app.config.flow_models import FlowTable
from routing.app.config.models import (
    AgentTable,
    EntryPointTable,
    ProfileTable,
)
from routing.app.config.pbx_checks import template_of
from routing.app.config.pbx_models import PbxTable
from routing.app.config.sources import Sources
from routing.app.config.supervisor_models import SupervisorTable
from routing.app.config.validate import Tables
from routing.app.settings import (
    ListSettings,
    PbxKind,
    PbxSettings,
    RetentionSettings,
    ServerSettings,
    SpeechSettings,
    WebhookSettings,
)
from routing.core.config import (
    AgentConfig,
    Config,
    EntryPoint,
    Numbers,
    Pbx,
    Profile,
    Team,
)
from routing.core.declarations import CadVariable
from routing.core.flow import Flow, Prompt
from routing.core.limits import CallLimits
from routing.core.outdial import OutdialRules
from routing.core.supervision import SupervisorConfig

SQLITE = "sqlite:///"
_PORTS = {PbxKind.ASTERISK: 5038, PbxKind.FREESWITCH: 8021}
_SWITCHES = (
    "receive_calls",
    "end_calls",
    "record",
    "outdial",
    "dial_pad",
    "address_book",
    "outdial_to_queue",
    "available_after_outdial",
    "reschedule",
    "reschedule_personal",
    "reschedule_before_dial",
    "other_number",
)


def core_config(tables: Tables, this_year: int) -> Config:
    """Revision 0: `apply` numbers it. `this_year`: from the one before it public holidays are looked up."""
    profiles = {"default": Profile(id="default")}
    profiles |= {id_: _profile(id_, table) for id_, table in tables.profiles.items()}
    return replace(
        flow_surroundings(tables),
        pbxs={id_: _pbx(id_, table) for id_, table in tables.pbx.items()},
        queues={id_: resolve_queues.queue(id_, table) for id_, table in tables.queues.items()},
        profiles=profiles,
        agents={id_: _agent(id_, table, tables) for id_, table in tables.agents.items()},
        idle_reasons=tuple(tables.reasons.idle),
        wrap_up_reasons=tuple(tables.reasons.wrap_up),
        unanswered_transfer=tables.calls.unanswered_transfer,
        wrap_up_after_consult=tables.calls.wrap_up_after_consult,
        numbers=_numbers(tables.numbers),
        recording_pause_s=tables.calls.recording_pause_s,
        outdial=_outdial(tables.outdial),
        limits=CallLimits(**tables.limits.model_dump()),
        time_zone=tables.calls.time_zone,
        hours={
            id_: resolve_flows.hours(id_, table, tables.calls.time_zone, this_year)
            for id_, table in tables.hours.items()
        },
        callbacks=resolve_flows.callbacks(tables.callbacks),
        campaigns={id_: resolve_campaigns.campaign(id_, table) for id_, table in tables.campaigns.items()},
        responses=resolve_campaigns.responses(tables.responses),
        supervisors={id_: _supervisor(id_, table, tables) for id_, table in tables.supervisors.items()},
        show_supervision=tables.calls.show_supervision,
        teams={id_: Team(id=id_, label=table.label or id_) for id_, table in tables.teams.items()},
    )


def flow_surroundings(tables: Tables) -> Config:
    """What the checker of flows looks at, made of the tables that are right in themselves."""
    common = {name: _variable(name, table) for name, table in tables.cad.items()}
    return Config(
        tenant=tables.server.tenant,
        cad=tuple(sorted(common.values(), key=lambda v: (v.order, v.name))),
        language=tables.calls.language,
        entry_points=_entry_points(tables, common),
        flows=_flows(tables, common),
        prompts=_prompts(tables),
    )


def _entry_points(tables: Tables, common: dict[str, CadVariable]) -> dict[str, EntryPoint]:
    return {
        id_: _entry_point(id_, table, common | _of_flow(tables, table, common))
        for id_, table in tables.entry_points.items()
    }


def _flows(tables: Tables, common: dict[str, CadVariable]) -> dict[str, Flow]:
    return {id_: _flow(id_, table, common) for id_, table in tables.flows.items()}


def _flow(id_: str, table: FlowTable, common: dict[str, CadVariable]) -> Flow:
    return resolve_flows.flow(id_, table, _variables(table.cad, common))


def _prompts(tables: Tables) -> dict[str, Prompt]:
    languages = resolve_flows.languages(tables.flows.values(), tables.prompts.values(), tables.calls.language)
    return {id_: resolve_flows.prompt(id_, table, languages) for id_, table in tables.prompts.items()}


def server_settings(sources: Sources, tables: Tables) -> ServerSettings:
    names = type(tables.server).model_fields.keys() - {"cad_key_file", "cad_key_env"}
    values = {name: getattr(tables.server, name) for name in names}
    file = values["database_url"].removeprefix(SQLITE)
    if file != values["database_url"] and not file.startswith("/"):
        values["database_url"] = f"{SQLITE}{(sources.directory / file).absolute()}"
    directory = tables.recordings.directory
    values["recordings_directory"] = str((sources.directory / directory).absolute()) if directory else ""
    kept = tables.retention.model_dump(exclude={"ledger_below_minimum"})
    values["retention"] = RetentionSettings(**{name: days or None for name, days in kept.items()})
    return ServerSettings(cad_keys=secrets.cad_keys(sources, tables.server), **values)


def webhook_settings(tables: Tables) -> WebhookSettings:
    values = tables.webhooks.model_dump() | {
        "allow_private": tuple(tables.webhooks.allow_private),
        "schedule_s": tuple(tables.webhooks.schedule_s),
    }
    return WebhookSettings(**values)


def list_settings(tables: Tables) -> ListSettings:
    return ListSettings(**tables.lists.model_dump())


def speech_settings(sources: Sources, tables: Tables) -> SpeechSettings:
    return SpeechSettings(
        command=tuple(tables.speech.command),
        directory=str((sources.directory / tables.speech.directory).absolute()),
        timeout_s=tables.speech.timeout_s,
    )


def pbx_settings(sources: Sources, tables: Tables) -> dict[str, PbxSettings]:
    settings = {}
    for id_, table in tables.pbx.items():
        secret, source = secrets.resolve(sources, id_, table)
        settings[id_] = PbxSettings(
            id=id_,
            kind=table.kind,
            host=table.host,
            port=table.port or _PORTS.get(table.kind, 0),
            username=table.username if table.kind is PbxKind.ASTERISK else "",
            secret=secret,
            secret_source=source,
            system_name=table.system_name,
            transport=table.transport,
        )
    return settings


def _pbx(id_: str, table: PbxTable) -> Pbx:
    return Pbx(
        id=id_,
        kind=table.kind.value,
        dial=table.dial or "",
        dial_colon=table.dial_colon,
        dial_caller_id=table.dial_caller_id,
        trunks=dict(table.trunks),
        prompts=(table.prompts or "").rstrip("/"),
    )


def _profile(id_: str, table: ProfileTable) -> Profile:
    switches = {name: getattr(table, name) for name in _SWITCHES}
    anis = dict(sorted(table.outdial_anis.items(), key=lambda item: (item[0].casefold(), item[0])))
    return Profile(id=id_, dial=resolve_flows.dial_rights(table.dial), outdial_anis=anis, **switches)


def _outdial(table: OutdialTable) -> OutdialRules:
    return OutdialRules(**table.model_dump() | {"entry_point": table.entry_point or ""})


def _numbers(table: NumbersTable) -> Numbers:
    return Numbers(
        max_digits=table.max_digits,
        idd=tuple(table.idd),
        country=table.country,
        premium=tuple(table.premium),
        ring_timeout_s=table.ring_timeout_s,
    )


def _agent(id_: str, table: AgentTable, tables: Tables) -> AgentConfig:
    queues = tables.teams[table.team].queues if table.queues is None else table.queues
    pbx = table.pbx or next(iter(tables.pbx))
    return AgentConfig(
        id=id_,
        name=table.name,
        team=table.team,
        pbx=pbx,
        phone=address_of(table.phone, template_of(tables.pbx[pbx])),
        profile=table.profile,
        skills=resolve_queues.requirement(table.skills),
        queues=tuple(sorted(queues.items())),
        order=table.order,
        pin=table.pin,
        extension=table.extension or "",
    )


def _supervisor(id_: str, table: SupervisorTable, tables: Tables) -> SupervisorConfig:
    pbx = table.pbx or next(iter(tables.pbx))
    return SupervisorConfig(
        id=id_,
        name=table.name,
        pbx=pbx,
        phone=address_of(table.phone, template_of(tables.pbx[pbx])),
        extension=table.extension or "",
        teams=tuple(table.teams),
    )


def _entry_point(id_: str, table: EntryPointTable, common: dict[str, CadVariable]) -> EntryPoint:
    """`common`: what its variables are based on: the tenant's, and those of its flow."""
    return EntryPoint(
        id=id_,
        queue=table.queue or "",
        flow=table.flow or "",
        hours=table.hours or "",
        numbers=tuple(table.numbers),
        priority=table.priority,
        cad=_variables(table.cad, common),
        return_after_call=table.return_after_call,
        screen_pop=table.screen_pop or "",
    )


def _of_flow(tables: Tables, table: EntryPointTable, common: dict[str, CadVariable]) -> dict[str, CadVariable]:
    flow = tables.flows.get(table.flow or "")
    return {variable.name: variable for variable in _variables(flow.cad, common)} if flow else {}


def _variables(tables: dict[str, CadTable], common: dict[str, CadVariable]) -> tuple[CadVariable, ...]:
    return tuple(_variable(name, table, common.get(name)) for name, table in tables.items())


def _variable(name: str, table: CadTable, base: CadVariable | None = None) -> CadVariable:
    """The declaration; keys that are not written keep what `base` says."""
    written = {key: getattr(table, key) for key in table.model_fields_set}
    inherited = {key: getattr(base, key) for key in CadTable.model_fields} if base else {"label": name}
    return CadVariable(name=name, **(inherited | {key: value for key, value in written.items() if value is not None}))
