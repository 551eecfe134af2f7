"""Scenario files: TOML with callers to be played, each a table `[scenarios.NAME]`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from dialplan.flows.scenario import Answer, Expected, NumberAnswers, Script
from dialplan.flows.stage import HANG_UP
from routing.app.config.flow_models import Assigned
from routing.app.config.positions import Positions
from routing.app.config.prompt_models import Language
from routing.app.config.scalars import CadName, Id, PlainText, Priority, Skills, Table
from routing.app.config.validate import reason_of
from routing.core.config import Config
from routing.core.errors import ConfigError

_KEYS = r"[0-9*#]{0,64}"


class ScenarioRefused(ConfigError):
    """A scenario file that cannot be read, or says something that it cannot."""

    code = "scenario-refused"
    template = "{file}:{line}: {reason}"


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Keys = Annotated[
    list[Annotated[str, Field(pattern=f"^({_KEYS}|{HANG_UP})$")]], BeforeValidator(_as_list), Field(max_length=100)
]


class AnswerTable(Table):
    """What a look-up gives."""

    cad: dict[CadName, Assigned] = Field(default_factory=dict)
    priority: Priority | None = None
    requires: Skills = Field(default_factory=dict)
    preferred_agent: str = ""
    language: Language | None = None
    failed: str = ""
    late: bool = False

    def value(self) -> Answer:
        values = self.model_dump() | {"requires": tuple(sorted(self.requires.items())), "language": self.language or ""}
        return Answer(**values)


class ExpectTable(Table):
    """What must come of the call."""

    path: list[str] | None = None
    heard: list[str] | None = None
    result: str | None = None
    reason: str | None = None
    queue: str | None = None
    agent: str | None = None
    language: str | None = None
    callback: bool | None = None
    message: bool | None = None
    cad: dict[CadName, Assigned] = Field(default_factory=dict)

    def value(self) -> Expected:
        values = self.model_dump()
        lists = {name: tuple(values[name]) for name in ("path", "heard") if values[name] is not None}
        return Expected(**values | lists)


class ScenarioTable(Table):
    """One caller. `at` is local time of the tenant; not given: now."""

    at: datetime | None = None
    entry_point: Id | None = None
    ani: PlainText = "+12015550123"
    ani_name: PlainText = ""
    dnis: PlainText = ""
    cad: dict[CadName, Assigned] = Field(default_factory=dict)
    keys: dict[str, Keys] = Field(default_factory=dict)
    look_ups: dict[str, AnswerTable] = Field(default_factory=dict)
    available: list[Id] = Field(default_factory=list)
    busy: list[Id] = Field(default_factory=list)
    waiting: dict[Id, Annotated[int, Field(ge=0, le=200)]] = Field(default_factory=dict)
    nobody_answers: bool = False
    answer_s: int = Field(default=3, ge=0, le=600)
    talk_s: int = Field(default=60, ge=0, le=36_000)
    patience_s: int = Field(default=300, ge=1, le=36_000)
    message_s: int = Field(default=10, ge=0, le=1800)
    number_answers: Annotated[NumberAnswers, Field(strict=False)] = NumberAnswers.ANSWERED
    do_not_call: bool = False
    expect: ExpectTable = Field(default_factory=ExpectTable)

    def script(self, config: Config, entry_point: str, now_ms: int) -> Script:
        same = ("ani", "ani_name", "dnis", "talk_s", "patience_s", "message_s", "number_answers", "do_not_call")
        return Script(
            entry_point=entry_point,
            at_ms=at_ms(self.at, config.time_zone) if self.at else now_ms,
            cad=self.cad,
            available=tuple(self.available),
            busy=tuple(self.busy),
            waiting=self.waiting,
            answer_s=None if self.nobody_answers else self.answer_s,
            **{name: getattr(self, name) for name in same},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One table of a file. `line`: where it stands."""

    name: str
    file: Path
    line: int
    table: ScenarioTable


class _File(Table):
    scenarios: Annotated[dict[Id, ScenarioTable], Field(min_length=1)]


def at_ms(at: datetime, time_zone: str) -> int:
    """A local time of the tenant, or one with an offset of its own."""
    known = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(time_zone))
    return round(known.astimezone(UTC).timestamp() * 1000)


def read_scenarios(file: Path) -> list[Scenario]:
    """All scenarios of a file, in their order. Raises ScenarioRefused with the first mistake."""
    try:
        text = file.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise ScenarioRefused(file=str(file), line=0, reason=str(error)) from error
    positions = Positions(text)
    tables = _validated(file, document, positions).scenarios
    return [
        Scenario(name=name, file=file, line=positions.line(("scenarios", name)), table=table)
        for name, table in tables.items()
    ]


def _validated(file: Path, document: Mapping[str, Any], positions: Positions) -> _File:
    try:
        return TypeAdapter(_File).validate_python(document)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        path = tuple(part for part in details["loc"] if part != "[key]")
        reason = f"{'.'.join(map(str, path))}: {reason_of(_File, details)}"
        raise ScenarioRefused(file=str(file), line=positions.line(path), reason=reason) from error
