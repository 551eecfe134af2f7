"""Builders of the core's values for tests: sensible defaults, every field can be given by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from routing.core.config import AgentConfig, Config, EntryPoint, Pbx, Profile, Queue, RelaxationStep, WrapUp
from routing.core.declarations import Requirement
from routing.core.facts import LegArrived

PBX = "pbx1"


def requirement(**levels: int) -> Requirement:
    """`requirement(spanish=5)`: skill names and minimum levels, sorted as the core wants them."""
    return tuple(sorted(levels.items()))


def queue(queue_id: str = "sales", **changes: Any) -> Queue:
    return replace(Queue(id=queue_id, label=queue_id.title()), **changes)


def relaxation(after_s: int, **levels: int) -> RelaxationStep:
    return RelaxationStep(after_s=after_s, requires=requirement(**levels))


def wrap_up(timeout_s: int | None = 10, **changes: Any) -> WrapUp:
    return replace(WrapUp(timeout_s=timeout_s, default_reason="done"), **changes)


def agent(
    agent_id: str = "agt_anna", *queues: str, skills: dict[str, int] | None = None, **changes: Any
) -> AgentConfig:
    """A member of `queues` (default: sales), each with rank 1."""
    base = AgentConfig(
        id=agent_id,
        name=agent_id.removeprefix("agt_").title(),
        team="team",
        pbx=PBX,
        phone=f"SIM/{agent_id.removeprefix('agt_')}",
        skills=requirement(**(skills or {})),
        queues=tuple((name, 1) for name in queues or ("sales",)),
    )
    return replace(base, **changes)


def config(agents: Iterable[AgentConfig] = (), queues: Iterable[Queue] = (), **changes: Any) -> Config:
    """A tenant on one simulated PBX with an entry point of the same name for each queue (numbers 7001, 7002, ...)."""
    chosen = tuple(queues) or (queue(),)
    points = [EntryPoint(id=q.id, queue=q.id, numbers=(f"70{n:02}",)) for n, q in enumerate(chosen, start=1)]
    base = Config(
        tenant="test",
        revision=1,
        pbxs={PBX: Pbx(id=PBX, kind="simulated")},
        queues={q.id: q for q in chosen},
        entry_points={p.id: p for p in points},
        profiles={"default": Profile(id="default"), "no_calls": Profile(id="no_calls", receive_calls=False)},
        agents={a.id: a for a in agents},
        idle_reasons=("break", "training"),
        wrap_up_reasons=("done", "follow_up"),
    )
    return replace(base, **changes)


def arrival(entry_point: str = "sales", leg_id: str = "", **changes: Any) -> LegArrived:
    """A call that the dialplan hands over; the simulated PBX sets `pbx` and `leg_id` itself."""
    base = LegArrived(pbx=PBX, leg_id=leg_id, entry_point=entry_point, ani="491701234567", ani_name="Carla")
    return replace(base, **changes)
