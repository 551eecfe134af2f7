"""What is well-formed and still cannot have been meant (OPS-02): judged on the resolved configuration."""

from __future__ import annotations

from collections.abc import Iterable

from routing.app.config.outdial_semantics import check_outdial
from routing.app.config.positions import KeyPath
from routing.app.config.sources import Sources
from routing.app.config.treatment_semantics import check_treatment
from routing.core.cad import MAX_SHOWN
from routing.core.config import AgentConfig, Config, Numbers, Queue
from routing.core.declarations import CadVariable, Requirement
from routing.core.dial_rights import DialRights
from routing.core.numbers import is_abroad

MIN_RING_S = 5


def check_steps(sources: Sources, queue_id: str, after_s: list[int], max_wait_s: int | None) -> None:
    """Relaxation steps that no call ever reaches."""
    for index, seconds in enumerate(after_s):
        path = ("queues", queue_id, "relaxation", index, "after_s")
        if index and seconds <= after_s[index - 1]:
            sources.error(path, f"never reached: {seconds} is not later than the step before ({after_s[index - 1]})")
        elif max_wait_s is not None and seconds >= max_wait_s:
            sources.warn(path, f"never reached: callers leave the queue after {max_wait_s} s")


def check(sources: Sources, config: Config) -> None:
    """Warnings; errors must have been found before."""
    for queue in config.queues.values():
        _ring_time(sources, queue)
        _narrow_steps(sources, queue)
        _staff(sources, queue, _members(config, queue))
    _form_size(sources, config)
    check_outdial(sources, config)
    check_treatment(sources, config)
    for profile in config.profiles.values():
        _dialing(sources, config, profile.dial, ("profiles", profile.id, "dial"))
    _dialing(sources, config, config.callbacks.dial, ("callbacks", "dial"))
    for agent in config.agents.values():
        if not agent.queues:
            sources.warn(("agents", agent.id), "has no queue: neither his own nor his team's")


def covers(skills: Requirement, required: Requirement) -> bool:
    """Whether somebody with these skills meets the requirement."""
    have = dict(skills)
    return all(have.get(skill, 0) >= level for skill, level in required)


def _members(config: Config, queue: Queue) -> list[AgentConfig]:
    """Agents of the queue who may take calls at all."""
    return [
        agent
        for agent in config.agents.values()
        if any(id_ == queue.id for id_, _rank in agent.queues) and config.profiles[agent.profile].receive_calls
    ]


def _ring_time(sources: Sources, queue: Queue) -> None:
    if queue.ring_timeout_s < MIN_RING_S:
        path = ("queues", queue.id, "ring_timeout_s")
        sources.warn(path, f"{queue.ring_timeout_s} s is too short to take a call; at least {MIN_RING_S} s is usual")


def _narrow_steps(sources: Sources, queue: Queue) -> None:
    """A step is useless when whoever meets it met an earlier requirement as well."""
    earlier: list[Requirement] = [queue.requires]
    for index, step in enumerate(queue.relaxation):
        if any(covers(step.requires, requires) for requires in earlier):
            reason = "never widens: whoever meets it could have taken the call before"
            sources.warn(("queues", queue.id, "relaxation", index), reason)
        earlier.append(step.requires)


def _staff(sources: Sources, queue: Queue, members: list[AgentConfig]) -> None:
    steps: list[tuple[int, Requirement, KeyPath]] = [(0, queue.requires, ("requires",))]
    steps += [(s.after_s, s.requires, ("relaxation", i)) for i, s in enumerate(queue.relaxation)]
    reached: set[str] = set()
    if not members:
        sources.warn(("queues", queue.id), "nobody can serve it: no agent who may take calls has this queue")
        return
    for index, (after_s, requires, key) in enumerate(steps):
        served = {agent.id for agent in members if covers(agent.skills, requires)}
        path = ("queues", queue.id, *key)
        if index and served and served <= reached:
            sources.warn(path, f"adds nobody: all {len(served)} agents who meet it were eligible before {after_s} s")
        if served and not reached and index:
            reason = f"nobody can serve it before {after_s} s of waiting: {_lacking(members, queue.requires)}"
            sources.warn(("queues", queue.id, "requires"), reason)
        reached |= served
    if not reached:
        sources.warn(("queues", queue.id), f"nobody can serve it: {_lacking(members, queue.requires)}")


def _lacking(members: list[AgentConfig], requires: Requirement) -> str:
    """What stands in the way, in words."""
    for skill, level in requires:
        best = max((dict(agent.skills).get(skill, 0) for agent in members), default=0)
        if best < level:
            return f"none of its {len(members)} agents has {skill} at level {level}" + (
                f" (best: {best})" if best else ""
            )
    return f"none of its {len(members)} agents has all of {', '.join(skill for skill, _level in requires)}"


def _dialing(sources: Sources, config: Config, rights: DialRights, path: KeyPath) -> None:
    """Rights that allow nothing."""
    numbers = config.numbers
    if rights.allowed and not any(pbx.dial for pbx in config.pbxs.values()):
        sources.warn(path, "allows numbers, but no PBX has a trunk for them: pbx.ID.dial")
    if not rights.allowed and (rights.denied or rights.international or rights.premium):
        sources.warn(path, "allows nothing: 'allowed' has no prefix")
    if rights.min_digits > numbers.max_digits:
        sources.warn((*path, "min_digits"), f"allows nothing: numbers have at most {numbers.max_digits} digits")
    for index, prefix in enumerate(rights.allowed):
        where = (*path, "allowed", index)
        if rights.denied and prefix.startswith(rights.denied):
            sources.warn(where, f"{prefix} is never allowed: it is denied as well")
        elif not rights.premium and numbers.premium and prefix.startswith(numbers.premium):
            sources.warn(where, f"{prefix} is never allowed: it is a premium range and 'premium' is off")
        elif not rights.international and _is_all_abroad(prefix, numbers):
            sources.warn(where, f"{prefix} is never allowed: it is abroad and 'international' is off")


def _is_all_abroad(prefix: str, numbers: Numbers) -> bool:
    """Whether no number at home begins so."""
    home = [f"{start}{numbers.country}" for start in ("+", *numbers.idd) if numbers.country]
    return is_abroad(prefix, numbers) and not any(start.startswith(prefix) for start in home)


def _form_size(sources: Sources, config: Config) -> None:
    paths: Iterable[tuple[KeyPath, str]] = [
        (("cad", config.cad[-1].name) if config.cad else (), ""),
        *((("entry_points", id_, "cad"), id_) for id_, point in config.entry_points.items() if point.cad),
    ]
    for path, entry_point in paths:
        count = sum(variable.shown for variable in config.cad_of(entry_point).values())
        if count > MAX_SHOWN:
            sources.warn(path, f"{count} variables are shown, agents see the first {MAX_SHOWN}")


def check_unsealed(sources: Sources, config: Config) -> None:
    """Secure variables although no key is configured that would encrypt them at rest (SAFE-06)."""
    own = ((("entry_points", point.id, "cad", v.name), v) for point in config.entry_points.values() for v in point.cad)
    flows = ((("flows", flow.id, "cad", v.name), v) for flow in config.flows.values() for v in flow.cad)
    declared: Iterable[tuple[KeyPath, CadVariable]] = [*((("cad", v.name), v) for v in config.cad), *flows, *own]
    path = next((path for path, variable in declared if variable.secure), None)
    if path is not None:
        sources.warn(
            (*path, "secure"),
            "Redis holds it unencrypted: make a key with 'switchroom cad-key' and set server.cad_key_file",
        )


def check_secure_everywhere(sources: Sources, config: Config) -> None:
    """A variable that is secure here and not there: a transfer between entry points would lift its mask (CAD-05)."""
    declared = [(id_, config.cad_of(id_)) for id_ in ("", *config.entry_points)]
    types = {(v.name, v.type) for _id, variables in declared for v in variables.values() if v.secure}
    for point in config.entry_points.values():
        for variable in point.cad:
            if not variable.secure and (variable.name, variable.type) in types:
                sources.warn(
                    ("entry_points", point.id, "cad", variable.name),
                    "elsewhere this variable is secure: a call that is transferred here shows its value",
                )
