"""What happens in a call that is played, as lines for people and as its outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dialplan.flows.outcome import Outcome, Visit
from routing.core.commands import PlayPrompts
from routing.core.config import Config
from routing.core.effects import Effects
from routing.core.events import Event, EventType
from routing.core.flow_position import leads_to
from routing.core.interaction import WAITING, Interaction
from routing.core.world import World

WORD_MS = 350
SOUND_MS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`kind`: call, step, says, key, queue, message, end. `text` is for people."""

    at_ms: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Where the caller is asked for keys, or a program for an answer: its names, the plainest first."""

    names: tuple[str, ...]


class Transcript:
    """Reads what the core tells. `texts`: what a prompt says, by (id, language)."""

    def __init__(self, config: Config, texts: Mapping[tuple[str, str], str], tell: Callable[[Line], None]) -> None:
        self._config, self._texts, self._tell = config, texts, tell
        self._phones = {agent.phone for agent in config.agents.values()}
        self._sounds = {
            "/" + file if not file.startswith("sound:") else file.removeprefix("sound:"): (prompt.id, language)
            for prompt in config.prompts.values()
            for language, file in sorted(prompt.files.items(), reverse=True)
        }
        self._id = ""
        self._path: list[Visit] = []
        self._heard: list[str] = []
        self._reason = ""
        self._began_ms = 0
        self._seen: dict[str, Any] = {"queue": "", "agent": "", "callback": False, "message": False}
        self._ended: Interaction | None = None
        self._refused: Event | None = None

    @property
    def is_over(self) -> bool:
        return self._ended is not None or self._refused is not None

    def now(self, world: World) -> Interaction | None:
        return world.state.interactions.get(self._id)

    def is_agents(self, phone: str) -> bool:
        return phone in self._phones

    def says(self, at_ms: int, kind: str, text: str) -> None:
        self._tell(Line(at_ms=at_ms, kind=kind, text=text))

    def arrives(self, at_ms: int, entry_point: str, ani: str) -> None:
        self._began_ms = at_ms
        self.says(at_ms, "call", f"{ani or 'somebody'} calls entry point {entry_point}")

    def place(self, interaction: Interaction) -> Asked:
        """Where he is: in a step, or waiting in a queue."""
        if interaction.state in WAITING:
            return Asked(names=(f"queue.{interaction.queue}",))
        at = interaction.flow
        return Asked(names=(at.step, f"{at.flow}.{at.step}") if at else ())

    def plays(self, command: PlayPrompts, now_ms: int, interaction: Interaction | None) -> int:
        """Tell what is played to the caller; how long it takes, ms."""
        is_his = interaction is not None and interaction.id == command.interaction_id
        at_ms, values = now_ms, list[str]()
        for sound in (*command.prompts, ""):
            prompt, language = self._sounds.get(sound, ("", ""))
            if values and (prompt or not sound):
                self.says(at_ms - SOUND_MS * len(values), "says", " ".join(values))
                values = []
            text = self._texts.get((prompt, language), "")
            if is_his and prompt:
                self.says(at_ms, "says", f'{prompt}: "{text}"' if text else prompt)
            elif is_his and sound:
                values.append(sound.rpartition("/")[2])
            if is_his and sound:
                self._heard.append(prompt or sound)
            at_ms += max(SOUND_MS, WORD_MS * len(text.split())) if sound else 0
        return at_ms - now_ms

    def returned(self, variables: Mapping[str, str]) -> None:
        """The dialplan has the caller again."""
        self._reason = variables.get("SR_REASON", self._reason)

    def read(self, effects: Effects) -> None:
        """Every event of one step of the core."""
        for event in effects.events:
            if not self._id and event.type is EventType.INTERACTION_ARRIVED:
                self._id = event.interaction_id
            if not self._id and event.type is EventType.INTERACTION_ENDED and not event.interaction_id:
                self._refused = event
                self.says(event.at_ms, "end", f"not taken: {event.values.get('result', '')}")
            is_his = self._id in (event.interaction_id, event.values.get("origin_id"))
            if is_his and self._id and (read := _READERS.get(event.type)):
                read(self, event)
        if self._id in effects.ended:
            self._ended = effects.ended[self._id]

    def outcome(self) -> Outcome:
        """Of a call that is over."""
        common = {"path": tuple(self._path), "heard": tuple(self._heard), "reason": self._reason} | self._seen
        if self._ended is None:
            result = str(self._refused.values.get("result", "")) if self._refused else ""
            return Outcome(**common | {"result": result})
        ended = self._ended
        took_ms = (ended.ended_at_ms or self._began_ms) - self._began_ms
        return Outcome(
            **common,
            result=ended.result.value if ended.result else "",
            language=ended.language or self._config.language,
            cad=ended.cad,
            took_s=took_ms // 1000,
        )

    # ------------------------------------------------------------------ events

    def _entered(self, event: Event) -> None:
        flow, first = str(event.values["flow"]), str(event.values["step"])
        self.says(event.at_ms, "step", f"flow {flow}")
        self._path.append(Visit(flow=flow, step=first))

    def _left_step(self, event: Event) -> None:
        flow, name, exit_name = (str(event.values[key]) for key in ("flow", "step", "exit"))
        for number in range(len(self._path) - 1, -1, -1):
            if (self._path[number].flow, self._path[number].step) == (flow, name):
                self._path[number] = replace(self._path[number], exit=exit_name)
                break
        step = self._config.flows[flow].steps[name]
        target = leads_to(step, exit_name)
        self.says(
            event.at_ms, "step", f"{name}: {exit_name}" + (f" -> {target}" if target else ", which leads nowhere")
        )
        if target:
            self._path.append(Visit(flow=flow, step=target))

    def _queued(self, event: Event) -> None:
        self._seen["queue"] = event.queue
        self.says(event.at_ms, "queue", f"waits in queue {event.queue}")

    def _connected(self, event: Event) -> None:
        self._seen["agent"] = event.agent_id
        self.says(event.at_ms, "queue", f"talks with {event.agent_id or 'an outside number'}")

    def _overflowed(self, event: Event) -> None:
        what = ", ".join(f"{key} {value}" for key, value in event.values.items() if isinstance(value, str) and value)
        self.says(event.at_ms, "queue", f"leaves the queue: {what}")

    def _looked_up(self, event: Event) -> None:
        reason = str(event.values.get("reason", ""))
        self.says(event.at_ms, "step", f"look-up {event.values['outcome']}" + (f": {reason}" if reason else ""))

    def _callback(self, event: Event) -> None:
        self._seen["callback"] = True
        self.says(event.at_ms, "queue", "is called back later")

    def _no_callback(self, event: Event) -> None:
        self.says(event.at_ms, "queue", f"cannot be called back: {event.values.get('reason', '')}")

    def _message(self, event: Event) -> None:
        self._seen["message"] = True
        self.says(event.at_ms, "message", "his message waits for an agent")

    def _over(self, event: Event) -> None:
        if event.interaction_id != self._id:
            return
        self.says(event.at_ms, "end", f"the call ends: {event.values['result']}")


_READERS: dict[EventType, Callable[[Transcript, Event], None]] = {
    EventType.FLOW_ENTERED: Transcript._entered,
    EventType.FLOW_STEP: Transcript._left_step,
    EventType.FLOW_LOOKED_UP: Transcript._looked_up,
    EventType.INTERACTION_QUEUED: Transcript._queued,
    EventType.INTERACTION_CONNECTED: Transcript._connected,
    EventType.QUEUE_OVERFLOWED: Transcript._overflowed,
    EventType.CALLBACK_REQUESTED: Transcript._callback,
    EventType.CALLBACK_REFUSED: Transcript._no_callback,
    EventType.VOICEMAIL_LEFT: Transcript._message,
    EventType.INTERACTION_ENDED: Transcript._over,
}
