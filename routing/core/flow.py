"""Flows as values: what a caller meets before an agent is there, as steps with named exits (FLOW-01).

The configuration is checked before it gets here (`dialplan.flows`); `routing.core.flow_machine` runs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.declarations import CadVariable, Requirement


class StepKind(StrEnum):
    """What a step does; the names are those of the configuration (`do = "menu"`)."""

    PLAY = "play"
    MENU = "menu"
    COLLECT = "collect"
    SET = "set"
    CONDITION = "condition"
    HOURS = "hours"
    LOOK_UP = "look_up"
    QUEUE = "queue"
    CALLBACK = "callback"
    VOICEMAIL = "voicemail"
    TRANSFER = "transfer"
    SUB_FLOW = "sub_flow"
    END_SUB_FLOW = "end_sub_flow"
    HANG_UP = "hang_up"
    RETURN = "return"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """Exits of a kind of step: those that must lead somewhere, and those that may.

    `keys`: the digits 0-9, `*` and `#` are further exits. `named`: and so are names that the flow gives itself.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    keys: bool = False
    named: bool = False


# An optional exit that leads nowhere: `failed` and the outcomes of a queue follow the queue's overflow, else the call
# goes back to the dialplan with the result `unavailable`, or that of the queue; every other one is as `next`.
EXITS: dict[StepKind, Exits] = {
    StepKind.PLAY: Exits(required=("next",)),
    StepKind.MENU: Exits(optional=("no_input", "invalid"), keys=True),
    StepKind.COLLECT: Exits(required=("next",), optional=("failed",)),
    StepKind.SET: Exits(required=("next",)),
    StepKind.CONDITION: Exits(required=("yes", "no")),
    StepKind.HOURS: Exits(required=("open", "closed"), optional=("holiday",)),
    StepKind.LOOK_UP: Exits(required=("next",), optional=("failed",)),
    StepKind.QUEUE: Exits(optional=("timeout", "full", "no_agents", "no_skills", "closed")),
    StepKind.CALLBACK: Exits(optional=("accepted", "declined", "not_possible")),
    StepKind.VOICEMAIL: Exits(optional=("recorded", "empty")),
    StepKind.TRANSFER: Exits(optional=("failed",)),
    StepKind.SUB_FLOW: Exits(named=True),
    StepKind.END_SUB_FLOW: Exits(),
    StepKind.HANG_UP: Exits(),
    StepKind.RETURN: Exits(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPart:
    """One piece of what is played; exactly one of the three is given.

    `prompt`: id of a prompt. `number`: a value that is spoken as a number ("fourteen"), `digits`: digit by digit ("one
    four"); both are names of values (see `routing.core.flow_values`), e.g. `position`, `ewt_min`, `cad.account`.
    """

    prompt: str = ""
    number: str = ""
    digits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitInput:
    """What keys a menu or a collect step takes. `timeout_s`: until the first digit, `next_s`: between digits.

    `attempts`: how often the prompts are played in all. Collect: `min_digits` to `max_digits`, `#` ends earlier.
    """

    min_digits: int = 1
    max_digits: int = 1
    timeout_s: int = 5
    next_s: int = 3
    attempts: int = 3


class Comparison(StrEnum):
    IS = "is"
    IS_NOT = "is_not"
    ONE_OF = "one_of"
    ABOVE = "above"
    BELOW = "below"
    STARTS_WITH = "starts_with"
    IS_SET = "is_set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One comparison of a condition. `value`: name of a value; `to`: what it is compared with, several for `one_of`.

    `above` and `below` compare numbers and are false where one side is none; a value that is not there is empty.
    """

    __test__ = False  # not one of pytest's

    value: str
    comparison: Comparison
    to: tuple[str, ...] = ()


class LookUpSource(StrEnum):
    """`http`: a request to a CRM. `last_agent`: who last talked with this caller, from the history."""

    HTTP = "http"
    LAST_AGENT = "last_agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpStep:
    """A question to the outside, with a deadline (FLOW-05).

    `url`, `body`: templates with `{name}` of values, escaped for their place; `body` empty: none. `headers`: plain
    values or `env:NAME`. `send`: names of the values that the templates use. `default`: CAD that is set when the answer
    is late or wrong. An answer is a JSON object: `cad`, `priority`, `requires`, `preferred_agent`, `language`.
    """

    source: LookUpSource = LookUpSource.HTTP
    method: str = "GET"
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    send: tuple[str, ...] = ()
    deadline_ms: int = 2000
    default: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One step; which fields matter is a question of `do`. `exits`: name -> id of the next step in the same flow.

    `prompts`: play, menu, collect, callback (its offer; none: nobody is asked), voicemail (its greeting), hang_up.
    `input`: menu, collect, callback (`accept_key`). `invalid_prompts`: before the next attempt. `into`: CAD variable of
    collect.
    `cad`, `priority`, `requires`, `language`, `preferred_agent`, `preferred_wait_s`: what set and queue change; values
    of `cad` and `preferred_agent` are templates. `any_of`: the tests of a condition are alternatives.
    `queue`: of queue, callback, voicemail. `agent`, `number`, `entry_point`: of transfer, exactly one.
    `flow`: of sub_flow; `exit`: of end_sub_flow. `result`: text for SR_REASON of return. `max_s`, `silence_s`:
    of voicemail.
    """

    id: str
    do: StepKind
    exits: dict[str, str] = field(default_factory=dict)
    prompts: tuple[PromptPart, ...] = ()
    invalid_prompts: tuple[PromptPart, ...] = ()
    input: DigitInput = DigitInput()
    into: str = ""
    cad: dict[str, str] = field(default_factory=dict)
    priority: int | None = None
    requires: Requirement | None = None
    language: str = ""
    preferred_agent: str = ""
    preferred_wait_s: int | None = None
    tests: tuple[Test, ...] = ()
    any_of: bool = False
    hours: str = ""
    look_up: LookUpStep | None = None
    queue: str = ""
    accept_key: str = "1"
    agent: str = ""
    number: str = ""
    entry_point: str = ""
    flow: str = ""
    exit: str = ""
    result: str = ""
    max_s: int = 120
    silence_s: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """`cad`: variables that the flow declares, over those of the tenant and under those of its entry point."""

    id: str
    start: str
    steps: dict[str, FlowStep]
    cad: tuple[CadVariable, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """`files`: language -> sound. `sound:NAME` is one of the PBX's own, else a file below its `prompts` directory.

    No ending: both PBXs play the `.wav` of that name (8 kHz, mono, 16 bit).
    """

    id: str
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPlace:
    """A step of a flow."""

    flow: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPosition:
    """Where a call is in its flow, kept while it waits in a queue for the exits of that step.

    `back`: where the flows that called this one go on, innermost last. `attempt`: of the running step, from 1.
    `steps_run`: since the flow last waited for anything; a flow that runs in circles is stopped.
    """

    flow: str
    step: str
    back: tuple[FlowPlace, ...] = ()
    attempt: int = 1
    steps_run: int = 0
    since_ms: int = 0
