"""Values by name: what conditions compare, templates insert and prompts speak. All of them are text.

A value that is not there is empty: a flow goes on whatever a caller has brought along.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from routing.core import estimates
from routing.core.cad import MASK
from routing.core.interaction import Interaction
from routing.core.world import World

_TEMPLATE = re.compile(r"\{([A-Za-z0-9_.-]+)\}")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def value(world: World, interaction: Interaction, name: str) -> str:
    """The value of that name, empty when there is none."""
    if read := _VALUES.get(name):
        return read(world, interaction)
    head, _, rest = name.partition(".")
    if head == "cad":
        return interaction.cad.get(rest, "")
    if head == "queue":
        queue, _, what = rest.rpartition(".")
        read_queue = _OF_QUEUE.get(what)
        return read_queue(world, interaction, queue) if read_queue and queue in world.config.queues else ""
    return ""


def fill(world: World, interaction: Interaction, template: str) -> str:
    """The template with its `{name}` replaced."""
    return _TEMPLATE.sub(lambda found: value(world, interaction, found[1]), template)


def names_in(template: str) -> tuple[str, ...]:
    """The names of values that a template uses, for the checker of flows."""
    return tuple(_TEMPLATE.findall(template))


def is_secure(world: World, interaction: Interaction, name: str) -> bool:
    """Whether events must not carry the value of that name (CAD-05)."""
    variable = world.config.cad_of(interaction.entry_point).get(name.removeprefix("cad."))
    return name.startswith("cad.") and (variable is None or variable.secure)


def shown(world: World, interaction: Interaction, name: str) -> str:
    """The value as events and logs may carry it."""
    text = value(world, interaction, name)
    return MASK if text and is_secure(world, interaction, name) else text


def language_of(world: World, interaction: Interaction) -> str:
    """The call's own, else its flow's, else the tenant's."""
    return languages_of(world, interaction)[0]


def languages_of(world: World, interaction: Interaction) -> tuple[str, ...]:
    """In which languages its prompts are looked for, best first."""
    flow = world.config.flows.get(interaction.flow.flow) if interaction.flow else None
    wanted = (interaction.language, flow.language if flow else "", world.config.language)
    return tuple(dict.fromkeys(language for language in wanted if language)) or ("en",)


def local_time(world: World) -> datetime:
    """Now, by the tenant's clock on the wall."""
    return datetime.fromtimestamp(world.now_ms / 1000, UTC).astimezone(ZoneInfo(world.config.time_zone))


def _waited_s(world: World, interaction: Interaction) -> str:
    since = interaction.waiting_since_ms
    running_ms = world.now_ms - since if since is not None else 0
    return str((interaction.waited_ms + running_ms) // 1000)


def _position(world: World, interaction: Interaction) -> str:
    place = estimates.position(world, interaction)
    return "" if place is None else str(place)


def _rounded_up(span_ms: int | None, unit_ms: int) -> str:
    return "" if span_ms is None else str(-(-span_ms // unit_ms))


def _available(world: World, interaction: Interaction, queue: str) -> str:
    return str(sum(not world.unavailable_because(agent.id) for agent in world.staff(queue, interaction.pbx)))


_VALUES: dict[str, Callable[[World, Interaction], str]] = {
    "interaction_id": lambda _, i: i.id,
    "ani": lambda _, i: i.ani,
    "ani_name": lambda _, i: i.ani_name,
    "dnis": lambda _, i: i.dnis,
    "entry_point": lambda _, i: i.entry_point,
    "queue": lambda _, i: i.queue,
    "language": language_of,
    "priority": lambda _, i: str(i.priority or ""),
    "preferred_agent": lambda _, i: i.preferred.agent_id if i.preferred else "",
    "now": lambda world, _: local_time(world).isoformat(timespec="seconds"),
    "weekday": lambda world, _: _DAYS[local_time(world).weekday()],
    "wait_s": _waited_s,
    "position": _position,
    "ewt_s": lambda world, i: _rounded_up(estimates.wait_ms(world, i), 1000),
    "ewt_min": lambda world, i: _rounded_up(estimates.wait_ms(world, i), 60_000),
}

_OF_QUEUE: dict[str, Callable[[World, Interaction, str], str]] = {
    "waiting": lambda world, _, queue: str(world.waiting_in(queue)),
    "agents": lambda world, i, queue: str(world.staff_of(queue, i.pbx)),
    "available": _available,
    "ewt_s": lambda world, i, queue: _rounded_up(estimates.queue_wait_ms(world, queue, i.priority or None), 1000),
    "ewt_min": lambda world, i, queue: _rounded_up(estimates.queue_wait_ms(world, queue, i.priority or None), 60_000),
}

# For the checker of flows: the plain names, and what may follow `queue.<id>.`; `cad.` goes with a declared variable.
NAMES = frozenset(_VALUES)
QUEUE_NAMES = frozenset(_OF_QUEUE)
PREFIXES = ("cad.", "queue.")
