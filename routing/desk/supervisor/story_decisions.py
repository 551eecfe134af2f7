"""Routing decisions for people: who won, by what others were compared, and why the rest was passed over (ROUTE-17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from routing.desk.language import number, percent
from routing.desk.supervisor.clock import clock_time
from routing.desk.supervisor.names import name_of, queue_label
from routing.desk.supervisor.story_facts import Facts
from routing.desk.supervisor.story_words import passed_over, requirement, sort_key_name, strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """An agent who was looked at. `keys`: by what he was compared, in the order of `Decision.key_names`."""

    name: str
    is_winner: bool
    because: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`others`: how many each rule passed over, of all agents of the queue, also those not named."""

    at: str
    queue: str
    strategy: str
    requires: str
    revision: int
    winners: str
    key_names: tuple[str, ...]
    looked_at: tuple[Looked, ...]
    others: tuple[tuple[str, int], ...]
    runner_up: str


def decisions_of(facts: Facts) -> list[Decision]:
    return [_decision(found) for found in facts.decisions]


def _decision(found: dict[str, Any]) -> Decision:
    # The last key is the id, which the name stands for.
    names = [name for name in found["key_names"] if name != "id"]
    return Decision(
        at=found["at"],
        queue=queue_label(found["queue"]),
        strategy=strategy(found["strategy"]),
        requires=requirement(found["requires"]),
        revision=found["config_revision"],
        winners=", ".join(name_of(agent_id) for agent_id in found["winners"]),
        key_names=tuple(sort_key_name(name) for name in names),
        looked_at=tuple(_looked(candidate, found, names) for candidate in found["candidates"]),
        others=tuple((passed_over(rule), count) for rule, count in sorted(found["removed"].items()) if count),
        runner_up=found["call_runner_up"],
    )


def _looked(candidate: dict[str, Any], found: dict[str, Any], names: list[str]) -> Looked:
    values = dict(zip(found["key_names"], candidate["sort_key"], strict=False))
    return Looked(
        name=name_of(candidate["agent_id"]),
        is_winner=candidate["agent_id"] in found["winners"],
        because=passed_over(candidate["removed_by"]) if candidate["removed_by"] else "",
        keys=tuple(_key(name, values.get(name)) for name in names),
    )


def _key(name: str, value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if name.endswith("_ms"):
        return clock_time(int(value)) if value else ""
    if name == "occupancy":
        return percent(value * 100)
    return number(-value if name.startswith("minus_") else value)
