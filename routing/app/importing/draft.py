"""The configuration that grows while a foreign one is read, in our terms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from routing.app.config.dial_strings import phone_mistake
from routing.app.importing.findings import Finding, Ledger
from routing.app.settings import PbxKind
from routing.core.config import AfterMiss, RonaCause, Strategy

MAX_RANK = 99
MAX_LEVEL = 10
MAX_RING_S = 300
DAY_S = 86_400
_MAX_ID = 60
_MAX_LABEL = 80
_MUSIC = re.compile(r"[A-Za-z0-9_]{2}[A-Za-z0-9_.-]{0,62}")


@dataclass(slots=True, kw_only=True)
class QueueDraft:
    """`on_miss`: what the agent becomes and how long the call skips him. `aging_per_min` None: our default."""

    id: str
    label: str
    strategy: Strategy = Strategy.LONGEST_IDLE
    requires: dict[str, int] = field(default_factory=dict)
    relaxation: list[tuple[int, dict[str, int]]] = field(default_factory=list)
    priority: int = 5
    aging_per_min: int | None = None
    ring_timeout_s: int = 20
    on_miss: dict[RonaCause, tuple[AfterMiss, int]] = field(default_factory=dict)
    wrap_up_s: int = 0
    max_wait_s: int | None = None
    max_waiting: int | None = None
    leave_when_no_agents: bool = False
    music: str = "default"
    is_recorded: bool = False


@dataclass(slots=True, kw_only=True)
class AgentDraft:
    """`source`: his name there. `why_not`: why he cannot be taken as he is; he is then written as a comment."""

    id: str
    name: str
    phone: str
    source: str
    queues: dict[str, int] = field(default_factory=dict)
    skills: dict[str, int] = field(default_factory=dict)
    order: int = 0
    pin: str = ""
    is_recorded: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """An agent's place in a queue: `place` is compared, lowest first, before the strategy decides."""

    queue: str
    agent: str
    place: tuple[int, ...]


@dataclass(slots=True, kw_only=True)
class Imported:
    """What is written. `source`: the file that it came from."""

    source: str
    pbx: PbxKind
    queues: dict[str, QueueDraft] = field(default_factory=dict)
    agents: dict[str, AgentDraft] = field(default_factory=dict)
    skills: dict[str, str] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def findings(self) -> list[Finding]:
        """In the order of files and lines."""
        return sorted(self.ledger.findings, key=lambda f: (f.file, f.line))


class Ids:
    """Names as ids of ours: what cannot stand in an id is left out, and no two become the same."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def make(self, name: str, otherwise: str) -> str:
        """`support@default` -> `support`; `otherwise` where nothing of the name is left."""
        base = re.sub(r"[^a-z0-9_.-]+", "-", name.partition("@")[0].lower()).strip("-_.")[:_MAX_ID] or otherwise
        found, number = base, 1
        while found in self._taken:
            number += 1
            found = f"{base[: _MAX_ID - 8]}-{number}"
        self._taken.add(found)
        return found


def label(name: str) -> str:
    """A name for people, without what no screen can show."""
    clean = re.sub(r"[\x00-\x1f\x7f]+", " ", name).strip()
    return clean[:_MAX_LABEL].strip() or "?"


def is_phone(kind: PbxKind, text: str) -> bool:
    """Whether it is the whole address of a telephone there."""
    return "/" in text and not phone_mistake(kind, text)


def is_music(text: str) -> bool:
    return _MUSIC.fullmatch(text) is not None


def most_common(values: Iterable[int]) -> int | None:
    """The value that most have, the lowest of several; None where there is none."""
    counted = Counter(values)
    return min(counted, key=lambda value: (-counted[value], value)) if counted else None


def skip_s(least: int, draft: QueueDraft, members: int, *, goes_on: bool) -> int:
    """How long a call passes over who missed it: `least`, or for one round of the others. 0 would be for ever."""
    return min(DAY_S, max(1, least, (members - 1) * draft.ring_timeout_s if goes_on else 0))


def give_ranks(imported: Imported, seats: Iterable[Seat]) -> dict[str, int]:
    """Ranks 1, 2, ... in the order of the places. Returns the number of places of the queues that have too many.

    There the last rank is shared, and `order` parts those who share it as far as one number per agent can.
    """
    by_queue: dict[str, list[Seat]] = {}
    for seat in seats:
        by_queue.setdefault(seat.queue, []).append(seat)
    crowded = {}
    for queue, members in by_queue.items():
        places = sorted({seat.place for seat in members})
        rank_of = {place: rank for rank, place in enumerate(places, start=1)}
        for seat in members:
            agent = imported.agents[seat.agent]
            agent.queues[queue] = min(rank_of[seat.place], MAX_RANK)
            if len(places) > MAX_RANK:
                agent.order = rank_of[seat.place]
        if len(places) > MAX_RANK:
            crowded[queue] = len(places)
            if len(places[0]) > 1:
                imported.queues[queue].strategy = Strategy.LINEAR
    return crowded


def let_in_later(imported: Imported, queue: str, wait_of: dict[str, int]) -> int:
    """Agents who are let in only after so many seconds of a call's waiting: a skill and relaxation steps.

    `wait_of`: seconds for each agent of the queue. Returns how many distinct waits did not fit; their agents are let
    in with the last that did.
    """
    waits = sorted({min(seconds, DAY_S) for seconds in wait_of.values()})
    if not waits or waits == [0]:
        return 0
    is_late = waits[0] > 0  # nobody is let in at first: the first requirement is a level that nobody has
    kept = waits[: MAX_LEVEL - is_late]
    level_of = {seconds: len(kept) - index for index, seconds in enumerate(kept)}
    skill = f"in-{queue}"
    imported.skills[skill] = label(f"Tier in {queue}")
    draft = imported.queues[queue]
    draft.requires = {skill: len(kept) + is_late}
    draft.relaxation = [(seconds, {skill: level_of[seconds]}) for seconds in kept if seconds]
    for agent, seconds in wait_of.items():
        imported.agents[agent].skills[skill] = level_of[min(seconds, kept[-1])]
    return len(waits) - len(kept)


def share_recording(imported: Imported) -> list[str]:
    """Agents of whom every queue is recorded are. Returns those of whom only some are: they are not."""
    mixed = []
    for agent in imported.agents.values():
        recorded = {imported.queues[queue].is_recorded for queue in agent.queues}
        agent.is_recorded = recorded == {True}
        if len(recorded) > 1:
            mixed.append(agent.id)
    return mixed
