"""Every kind of step with its keys and exits, for docs/flows.md."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

from pydantic import BaseModel

from dialplan.flows.ways import leads_on_by_next
from routing.app.config.flow_models import STEP_MODELS, StepTable, TestTable
from routing.app.config.prompt_models import PartTable
from routing.cli.reference_config import rows
from routing.core.flow import EXITS, StepKind

# What becomes of a caller where an exit leads nowhere.
_NOWHERE = {
    StepKind.MENU: "`no_input` and `invalid` go on by each other, else by `next`, else back to the dialplan",
    StepKind.COLLECT: "`failed`: back to the dialplan with `SR_RESULT=unavailable`",
    StepKind.HOURS: "`holiday`: as `closed`",
    StepKind.LOOK_UP: "`failed`: as `next`",
    StepKind.QUEUE: "the queue's `overflow` of that cause applies, else back to the dialplan with that `SR_RESULT`",
    StepKind.CALLBACK: "`accepted`: hung up; the others: back to the dialplan with `SR_RESULT=unavailable`",
    StepKind.VOICEMAIL: "hung up",
    StepKind.TRANSFER: "`failed`: back to the dialplan with `SR_RESULT=unavailable`",
}


def steps() -> str:
    """One heading and table per kind of step."""
    return "\n".join(line for kind in StepKind for line in _step(kind))


def parts() -> str:
    """The tables within steps."""
    return "\n".join([*_table("A piece of `prompts`", PartTable), *_table("A test of a `condition`", TestTable)])


def _step(kind: StepKind) -> Iterator[str]:
    model = STEP_MODELS[kind.value]
    yield f"### `{kind.value}`\n"
    yield f"{cleandoc(model.__doc__ or '')}\n"
    yield f"Exits: {'; '.join(_exits(kind)) or 'none'}.\n"
    if kind in _NOWHERE:
        yield f"Where an exit leads nowhere: {_NOWHERE[kind]}.\n"
    keys = list(rows(model, without={"do", *StepTable.model_fields}))
    if keys:
        yield "| key | type | default | meaning |"
        yield "|---|---|---|---|"
        yield from keys
        yield ""


def _exits(kind: StepKind) -> Iterator[str]:
    exits = EXITS[kind]
    if exits.required:
        yield ", ".join(f"`{name}`" for name in exits.required) + " (must lead somewhere)"
    if exits.keys:
        yield "the keys `0` to `9`, `*` and `#`, at least one"
    if exits.optional:
        yield ", ".join(f"`{name}`" for name in exits.optional)
    if exits.named:
        yield "those that its flow ends with"
    if leads_on_by_next(kind):
        yield "`next`, for all that have no step of their own"


def _table(heading: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"### {heading}\n"
    yield f"{cleandoc(model.__doc__ or '')}\n"
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    yield from rows(model)
    yield ""
