"""Hours, overflow, callbacks and prompts that are well-formed and still cannot have been meant (OPS-02)."""

from __future__ import annotations

from collections.abc import Iterator

from dialplan.flows.ways import family
from routing.app.config.positions import KeyPath
from routing.app.config.sources import Sources
from routing.app.settings import PbxKind
from routing.core.config import Config, Queue
from routing.core.flow import Flow, StepKind
from routing.core.flow_position import MAX_HOPS
from routing.core.treatment import Overflow, OverflowCause, OverflowTo

_EXIT_OF = {cause: cause.value for cause in OverflowCause}


def check_treatment(sources: Sources, config: Config) -> None:
    """Warnings."""
    for queue in config.queues.values():
        _causes(sources, queue)
        _loop(sources, config, queue)
    for flow in config.flows.values():
        _exits(sources, config, flow)
    for hours in config.hours.values():
        if not any(hours.week) and not any(hours.exceptions.values()):
            sources.warn(("hours", hours.id), "never open: give mon_fri, daily or single days")
    for path in _numbers(config) if not any(pbx.dial for pbx in config.pbxs.values()) else ():
        sources.warn(path, "nobody gets there: no PBX has a trunk for numbers, pbx.ID.dial")
    if not config.callbacks.dial.allowed and (where := next(_callbacks(config), None)):
        sources.warn(where, "nobody is called back: callbacks.dial.allowed has no prefix")
    _prompt_directories(sources, config)


def _never(queue: Queue) -> dict[str, str]:
    """Causes for which this queue lets nobody go, with the key that would change that."""
    never = {
        OverflowCause.FULL: ("max_waiting", queue.max_waiting is None),
        OverflowCause.TIMEOUT: ("max_wait_s", queue.max_wait_s is None),
        OverflowCause.NO_AGENTS: ("leave_when_no_agents", not queue.leave_when_no_agents),
        OverflowCause.NO_SKILLS: ("leave_when_no_skills", not queue.leave_when_no_skills),
    }
    return {cause.value: key for cause, (key, is_never) in never.items() if is_never}


def _causes(sources: Sources, queue: Queue) -> None:
    """Overflow for what never happens. Closed may be the hours of an entry point."""
    never = _never(queue)
    for cause in queue.overflow:
        if key := never.get(cause.value):
            sources.warn(("queues", queue.id, "overflow", cause.value), f"never happens without {key}")


def _exits(sources: Sources, config: Config, flow: Flow) -> None:
    """Exits by which no step is ever left."""
    for step in flow.steps.values():
        path: KeyPath = ("flows", flow.id, "steps", step.id, "exits")
        if step.do is StepKind.QUEUE and (queue := config.queues.get(step.queue)):
            never = _never(queue) | ({} if queue.hours else {"closed": "hours"})
            for name in step.exits:
                if key := never.get(name):
                    sources.warn((*path, name), f"never happens: queue {queue.id} has no {key}")
        hours = config.hours.get(step.hours) if step.do is StepKind.HOURS else None
        if hours and "holiday" in step.exits and not hours.holidays:
            sources.warn((*path, "holiday"), f"never happens: hours {hours.id} have no holidays")


def _overflows(config: Config) -> Iterator[tuple[KeyPath, Overflow]]:
    for queue in config.queues.values():
        for cause, overflow in queue.overflow.items():
            yield ("queues", queue.id, "overflow", cause.value), overflow
        for index, announcement in enumerate(queue.announcements):
            for key, overflow in announcement.keys.items():
                yield ("queues", queue.id, "announcements", index, "keys", key), overflow


def _numbers(config: Config) -> Iterator[KeyPath]:
    """Where callers are sent to outside numbers."""
    yield from (path for path, overflow in _overflows(config) if overflow.to is OverflowTo.NUMBER)
    for flow in config.flows.values():
        yield from (("flows", flow.id, "steps", step.id, "number") for step in flow.steps.values() if step.number)


def _callbacks(config: Config) -> Iterator[KeyPath]:
    """Where callbacks are asked for."""
    yield from (path for path, overflow in _overflows(config) if overflow.to is OverflowTo.CALLBACK)
    for queue in config.queues.values():
        if queue.callback_after_abandon_s is not None:
            yield ("queues", queue.id, "callback_after_abandon_s")
    for flow in config.flows.values():
        for step in flow.steps.values():
            if step.do is StepKind.CALLBACK:
                yield ("flows", flow.id, "steps", step.id)


def _loop(sources: Sources, config: Config, queue: Queue) -> None:
    """Overflow that comes back to this queue: told once per loop, at the first of its queues by name."""
    for cause, path in _ways_back(config, queue):
        if queue.id == min(path):
            words = " -> ".join([*path, queue.id])
            reason = f"overflow loops, {words}: a caller may go round until he has been sent on {MAX_HOPS} times"
            sources.warn(("queues", queue.id, "overflow", cause.value), reason)
            return


def _ways_back(config: Config, queue: Queue) -> Iterator[tuple[OverflowCause, list[str]]]:
    for cause, overflow in queue.overflow.items():
        seen: set[str] = set()
        ahead = [[queue.id, target] for target in _queues_behind(config, overflow)]
        while ahead:
            path = ahead.pop()
            if path[-1] == queue.id:
                yield cause, path[:-1]
                break
            if path[-1] in seen or path[-1] not in config.queues:
                continue
            seen.add(path[-1])
            for other in config.queues[path[-1]].overflow.values():
                ahead += [[*path, target] for target in _queues_behind(config, other)]


def _queues_behind(config: Config, overflow: Overflow) -> list[str]:
    """Queues in which a caller may come to wait who is sent there, and that send him on by their own overflow."""
    if overflow.to is OverflowTo.QUEUE:
        return [overflow.target]
    entry_point = config.entry_points.get(overflow.target) if overflow.to is OverflowTo.ENTRY_POINT else None
    if entry_point is None:
        return []
    if entry_point.queue:
        return [entry_point.queue]
    steps = (step for name in family(config.flows, entry_point.flow) for step in config.flows[name].steps.values())
    waits = [step for step in steps if step.do is StepKind.QUEUE]
    return [step.queue for step in waits if not set(_EXIT_OF.values()) <= step.exits.keys()]


def _prompt_directories(sources: Sources, config: Config) -> None:
    """PBXs that do not know where the files are."""
    has_files = any(
        not file.startswith("sound:") for prompt in config.prompts.values() for file in prompt.files.values()
    )
    for pbx in config.pbxs.values():
        if has_files and not pbx.prompts and pbx.kind != PbxKind.SIMULATED:
            sources.warn(("pbx", pbx.id), "plays no prompts: give the directory in which it sees them, 'prompts'")
