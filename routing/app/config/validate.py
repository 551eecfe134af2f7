"""Raw entries -> checked tables. Each entry is judged by itself, so that one mistake does not hide the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from routing.app.config.api_models import ApiTable, DeskTable
from routing.app.config.cad_models import CadTable
from routing.app.config.call_models import LimitsTable, NumbersTable, OutdialTable
from routing.app.config.callback_models import CallbacksTable
from routing.app.config.campaign_models import CampaignTable, ResponseTable
from routing.app.config.flow_models import EXIT_PATTERN, STEP_MODELS, URL_PATTERN, FlowTable
from routing.app.config.hours_models import HoursTable
from routing.app.config.list_models import ListsTable
from routing.app.config.models import (
    KEYED,
    SINGLE,
    AgentTable,
    CallsTable,
    EntryPointTable,
    ProfileTable,
    ReasonsTable,
    RecordingsTable,
    ServerTable,
    TeamTable,
    WebhooksTable,
)
from routing.app.config.pbx_models import PbxTable
from routing.app.config.positions import KeyPath
from routing.app.config.problems import did_you_mean
from routing.app.config.prompt_models import LANGUAGE_PATTERN, VALUE_PATTERN, PromptTable, SpeechTable
from routing.app.config.queue_models import QueueTable
from routing.app.config.retention_models import RetentionTable
from routing.app.config.scalars import (
    CAD_NAME_PATTERN,
    ID_PATTERN,
    KEY_PATTERN,
    NUMBER_PATTERN,
    PHONE_PATTERN,
    PIN_PATTERN,
    PREFIX_PATTERN,
)
from routing.app.config.sources import Sources
from routing.app.config.supervisor_models import SupervisorTable

_PATTERN_HINTS = {
    ID_PATTERN: "lower-case letters, digits, '_', '-' and '.', at most 64",
    CAD_NAME_PATTERN: "letters, digits and '_', beginning with a letter, at most 64",
    PHONE_PATTERN: "'1001', 'PJSIP/1001' or 'user/1001'",
    KEY_PATTERN: "of one key: '0' to '9', '*' or '#'",
    EXIT_PATTERN: "of one key, '0' to '9', '*' or '#', or of a name such as 'failed'",
    PIN_PATTERN: "of 3 to 12 digits",
    VALUE_PATTERN: "of the name of a value, e.g. 'ani', 'cad.account'",
    LANGUAGE_PATTERN: "of a language, e.g. 'en', 'de', 'pt-BR'",
    NUMBER_PATTERN: "of a number: digits, '*' and '#', '+' only first, at most 20",
    URL_PATTERN: "'https://crm.example/by-number?n={ani}', the host without placeholders",
    PREFIX_PATTERN: "digits, '*' and '#', '+' only first, at most 15",
}
_MAX_SHOWN_INPUT = 40


@dataclass(slots=True)
class Tables:
    """The entries that are right in themselves."""

    server: ServerTable = field(default_factory=ServerTable)
    api: ApiTable = field(default_factory=ApiTable)
    recordings: RecordingsTable = field(default_factory=RecordingsTable)
    desk: DeskTable = field(default_factory=DeskTable)
    webhooks: WebhooksTable = field(default_factory=WebhooksTable)
    lists: ListsTable = field(default_factory=ListsTable)
    retention: RetentionTable = field(default_factory=RetentionTable)
    calls: CallsTable = field(default_factory=CallsTable)
    numbers: NumbersTable = field(default_factory=NumbersTable)
    outdial: OutdialTable = field(default_factory=OutdialTable)
    limits: LimitsTable = field(default_factory=LimitsTable)
    reasons: ReasonsTable = field(default_factory=ReasonsTable)
    skills: dict[str, str] = field(default_factory=dict)
    pbx: dict[str, PbxTable] = field(default_factory=dict)
    teams: dict[str, TeamTable] = field(default_factory=dict)
    profiles: dict[str, ProfileTable] = field(default_factory=dict)
    queues: dict[str, QueueTable] = field(default_factory=dict)
    agents: dict[str, AgentTable] = field(default_factory=dict)
    entry_points: dict[str, EntryPointTable] = field(default_factory=dict)
    cad: dict[str, CadTable] = field(default_factory=dict)
    callbacks: CallbacksTable = field(default_factory=CallbacksTable)
    speech: SpeechTable = field(default_factory=SpeechTable)
    hours: dict[str, HoursTable] = field(default_factory=dict)
    prompts: dict[str, PromptTable] = field(default_factory=dict)
    flows: dict[str, FlowTable] = field(default_factory=dict)
    campaigns: dict[str, CampaignTable] = field(default_factory=dict)
    responses: dict[str, ResponseTable] = field(default_factory=dict)
    supervisors: dict[str, SupervisorTable] = field(default_factory=dict)


def validate(sources: Sources) -> Tables:
    """The right entries; what is wrong with the others is noted in `sources`."""
    tables = Tables()
    for section, model in SINGLE.items():
        if section in sources.sections and (single := _checked(sources, (section,), model)) is not None:
            setattr(tables, section, single)
    for section, entry_type in KEYED.items():
        adapter = TypeAdapter(entry_type)
        pattern = CAD_NAME_PATTERN if section == "cad" else ID_PATTERN
        good = getattr(tables, section)
        for name in sources.entries(section):
            if not re.fullmatch(pattern, name):
                sources.error((section, name), f"not a usable name: {_PATTERN_HINTS[pattern]}")
            elif (entry := _checked(sources, (section, name), entry_type, adapter)) is not None:
                good[name] = entry
    return tables


def _checked(sources: Sources, path: KeyPath, type_: Any, adapter: TypeAdapter[Any] | None = None) -> Any:
    raw: Any = sources.sections
    for part in path:
        raw = raw[part]
    try:
        return (adapter or TypeAdapter(type_)).validate_python(raw)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            sources.error((*path, *_clean(str(path[0]), details["loc"])), reason_of(type_, details))
    return None


def _clean(section: str, loc: tuple[int | str, ...]) -> KeyPath:
    """Without the marks of pydantic: behind a wrong key of a dictionary, and behind a step's id its kind."""
    if section == "flows" and loc[:1] == ("steps",):
        loc = (*loc[:2], *loc[3:])
    return tuple(part for part in loc if part != "[key]")


def reason_of(type_: Any, details: ErrorDetails) -> str:
    """A mistake in words; `type_` is what was validated."""
    kind, shown = details["type"], _shown(details["input"])
    context: Mapping[str, Any] = details.get("ctx") or {}
    if kind == "extra_forbidden":
        return "unknown key" + did_you_mean(str(details["loc"][-1]), _field_names(type_, details["loc"][:-1]))
    if kind == "missing":
        return f"{details['loc'][-1]!r} is required"
    if kind == "enum":
        words = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        near = did_you_mean(details["input"], words) if isinstance(details["input"], str) else ""
        return f"{shown} is none of {', '.join(words)}{near}"
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return _unknown_kind(context)
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        return f"{shown} is not of the form {_PATTERN_HINTS.get(pattern, pattern)}"
    if kind == "value_error":
        return str(context.get("error", details["msg"]))
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        return f"must be a table, not {shown}"
    message = details["msg"].replace("Input should be", "must be").replace("String should", "must")
    return f"{message}, not {shown}"


def _unknown_kind(context: Mapping[str, Any]) -> str:
    kinds = list(STEP_MODELS)
    if "tag" not in context:
        return f"'do' is required: one of {', '.join(kinds)}"
    given = str(context["tag"])
    return f"{given!r} is no kind of step: {', '.join(kinds)}{did_you_mean(given, kinds)}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN_INPUT else text[: _MAX_SHOWN_INPUT - 3] + "..."


def _field_names(type_: Any, loc: tuple[int | str, ...]) -> list[str]:
    """The keys that the table at `loc` may have."""
    for part in loc:
        type_ = _child(type_, part)
    model = _model_in(type_)
    return list(model.model_fields) if model else []


def _child(type_: Any, part: int | str) -> Any:
    if part in STEP_MODELS and _model_in(type_) in STEP_MODELS.values() and get_origin(type_) is not dict:
        return STEP_MODELS[str(part)]
    model = _model_in(type_)
    if model is not None and get_origin(type_) not in {dict, list}:
        found = model.model_fields.get(str(part))
        return found.annotation if found else None
    args = get_args(type_)
    return args[-1] if args else None


def _model_in(type_: Any) -> type[BaseModel] | None:
    """The one model that a type expression speaks of."""
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return type_
    return next((model for arg in get_args(type_) if (model := _model_in(arg)) is not None), None)
