"""Every key of the configuration files, from the models that read them."""

from __future__ import annotations

import types
from collections.abc import Collection, Iterator
from enum import Enum
from inspect import cleandoc
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from routing.app.config.flow_models import STEP_MODELS
from routing.app.config.models import KEYED, SINGLE
from routing.app.config.scalars import CAD_NAME_PATTERN, ID_PATTERN

_PLAIN = {str: "text", int: "integer", float: "number", bool: "true or false"}
_KNOWN_PATTERNS = {ID_PATTERN: "id", CAD_NAME_PATTERN: "CAD name"}
_ORDER = (
    "server",
    "api",
    "desk",
    "recordings",
    "retention",
    "lists",
    "webhooks",
    "pbx",
    "skills",
    "teams",
    "profiles",
    "agents",
    "supervisors",
    "queues",
    "entry_points",
    "cad",
    "hours",
    "prompts",
    "speech",
    "flows",
    "callbacks",
    "campaigns",
    "responses",
    "calls",
    "numbers",
    "outdial",
    "limits",
    "reasons",
)


_NAMES = {"PartTable": "prompt", "TestTable": "test"}
_KEYS = {"on_miss": "CAUSE", "retries": "RESULT", "overflow": "CAUSE"}
# Described where they are part of everything else: a variable has a section of its own, flows have a document.
_ELSEWHERE = frozenset({"CadTable", "PartTable", *(model.__name__ for model in STEP_MODELS.values())})


def sections() -> str:
    """One heading and table per section and per table within it."""
    return "\n".join(line for section in _ORDER for line in _section(section))


def _section(section: str) -> Iterator[str]:
    model = SINGLE.get(section) or KEYED[section]
    name = "cad" if section == "cad" else section
    heading = f"[{name}]" if section in SINGLE else f"[{name}.ID]"
    if section == "skills":
        yield "### `[skills]`\n"
        yield 'Every skill by its id, with its name for people: `english = "English"`.\n'
        return
    yield from _table(heading, model, set(_ELSEWHERE))


def _table(heading: str, model: type[BaseModel], seen: set[str]) -> Iterator[str]:
    """`seen`: names of models that are not described again."""
    yield f"### `{heading}`\n"
    yield f"{cleandoc(model.__doc__ or '')}\n"
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    yield from rows(model)
    inner: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        child = _model_in(field.annotation)
        if child is not None and child.__name__ not in seen:
            seen.add(child.__name__)
            inner.append((_inner(heading, name, field), child))
    yield ""
    for inner_heading, child in inner:
        yield from _table(inner_heading, child, seen)


def rows(model: type[BaseModel], without: Collection[str] = ()) -> Iterator[str]:
    """One row per key; `without`: keys that are left out."""
    for name, field in model.model_fields.items():
        if name not in without:
            yield f"| `{field.alias or name}` | {_type(field)} | {_default(field)} | {field.description} |"


def _inner(heading: str, name: str, field: FieldInfo) -> str:
    """Heading of a table within a table."""
    path = f"{heading.strip('[]')}.{name}"
    if get_origin(field.annotation) is list:
        return f"[[{path}]]"
    return f"[{path}.{_KEYS.get(name, 'KEY')}]" if get_origin(field.annotation) is dict else f"[{path}]"


def _type(field: FieldInfo) -> str:
    words, limits = _words(field.annotation), _limits(list(field.metadata))
    return f"{words}{', ' + limits if limits else ''}".replace("|", "\\|")


def _words(type_: Any) -> str:
    """A type as a person would say it."""
    origin, args = get_origin(type_), get_args(type_)
    if origin is Annotated:
        words, limits = _words(args[0]), _limits(list(args[1:]))
        return next((_KNOWN_PATTERNS[m] for m in _patterns(args[1:]) if m in _KNOWN_PATTERNS), None) or (
            f"{words} {limits}" if limits else words
        )
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_words(arg) for arg in args if arg is not type(None)))
    if origin is dict:
        return f"table: {_words(args[0])} -> {_words(args[1])}"
    if origin is Literal:
        return ", ".join(f"`{_toml(value) if isinstance(value, bool) else value}`" for value in args)
    if origin is list:
        return f"list of {_words(args[0])}"
    if isinstance(type_, type) and issubclass(type_, Enum):
        return ", ".join(f"`{member.value}`" for member in type_)
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return _NAMES.get(type_.__name__, "table")
    return _PLAIN.get(type_, str(type_))


def _patterns(metadata: Any) -> Iterator[str]:
    for item in metadata:
        if pattern := getattr(item, "pattern", None):
            yield str(pattern)


def _limits(metadata: list[Any]) -> str:
    """Ranges and lengths, from the constraint objects."""
    flat = [part for item in metadata for part in (item.metadata if isinstance(item, FieldInfo) else [item])]
    low = next((part.ge for part in flat if getattr(part, "ge", None) is not None), None)
    high = next((part.le for part in flat if getattr(part, "le", None) is not None), None)
    if low is not None and high is not None:
        return f"{low}-{high}"
    if low is not None:
        return f"at least {low}"
    return ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None or field.default is PydanticUndefined:
        return "empty"
    if field.default is None:
        return "none"
    value = field.default.value if isinstance(field.default, Enum) else field.default
    return f"`{_toml(value)}`"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _model_in(type_: Any) -> type[BaseModel] | None:
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return type_
    return next((model for arg in get_args(type_) if (model := _model_in(arg)) is not None), None)
