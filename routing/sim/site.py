"""A configuration made fit for a replay, and who of the day's agents is who in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from routing.core.config import Config, EntryPoint
from routing.core.facts import LegArrived
from routing.sim.day import Call, Day, Presence, Shift, pseudonym

_AWAY = "away"
_DONE = "done"

# Agent, when (ms since the day's start), and an idle reason, "" for available, None for signed out.
Change = tuple[str, int, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`pseudonyms` by agent id. `changes`: what agents do, in order of time. `warnings`: what does not fit the day."""

    config: Config
    pseudonyms: dict[str, str]
    changes: tuple[Change, ...]
    idle_reason: str
    wrap_up_reason: str
    warnings: tuple[str, ...] = ()

    def arrival(self, call: Call) -> LegArrived:
        """How this caller enters: by his entry point where that leads to a queue, else straight into the queue."""
        entry = self.config.entry_points.get(call.entry_point)
        options = {}
        if call.priority is not None:
            options["priority"] = str(call.priority)
        if call.requires:
            options["requires"] = ",".join(f"{skill}:{level}" for skill, level in call.requires)
        return LegArrived(
            pbx=call.pbx if call.pbx in self.config.pbxs else next(iter(self.config.pbxs), ""),
            leg_id=call.id,
            entry_point=entry.id if entry is not None and entry.queue else _straight_to(call.queue),
            options=options,
        )


def site_for(day: Day, config: Config, alike: Mapping[str, str] | None = None) -> Site:
    """`alike`: agents of the configuration who work the shift of another one, by their ids."""
    pseudonyms = {agent_id: pseudonym(day.salt, agent_id) for agent_id in config.agents}
    shifts = {shift.agent: shift for shift in day.shifts}
    idle, done = config.idle_reasons or (_AWAY,), config.wrap_up_reasons or (_DONE,)
    working = {agent_id: shifts.get(name) for agent_id, name in pseudonyms.items()}
    for agent_id, other in (alike or {}).items():
        if agent_id in working:
            working[agent_id] = shifts.get(pseudonym(day.salt, other))
    changes = [change for agent, shift in working.items() if shift for change in _changes(agent, shift, idle)]
    return Site(
        config=_fit(config, idle, done),
        pseudonyms=pseudonyms,
        changes=tuple(sorted(changes, key=lambda change: (change[1], change[0]))),
        idle_reason=idle[0],
        wrap_up_reason=done[0],
        warnings=tuple(_misfits(day, config, working)),
    )


def _straight_to(queue: str) -> str:
    return f"@{queue}"  # no entry point of a configuration is called so


def _fit(config: Config, idle: tuple[str, ...], done: tuple[str, ...]) -> Config:
    """With a way into each queue, and without recordings, which would only take time."""
    ways = {_straight_to(q): EntryPoint(id=_straight_to(q), queue=q) for q in config.queues}
    profiles = {name: replace(profile, record=False) for name, profile in config.profiles.items()}
    return replace(
        config,
        entry_points={**config.entry_points, **ways},
        profiles=profiles,
        idle_reasons=idle,
        wrap_up_reasons=done,
    )


def _changes(agent: str, shift: Shift, idle: tuple[str, ...]) -> Iterator[Change]:
    for place, span in enumerate(shift.spans):
        reason = span.reason if span.reason in idle else idle[0]
        yield agent, span.from_ms, "" if span.presence is Presence.AVAILABLE else reason
        following = shift.spans[place + 1] if place + 1 < len(shift.spans) else None
        if following is None or following.from_ms > span.until_ms:
            yield agent, span.until_ms, None


def _misfits(day: Day, config: Config, working: Mapping[str, Shift | None]) -> Iterator[str]:
    known = {shift.agent for shift in working.values() if shift}
    unknown = len({shift.agent for shift in day.shifts} - known)
    if unknown:
        yield f"{unknown} agents of the day are not in the configuration: nobody works their shifts"
    if idle := sorted(agent for agent, shift in working.items() if shift is None):
        shown = ", ".join(idle[:5]) + (", ..." if len(idle) > 5 else "")
        yield f"{len(idle)} agents of the configuration were not there that day and do not work: {shown}"
    for queue in sorted({call.queue for call in day.calls} - config.queues.keys()):
        count = sum(call.queue == queue for call in day.calls)
        yield f"there is no queue {queue}: its {count} calls are turned away unless their entry point leads elsewhere"
