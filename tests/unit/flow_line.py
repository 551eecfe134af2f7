"""A caller in a flow, for tests of the pure core: flows in few words, and what the PBX says of its prompts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core.commands import LookUp, PlayPrompts, RecordMessage, ReturnLeg
from routing.core.config import Config, EntryPoint, Pbx
from routing.core.events import Event, EventType
from routing.core.facts import LookedUp, LookUpOutcome, MessageEnded, PromptOutcome, PromptsEnded
from routing.core.flow import Flow, FlowStep, Prompt, PromptPart, StepKind
from routing.core.interaction import Interaction
from tests.unit.core_driver import Driver, agent, config, queue

ANNA, BEN = "anna", "ben"
WORDS = ("welcome", "main_menu", "wrong", "enter_case", "sorry", "goodbye", "offer", "greeting")
TRUNK = Pbx(id="a", kind="simulated", dial="PJSIP/{number}@trunk", prompts="/prompts")


def say(*prompts: str) -> tuple[PromptPart, ...]:
    return tuple(PromptPart(prompt=name) for name in prompts)


def step(do: str, /, **fields: Any) -> FlowStep:
    """`next`, `key_1`, `no_input` and other exits by name; `prompts` as names of prompts."""
    known = set(FlowStep.__dataclass_fields__)
    exits = {name.removeprefix("key_"): to for name, to in fields.items() if name not in known}
    kept = {name: value for name, value in fields.items() if name in known}
    for name in ("prompts", "invalid_prompts"):
        if name in kept:
            kept[name] = tuple(p if isinstance(p, PromptPart) else PromptPart(prompt=p) for p in kept[name])
    return FlowStep(id="", do=StepKind(do), exits=exits, **kept)


def flow(flow_id: str = "main", /, *, language: str = "", cad: tuple[Any, ...] = (), **steps: FlowStep) -> Flow:
    """The first step is where it starts."""
    named = {name: replace(found, id=name) for name, found in steps.items()}
    return Flow(id=flow_id, start=next(iter(named)), steps=named, language=language, cad=cad)


def centre(*flows: Flow, **changes: Any) -> Config:
    """Entry point `main` runs the first flow; every further one has an entry point of its name."""
    points = changes.pop("entry_points", {})
    changes.setdefault("pbxs", {"a": TRUNK})
    base = config(
        changes.pop("agents", [agent(ANNA), agent(BEN)]),
        changes.pop("queues", [queue(), queue("service", priority=3)]),
        flows={f.id: f for f in flows},
        prompts={word: Prompt(id=word, files={"en": f"en/{word}", "de": f"de/{word}"}) for word in WORDS},
        **changes,
    )
    own = {f.id: EntryPoint(id=f.id, queue="", flow=f.id) for f in flows}
    return replace(base, entry_points=base.entry_points | own | points)


class Call:
    """A caller who has come in at `entry_point`. `ready`: the agents who are signed in."""

    def __init__(self, configuration: Config, *, entry_point: str = "main", ready: tuple[str, ...] = (), **fields: Any):
        self.d = Driver(configuration, ready=ready)
        seen = len(self.d.events)
        self.d.call(entry_point=entry_point, **fields)
        self.id = next(e.interaction_id for e in self.d.events[seen:] if e.type is EventType.INTERACTION_ARRIVED)

    @property
    def now(self) -> Interaction:
        return self.d.interaction(self.id)

    @property
    def is_over(self) -> bool:
        return self.id in self.d.ended

    @property
    def result(self) -> str:
        result = self.d.ended[self.id].result
        return result.value if result else ""

    @property
    def step(self) -> str:
        """The running step, and empty where no flow has it."""
        return self.now.flow.step if self.now.flow else ""

    # ------------------------------------------------------------------ what the PBX is asked, and says

    @property
    def plays(self) -> list[PlayPrompts]:
        return [c for c in self.d.commands if isinstance(c, PlayPrompts)]

    @property
    def heard(self) -> tuple[str, ...]:
        """What was asked to be played last."""
        return self.plays[-1].prompts

    def over(self, digits: str = "", outcome: PromptOutcome = PromptOutcome.FINISHED, *, after_s: float = 2) -> None:
        """The prompts that were asked for are over."""
        asked = self.now.asked_prompt
        assert asked is not None, "nothing is being played"
        self.d.now_ms += round(after_s * 1000)
        self.end(asked.command_id, digits, outcome)

    def end(self, command_id: str, digits: str = "", outcome: PromptOutcome = PromptOutcome.FINISHED) -> None:
        leg_id = self.plays[-1].leg_id
        self.d.give(PromptsEnded(pbx="a", leg_id=leg_id, command_id=command_id, outcome=outcome, digits=digits))

    def recorded(self, duration_ms: int) -> None:
        command = next(c for c in reversed(self.d.commands) if isinstance(c, RecordMessage))
        self.d.give(MessageEnded(pbx="a", leg_id=command.leg_id, command_id=command.id, duration_ms=duration_ms))

    @property
    def question(self) -> LookUp:
        return next(c for c in reversed(self.d.commands) if isinstance(c, LookUp))

    def answer(self, outcome: LookUpOutcome = LookUpOutcome.DONE, **fields: Any) -> None:
        asked = self.question
        fact = LookedUp(pbx=asked.pbx, interaction_id=self.id, command_id=asked.id, outcome=outcome, **fields)
        self.d.give(fact)

    # ------------------------------------------------------------------ what is told

    def told(self, type_: EventType) -> list[Event]:
        return [e for e in self.d.events if e.type is type_ and e.interaction_id == self.id]

    @property
    def exits(self) -> list[tuple[object, object]]:
        """Steps and the exits by which they were left, in order."""
        return [(e.values["step"], e.values["exit"]) for e in self.told(EventType.FLOW_STEP)]

    @property
    def given_back(self) -> ReturnLeg | None:
        return next((c for c in self.d.commands if isinstance(c, ReturnLeg)), None)
