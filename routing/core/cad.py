"""Call-associated data: typing of values, what the agent sees, and masking."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from routing.core.declarations import CadType, CadVariable
from routing.core.errors import CadRefused

MAX_CODE_POINTS = 256  # CAD-08, A18: after normalization to NFC
MAX_SHOWN = 30  # CAD-03
MASK = "••••"

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_BOOLEAN = {"true": "true", "1": "true", "yes": "true", "false": "false", "0": "false", "no": "false"}
# ISO 8601 calendar forms, extended or basic; Python's own parser would also take any character for the T.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}")
_DATETIME = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,6})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
    r"|[0-9]{8}T[0-9]{4}(?:[0-9]{2})?(?:Z|[+-][0-9]{4})?)"
)


def canonical(variable: CadVariable, text: str) -> str:
    """The stored form of a value. Raises ValueError saying what is wrong with it.

    Empty text clears a variable of any type. Strings are normalized to NFC.
    """
    value = _short(unicodedata.normalize("NFC", text))
    return _short(_CANONICAL[variable.type](value)) if value else ""


def _short(value: str) -> str:
    if len(value) > MAX_CODE_POINTS:
        raise ValueError(f"{len(value)} characters, at most {MAX_CODE_POINTS} are allowed")
    return value


def _integer(value: str) -> str:
    if not _INTEGER.fullmatch(value):
        raise ValueError("not an integer of at most 18 digits")
    return str(int(value))


def _decimal(value: str) -> str:
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError("not a decimal number") from None
    if not number.is_finite():
        raise ValueError("not a finite decimal number")
    return str(number)


def _boolean(value: str) -> str:
    try:
        return _BOOLEAN[value.lower()]
    except KeyError:
        raise ValueError("not a boolean: true or false") from None


def _date(value: str) -> str:
    if not _DATE.fullmatch(value):
        raise ValueError("not an ISO 8601 date such as 2026-11-21")
    return _calendar(date.fromisoformat, value)


def _datetime(value: str) -> str:
    if not _DATETIME.fullmatch(value):
        raise ValueError("not an ISO 8601 date and time such as 2026-11-21T14:30:00Z")
    return _calendar(datetime.fromisoformat, value)


def _calendar(parse: Callable[[str], date], value: str) -> str:
    """In words of ours: those of the library may quote a value that is secure."""
    try:
        return parse(value).isoformat()
    except ValueError:
        raise ValueError("no such day, time or offset") from None


_CANONICAL: dict[CadType, Callable[[str], str]] = {
    CadType.STRING: str,
    CadType.INTEGER: _integer,
    CadType.DECIMAL: _decimal,
    CadType.BOOLEAN: _boolean,
    CadType.DATE: _date,
    CadType.DATETIME: _datetime,
}


def take_over(declared: Mapping[str, CadVariable], given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Values handed over by a dialplan: (values in canonical form, what was refused and why, by name).

    A call is never refused for its CAD: what does not fit its declaration is left out and reported.
    """
    values: dict[str, str] = {}
    refused: dict[str, str] = {}
    for name, text in given.items():
        if name not in declared:
            refused[name[:64]] = "not declared"
            continue
        try:
            values[name] = canonical(declared[name], text)
        except ValueError as error:
            refused[name] = str(error)
    return values, refused


def carry_over(
    old: Mapping[str, CadVariable], new: Mapping[str, CadVariable], values: Mapping[str, str]
) -> dict[str, str]:
    """What an entry-point transfer takes along: variables of the same name and the same type (EP-03, EP-05)."""
    return {name: v for name, v in values.items() if name in old and name in new and old[name].type is new[name].type}


def edit(
    declared: Mapping[str, CadVariable],
    current: Mapping[str, str],
    changes: Mapping[str, str],
    *,
    is_by_agent: bool = True,
) -> dict[str, str]:
    """The values after one save. `editable` binds agents alone; types and lengths bind flows and integrations, too.

    All or nothing (CAD-06): raises CadRefused with every problem, and nothing is written.
    """
    problems: dict[str, str] = {}
    new = dict(current)
    for name, text in changes.items():
        variable = declared.get(name)
        if variable is None:
            problems[name[:64]] = "not declared"
        elif is_by_agent and not variable.editable:
            problems[name] = "not editable"
        else:
            try:
                new[name] = canonical(variable, text)
            except ValueError as error:
                problems[name] = str(error)
    if problems:
        raise CadRefused(problems=problems)
    return new


def shown(declared: Mapping[str, CadVariable]) -> list[CadVariable]:
    """The variables on the agent's form: the first 30 in the configured order (CAD-03, A17)."""
    ordered = sorted((v for v in declared.values() if v.shown), key=lambda v: (v.order, v.name))
    return ordered[:MAX_SHOWN]


def masked(declared: Mapping[str, CadVariable], values: Mapping[str, str]) -> dict[str, str]:
    """Values as logs, events and webhooks may carry them: secure ones masked, undeclared ones too (CAD-05)."""
    return {name: value if name in declared and not declared[name].secure else MASK for name, value in values.items()}


def excerpt(declared: Mapping[str, CadVariable], values: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The values of these names as events and refusals may carry them; what has no value is empty."""
    return {name: masked(declared, {name: values[name]})[name] if values.get(name) else "" for name in names}


def form(variables: Iterable[CadVariable], values: Mapping[str, str]) -> list[dict[str, object]]:
    """Rows for an offer or a desktop: name, label, type, editable, secure and the value, masked where secure."""
    return [
        {
            "name": v.name,
            "label": v.label,
            "type": v.type.value,
            "editable": v.editable,
            "secure": v.secure,
            "value": MASK if v.secure and values.get(v.name) else values.get(v.name, ""),
        }
        for v in variables
    ]
