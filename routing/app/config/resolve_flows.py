"""Checked tables of flows, prompts, hours, callbacks -> the core's values. References must have been checked before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import holidays

from routing.app.config.call_models import DialTable
from routing.app.config.callback_models import CallbacksTable
from routing.app.config.flow_models import (
    ChangesTable,
    CollectStep,
    ConditionStep,
    FlowTable,
    LookUpTable,
    Step,
    StepTable,
    TestTable,
)
from routing.app.config.hours_models import HolidaysTable, HoursTable, span_of
from routing.app.config.prompt_models import PartTable, PromptTable
from routing.core.callback import CallbackRules
from routing.core.declarations import CadVariable
from routing.core.dial_rights import DialRights
from routing.core.flow import (
    Comparison,
    DigitInput,
    Flow,
    FlowStep,
    LookUpSource,
    LookUpStep,
    Prompt,
    PromptPart,
    StepKind,
    Test,
)
from routing.core.hours import Hours

HOLIDAY_YEARS_BACK, HOLIDAY_YEARS_AHEAD = 1, 10
_SAME = (
    "into",
    "hours",
    "queue",
    "accept_key",
    "flow",
    "exit",
    "result",
    "max_s",
    "silence_s",
    "priority",
    "preferred_wait_s",
)
_OR_EMPTY = ("language", "preferred_agent", "agent", "number", "entry_point")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def parts(tables: Iterable[PartTable]) -> tuple[PromptPart, ...]:
    return tuple(
        PromptPart(prompt=table.prompt or "", number=table.number or "", digits=table.digits or "") for table in tables
    )


def dial_rights(table: DialTable) -> DialRights:
    values = table.model_dump()
    return DialRights(**values | {"allowed": tuple(table.allowed), "denied": tuple(table.denied)})


def callbacks(table: CallbacksTable) -> CallbackRules:
    values = table.model_dump(exclude={"dial"}) | {"retry_s": tuple(table.retry_s), "hours": table.hours or ""}
    return CallbackRules(dial=dial_rights(table.dial), **values)


def hours(id_: str, table: HoursTable, time_zone: str, this_year: int) -> Hours:
    """`time_zone`: of the tenant. Holidays from last year until ten years ahead: a later `apply` moves them on."""
    return Hours(
        id=id_,
        time_zone=table.time_zone or time_zone,
        week=tuple(table.week()),
        exceptions={day: tuple(map(span_of, spans)) for day, spans in sorted(table.exceptions.items())},
        holidays=public_holidays(table.holidays, this_year) if table.holidays else {},
    )


def public_holidays(table: HolidaysTable, this_year: int) -> dict[str, str]:
    """ISO date -> name."""
    years = range(this_year - HOLIDAY_YEARS_BACK, this_year + HOLIDAY_YEARS_AHEAD + 1)
    days = holidays.country_holidays(table.country, subdiv=table.subdivision, years=years)
    return {day.isoformat(): name for day, name in sorted(days.items())}


def prompt(id_: str, table: PromptTable, languages: Iterable[str]) -> Prompt:
    """`languages`: all that may be asked for, in which a sound of the PBX is the same name.

    A text without a recorded file is a file that `switchroom prompts render` writes.
    """
    if table.sound:
        return Prompt(id=id_, files=dict.fromkeys(sorted(languages), f"sound:{table.sound}"))
    files = {language: spoken_file(id_, language) for language in table.text} | table.files
    return Prompt(id=id_, files=dict(sorted(files.items())))


def spoken_file(prompt_id: str, language: str) -> str:
    """Where the spoken text of a prompt is written, below the directory of prompts, without ending."""
    return f"{language}/{prompt_id}"


def flow(id_: str, table: FlowTable, variables: tuple[CadVariable, ...]) -> Flow:
    return Flow(
        id=id_,
        start=table.start,
        steps={name: step(name, one) for name, one in table.steps.items()},
        cad=variables,
        language=table.language or "",
    )


def step(id_: str, table: Step) -> FlowStep:
    """One step; what its kind does not have keeps the core's default."""
    values: dict[str, Any] = {name: getattr(table, name) for name in _SAME if getattr(table, name, None) is not None}
    values |= {name: getattr(table, name) for name in _OR_EMPTY if getattr(table, name, None)}
    for name in ("prompts", "invalid_prompts"):
        values[name] = parts(getattr(table, name, ()))
    if isinstance(table, ChangesTable):
        requires = None if table.requires is None else tuple(sorted(table.requires.items()))
        values |= {"cad": dict(table.cad), "requires": requires}
    if isinstance(table, LookUpTable):
        values["look_up"] = look_up(table)
    if hasattr(table, "attempts"):
        values["input"] = _input(table)
    if isinstance(table, ConditionStep):
        values |= {"tests": tuple(_test(one) for one in (*table.all, *table.any)), "any_of": bool(table.any)}
    return FlowStep(id=id_, do=StepKind(table.do), exits=exits(table), **values)


def exits(table: StepTable) -> dict[str, str]:
    return dict(table.exits) | ({"next": table.next} if table.next is not None else {})


def _input(table: Any) -> DigitInput:
    common = DigitInput(timeout_s=table.timeout_s, attempts=table.attempts)
    if not isinstance(table, CollectStep):
        return common
    return DigitInput(
        min_digits=table.min_digits,
        max_digits=table.max_digits,
        timeout_s=table.timeout_s,
        next_s=table.between_s,
        attempts=table.attempts,
    )


def _test(table: TestTable) -> Test:
    if table.is_set:
        return Test(value=table.value, comparison=Comparison.IS_SET)
    if table.one_of is not None:
        return Test(value=table.value, comparison=Comparison.ONE_OF, to=tuple(table.one_of))
    given = {Comparison.IS: table.is_} | {
        c: getattr(table, c.value, None) for c in Comparison if c is not Comparison.IS
    }
    comparison, to = next((c, text) for c, text in given.items() if text is not None)
    return Test(value=table.value, comparison=comparison, to=(to,))


def look_up(table: LookUpTable) -> LookUpStep:
    names = dict.fromkeys(_PLACEHOLDER.findall((table.url or "") + table.body))
    return LookUpStep(
        source=LookUpSource(table.source),
        method=table.method,
        url=table.url or "",
        headers=dict(table.headers),
        body=table.body,
        send=tuple(names),
        deadline_ms=table.deadline_ms,
        default=dict(table.default),
    )


def languages(flows: Iterable[FlowTable], prompts: Iterable[PromptTable], common: str) -> set[str]:
    """Every language that a caller may come to hear."""
    found = {common}
    for table in flows:
        found |= {table.language} if table.language else set()
        found |= {one.language for one in table.steps.values() if isinstance(one, ChangesTable) and one.language}
    for prompt_table in prompts:
        found |= {*prompt_table.text, *prompt_table.files}
    return found
