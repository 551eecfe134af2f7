"""The table of a flow: its variables and its steps, one model per kind of step."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from routing.app.config.cad_models import CadTable
from routing.app.config.prompt_models import Language, Parts, ValueName
from routing.app.config.scalars import CadName, Id, Key, Number, PlainText, Priority, Skills, Table

Template = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
SomeParts = Annotated[Parts, Field(min_length=1)]
EXIT_PATTERN = r"^([0-9*#]|[a-z][a-z0-9_]{0,31})$"
ExitName = Annotated[str, StringConstraints(pattern=EXIT_PATTERN)]
MAX_COMPARED = 100
# Scheme and host are the administrator's alone: no placeholder, no user name.
URL_PATTERN = r"^https?://[A-Za-z0-9.:\[\]-]+([/?#][!-~]*)?$"


def _text(value: Any) -> Any:
    """A value as the text that it is for the core: CAD and comparisons are texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Compared = Annotated[PlainText, BeforeValidator(_text)]
Assigned = Annotated[Template, BeforeValidator(_text)]


class StepTable(Table):
    """What all steps have."""

    next: Id | None = Field(default=None, description="Next step: short for `exits = { next = ... }`")
    exits: dict[ExitName, Id] = Field(default_factory=dict, description="Next step by exit")

    @model_validator(mode="after")
    def _one_next(self) -> StepTable:
        if self.next is not None and "next" in self.exits:
            raise ValueError("next is given twice: by itself and among exits")
        return self


class KeysTable(StepTable):
    """How keys are waited for."""

    invalid_prompts: Parts = Field(default_factory=list, description="Played after a wrong key, before `prompts`")
    timeout_s: int = Field(default=5, ge=1, le=60, description="Seconds after the prompts until the first key")
    attempts: int = Field(default=3, ge=1, le=10, description="How often the prompts are played in all")


class ChangesTable(StepTable):
    """What a step may change of the call."""

    cad: dict[CadName, Assigned] = Field(
        default_factory=dict, description='CAD by name, with `{name}` of values: `{ topic = "bill {cad.invoice}" }`'
    )
    priority: Priority | None = Field(default=None, description="Priority of the call")
    requires: Skills | None = Field(default=None, description="Skills with minimum levels, in place of the queue's")
    language: Language | None = Field(default=None, description="Language of what is played from now on")
    preferred_agent: Template | None = Field(default=None, description="Agent to wait for first: his id, with `{name}`")
    preferred_wait_s: int | None = Field(
        default=None, ge=0, le=3600, description="Seconds to wait for him; not given: as the queue says"
    )


class PlayStep(StepTable):
    """Plays prompts."""

    do: Literal["play"] = Field(description="`play`")
    prompts: SomeParts = Field(description="What is played")


class MenuStep(KeysTable):
    """Plays prompts and goes on by the key that is pressed."""

    do: Literal["menu"] = Field(description="`menu`")
    prompts: SomeParts = Field(description="What is played")


class CollectStep(KeysTable):
    """Takes digits into a CAD variable."""

    do: Literal["collect"] = Field(description="`collect`")
    prompts: SomeParts = Field(description="What is played")
    into: CadName = Field(description="CAD variable that gets the digits")
    min_digits: int = Field(default=1, ge=1, le=64, description="Fewest digits")
    max_digits: int = Field(default=64, ge=1, le=64, description="Most digits; `#` ends earlier")
    between_s: int = Field(default=3, ge=1, le=30, description="Seconds between keys")

    @model_validator(mode="after")
    def _range(self) -> CollectStep:
        if self.min_digits > self.max_digits:
            raise ValueError(f"nothing has {self.min_digits} digits or more and at most {self.max_digits}")
        return self


class SetStep(ChangesTable):
    """Changes the call."""

    do: Literal["set"] = Field(description="`set`")


class TestTable(Table):
    """One comparison: the name of a value, and what it is compared with."""

    __test__ = False  # not one of pytest's

    value: ValueName = Field(description="Name of a value, e.g. `cad.tier`, `ewt_s`")
    is_: Compared | None = Field(default=None, alias="is", description="It is this")
    is_not: Compared | None = Field(default=None, description="It is not this")
    one_of: Annotated[list[Compared], Field(min_length=1, max_length=MAX_COMPARED)] | None = Field(
        default=None, description="It is one of these"
    )
    above: Compared | None = Field(default=None, description="It is a number above this one")
    below: Compared | None = Field(default=None, description="It is a number below this one")
    starts_with: Compared | None = Field(default=None, description="It starts with this")
    is_set: Literal[True] | None = Field(default=None, description="`true`: it is there and not empty")

    @model_validator(mode="after")
    def _one(self) -> TestTable:
        names = [name for name in type(self).model_fields if name != "value"]
        if sum(getattr(self, name) is not None for name in names) != 1:
            raise ValueError(f"give one of {', '.join(names).replace('is_,', 'is,')}")
        return self


class ConditionStep(StepTable):
    """Goes on by `yes` or `no`."""

    do: Literal["condition"] = Field(description="`condition`")
    all: list[TestTable] = Field(
        default_factory=list,
        max_length=20,
        description='Tests that must all hold: `[{ value = "ewt_s", above = 300 }]`',
    )
    any: list[TestTable] = Field(default_factory=list, max_length=20, description="Or tests of which one must hold")

    @model_validator(mode="after")
    def _one(self) -> ConditionStep:
        if bool(self.all) == bool(self.any):
            raise ValueError("give one of all, any, with at least one test")
        return self


class HoursStep(StepTable):
    """Goes on by opening hours."""

    do: Literal["hours"] = Field(description="`hours`")
    hours: Id = Field(description="Id of opening hours")


class LookUpTable(StepTable):
    """Asks a program, or the history, about the caller."""

    do: Literal["look_up"] = Field(description="`look_up`")
    source: Literal["http", "last_agent"] = Field(
        default="http", description="`http`: a request; `last_agent`: who talked with this caller last is preferred"
    )
    method: Literal["GET", "POST", "PUT"] = Field(default="GET", description="Method of the request")
    url: Annotated[str, StringConstraints(max_length=1000, pattern=URL_PATTERN)] | None = Field(
        default=None, description="Address with `{name}` of values, percent-encoded: `https://crm.example/by/{ani}`"
    )
    headers: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")], PlainText] = Field(
        default_factory=dict, description="Headers; `env:NAME` takes the value from the environment"
    )
    body: Template = Field(default="", description="JSON with `{name}` of values, escaped for a JSON text; empty: none")
    deadline_ms: int = Field(default=2000, ge=100, le=30_000, description="Milliseconds after which the flow goes on")
    default: dict[CadName, Assigned] = Field(
        default_factory=dict, description="CAD that is set when the answer is late or wrong"
    )

    @model_validator(mode="after")
    def _address(self) -> LookUpTable:
        if self.source == "http" and self.url is None:
            raise ValueError("url is required")
        if self.source != "http" and {"url", "body", "headers", "method"} & self.model_fields_set:
            raise ValueError("url, method, headers and body have no meaning without source = 'http'")
        if self.body and self.method == "GET":
            raise ValueError("body has no meaning with method = 'GET'")
        return self


class QueueStep(ChangesTable):
    """Waits in a queue for an agent."""

    do: Literal["queue"] = Field(description="`queue`")
    queue: Id = Field(description="Id of the queue")


class CallbackStep(StepTable):
    """Offers to call back instead of waiting."""

    do: Literal["callback"] = Field(description="`callback`")
    queue: Id = Field(description="Queue in which the callback waits")
    prompts: Parts = Field(
        default_factory=list, description="The offer; none: he is called back without being asked, e.g. behind a menu"
    )
    accept_key: Key = Field(default="1", description="Key that accepts it; any other one declines")
    timeout_s: int = Field(default=5, ge=1, le=60, description="Seconds after the prompts until the key")
    attempts: int = Field(default=1, ge=1, le=10, description="How often the offer is played in all")


class VoicemailStep(StepTable):
    """Records a message, which then waits for an agent."""

    do: Literal["voicemail"] = Field(description="`voicemail`")
    queue: Id = Field(description="Queue in which the message waits")
    prompts: Parts = Field(default_factory=list, description="The greeting")
    max_s: int = Field(default=120, ge=5, le=1800, description="Seconds of a message at most")
    silence_s: int = Field(default=5, ge=1, le=30, description="Seconds of silence that end it")


class TransferStep(StepTable):
    """Sends the caller to an agent, an outside number or an entry point; give one of the three."""

    do: Literal["transfer"] = Field(description="`transfer`")
    agent: Id | None = Field(default=None, description="Id of the agent")
    number: Number | None = Field(default=None, description="Outside number")
    entry_point: Id | None = Field(default=None, description="Id of the entry point")

    @model_validator(mode="after")
    def _one(self) -> TransferStep:
        if sum(target is not None for target in (self.agent, self.number, self.entry_point)) != 1:
            raise ValueError("give one of agent, number, entry_point")
        return self


class SubFlowStep(StepTable):
    """Runs another flow and goes on by the exit that it ends with."""

    do: Literal["sub_flow"] = Field(description="`sub_flow`")
    flow: Id = Field(description="Id of the flow")


class EndSubFlowStep(StepTable):
    """Ends a sub-flow: the flow that ran it goes on by this exit."""

    do: Literal["end_sub_flow"] = Field(description="`end_sub_flow`")
    exit: ExitName = Field(default="next", description="Name of the exit")


class HangUpStep(StepTable):
    """Plays prompts and hangs up."""

    do: Literal["hang_up"] = Field(description="`hang_up`")
    prompts: Parts = Field(default_factory=list, description="What is played before")


class ReturnStep(StepTable):
    """Gives the caller back to the dialplan."""

    do: Literal["return"] = Field(description="`return`")
    result: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{0,64}$")] = Field(
        default="", description="Text that the dialplan finds in `SR_REASON`"
    )


Step = (
    PlayStep
    | MenuStep
    | CollectStep
    | SetStep
    | ConditionStep
    | HoursStep
    | LookUpTable
    | QueueStep
    | CallbackStep
    | VoicemailStep
    | TransferStep
    | SubFlowStep
    | EndSubFlowStep
    | HangUpStep
    | ReturnStep
)


STEP_MODELS: dict[str, type[StepTable]] = {
    get_args(model.model_fields["do"].annotation)[0]: model for model in get_args(Step)
}


class FlowTable(Table):
    """What callers of an entry point go through before an agent is there; the table's name is its id."""

    start: Id = Field(description="Id of the first step")
    language: Language | None = Field(default=None, description="Language of its prompts; not given: as before it")
    cad: dict[CadName, CadTable] = Field(
        default_factory=dict, description="Variables of its calls, over those of the tenant"
    )
    steps: Annotated[dict[Id, Annotated[Step, Field(discriminator="do")]], Field(min_length=1, max_length=500)] = Field(
        description="Steps by id; what `do` may be, and the keys of each kind, is said in docs/flows.md"
    )
