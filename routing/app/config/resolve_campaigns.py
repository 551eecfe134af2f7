"""Tables of campaigns -> the core's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routing.app.config.campaign_models import CampaignTable, QuestionTable, ResponseTable
from routing.core.campaign_rules import (
    DEFAULT_RETRIES,
    Answer,
    AttemptLimits,
    Campaign,
    DialMode,
    Disposition,
    MachineRules,
    PacingRules,
    PreviewRules,
    Question,
    RecordField,
    Response,
    RetryRule,
)
from routing.core.dial_rights import DialRights

# The same name, the same meaning on both sides.
_SAME = (
    *("description", "mode", "queue", "ani", "ring_timeout_s", "hold_dialing", "hopper", "blend"),
    *("require_disposition", "single_disposition"),
)


def campaign(id_: str, table: CampaignTable) -> Campaign:
    dial: dict[str, Any] = table.dial.model_dump()
    dial |= {name: tuple(dial[name]) for name in ("allowed", "denied")}
    machines = table.machines.model_dump(exclude={"detect", "message"})
    pacing = table.pacing.model_dump(exclude={"message"})
    retries = {result: _retry(rule.model_dump()) for result, rule in table.retries.items()}
    seizes = table.mode is DialMode.PREDICTIVE if table.seize_agents is None else table.seize_agents
    return Campaign(
        id=id_,
        label=table.label or id_,
        teams=tuple(table.teams),
        entry_point=table.entry_point or "",
        pbx=table.pbx or "",
        dial=DialRights(**dial),
        seize_agents=seizes,
        hours=table.hours or "",
        default_zone=table.time_zone or "",
        limits=AttemptLimits(**table.limits.model_dump()),
        retries=DEFAULT_RETRIES | retries,
        preview=PreviewRules(**table.preview.model_dump()),
        machines=MachineRules(is_on=table.machines.detect, message=table.machines.message or "", **machines),
        pacing=PacingRules(message=table.pacing.message or "", **pacing),
        case_fields=_fields(table.case_fields),
        record_fields=_fields(table.record_fields),
        dispositions=tuple(Disposition(code=code, **d.model_dump()) for code, d in table.dispositions.items()),
        guide=tuple(map(_question, table.guide)),
        responses=responses(table.responses),
        **{name: getattr(table, name) for name in _SAME},
    )


def _retry(values: dict[str, object]) -> RetryRule:
    after_s = values.pop("after_s")
    return RetryRule(after_s=tuple(after_s), **values)  # type: ignore[arg-type]


def _fields(table: Mapping[Any, str]) -> tuple[RecordField, ...]:
    return tuple(RecordField(name=name, label=label) for name, label in table.items())


def _question(table: QuestionTable) -> Question:
    answers = tuple(Answer(id=a.id, label=a.label, next=a.next or "") for a in table.answers)
    return Question(id=table.id, text=table.text, answers=answers, next=table.next or "", is_optional=table.optional)


def responses(tables: Mapping[str, ResponseTable]) -> tuple[Response, ...]:
    return tuple(Response(id=id_, title=table.title, text=table.text) for id_, table in tables.items())
