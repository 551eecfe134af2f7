"""Names that point from one table to another: each must exist, and no two entry points may claim the same number."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from dialplan.flows.words import known_value, never_a_number
from routing.app.config.models import AgentTable, EntryPointTable
from routing.app.config.positions import KeyPath
from routing.app.config.problems import did_you_mean
from routing.app.config.prompt_models import PartTable
from routing.app.config.queue_models import OverflowTable, QueueTable
from routing.app.config.sources import Sources
from routing.app.config.validate import Tables
from routing.core import screen_pop
from routing.core.config import AfterMiss, RonaCause
from routing.core.flow_values import NAMES
from routing.core.treatment import OverflowTo

_NAMES = {"pbx": "PBX", "entry_points": "entry point", "hours": "opening hours"}
_TARGETS = {
    OverflowTo.QUEUE: "queues",
    OverflowTo.ENTRY_POINT: "entry_points",
    OverflowTo.CALLBACK: "queues",
    OverflowTo.VOICEMAIL: "queues",
}


class References:
    """Looks names up in the raw document: an entry that is wrong in itself still exists."""

    def __init__(self, sources: Sources, tables: Tables) -> None:
        self._sources, self._tables = sources, tables

    def check(self) -> None:
        tables = self._tables
        for team_id, team in tables.teams.items():
            self._known_keys("queues", team.queues, ("teams", team_id, "queues"))
        for queue_id, queue in tables.queues.items():
            self._queue(queue, ("queues", queue_id))
        for agent_id, agent in tables.agents.items():
            self._agent(agent, ("agents", agent_id))
        for supervisor_id, supervisor in tables.supervisors.items():
            path: KeyPath = ("supervisors", supervisor_id)
            self._home(supervisor.pbx, path)
            for index, name in enumerate(supervisor.teams):
                self.known("teams", name, (*path, "teams", index))
        for entry_point_id, entry_point in tables.entry_points.items():
            self._starts(entry_point, ("entry_points", entry_point_id))
            self._screen_pop(entry_point, ("entry_points", entry_point_id, "screen_pop"))
        if tables.outdial.entry_point is not None:
            self._outdial(tables.outdial.entry_point, ("outdial", "entry_point"))
        if tables.callbacks.hours is not None:
            self.known("hours", tables.callbacks.hours, ("callbacks", "hours"))
        self._numbers()
        self._reasons()

    def known(self, section: str, name: str, path: KeyPath) -> None:
        """An error unless there is such an entry."""
        known = set(self._sources.entries(section)) | ({"default"} if section == "profiles" else set())
        if name not in known:
            what = _NAMES.get(section, section.removesuffix("s"))
            verb = "are" if section == "hours" else "is"
            self._sources.error(path, f"there {verb} no {what} {name!r}{did_you_mean(name, known)}")

    def _outdial(self, name: str, path: KeyPath) -> None:
        self.known("entry_points", name, path)
        if (entry_point := self._tables.entry_points.get(name)) and entry_point.queue is None:
            self._sources.error(path, f"entry point {name!r} has a flow: outdials need the rules of a queue")

    def _starts(self, entry_point: EntryPointTable, path: KeyPath) -> None:
        for section, key in (("queues", "queue"), ("flows", "flow"), ("hours", "hours")):
            if (name := getattr(entry_point, key)) is not None:
                self.known(section, name, (*path, key))

    def _known_keys(self, section: str, names: Iterable[str], path: KeyPath) -> None:
        for name in names:
            self.known(section, name, (*path, name))

    def _queue(self, queue: QueueTable, path: KeyPath) -> None:
        self._known_keys("skills", queue.requires, (*path, "requires"))
        for index, step in enumerate(queue.relaxation):
            self._known_keys("skills", step.requires, (*path, "relaxation", index, "requires"))
        for cause in queue.on_miss:
            self._miss(queue, cause, (*path, "on_miss", cause.value))
        if queue.wrap_up.default_reason is not None:
            self._reason("wrap_up", queue.wrap_up.default_reason, (*path, "wrap_up", "default_reason"))
        self._treatment(queue, path)
        known = self._cad_names()
        for key in ("offer_variables", "consult_variables"):
            for index, name in enumerate(getattr(queue, key)):
                if name not in known:
                    reason = f"no CAD variable {name!r} is declared{did_you_mean(name, known)}"
                    self._sources.error((*path, key, index), reason)

    def _treatment(self, queue: QueueTable, path: KeyPath) -> None:
        """Where callers go who leave, and what those hear who wait."""
        if queue.hours is not None:
            self.known("hours", queue.hours, (*path, "hours"))
        for cause, overflow in queue.overflow.items():
            self._overflow(overflow, (*path, "overflow", cause.value))
        for index, announcement in enumerate(queue.announcements):
            at: KeyPath = (*path, "announcements", index)
            self._prompts(announcement.prompts, (*at, "prompts"))
            for key, overflow in announcement.keys.items():
                self._overflow(overflow, (*at, "keys", key))

    def _overflow(self, overflow: OverflowTable, path: KeyPath) -> None:
        section = _TARGETS.get(overflow.to)
        if section is not None and overflow.target is not None:
            self.known(section, overflow.target, (*path, "target"))
        self._prompts(overflow.prompts, (*path, "prompts"))

    def _prompts(self, parts: Iterable[PartTable], path: KeyPath) -> None:
        for index, part in enumerate(parts):
            if part.prompt is not None:
                self.known("prompts", part.prompt, (*path, index))
            elif (name := part.number or part.digits) is not None:
                self._value(name, is_number=part.number is not None, path=(*path, index))

    def _value(self, name: str, *, is_number: bool, path: KeyPath) -> None:
        """A value that is spoken while somebody waits."""
        if not known_value(name, self._sources.entries("queues"), self._cad_names()):
            self._sources.error(path, f"there is no value {name!r}{did_you_mean(name, NAMES)}")
        elif is_number and never_a_number(name):
            self._sources.error(path, f"{name} is never a number that could be spoken")

    def _miss(self, queue: QueueTable, cause: RonaCause, path: KeyPath) -> None:
        miss = queue.on_miss[cause]
        if miss.then is AfterMiss.IDLE and miss.idle_reason is None:
            self._sources.error(path, 'then = "idle" needs an idle_reason')
        elif miss.then is not AfterMiss.IDLE and miss.idle_reason is not None:
            self._sources.error((*path, "idle_reason"), 'has no meaning without then = "idle"')
        elif miss.idle_reason is not None:
            self._reason("idle", miss.idle_reason, (*path, "idle_reason"))

    def _reason(self, kind: str, reason: str, path: KeyPath) -> None:
        known = self._tables.reasons.idle if kind == "idle" else self._tables.reasons.wrap_up
        raw = self._sources.entries("reasons").get(kind)
        if reason not in known and (raw is None or known):
            self._sources.error(path, f"{reason!r} is not in reasons.{kind}{did_you_mean(reason, known)}")

    def _cad_names(self) -> set[str]:
        entries = (self._sources.entries(section).values() for section in ("entry_points", "flows"))
        own = (entry.get("cad") for entry in chain.from_iterable(entries) if isinstance(entry, dict))
        return set(self._sources.entries("cad")).union(*(cad for cad in own if isinstance(cad, dict)))

    def _screen_pop(self, entry_point: EntryPointTable, path: KeyPath) -> None:
        common = {name: table.secure for name, table in self._tables.cad.items()}
        flow = self._tables.flows.get(entry_point.flow or "")
        for cad in (flow.cad if flow else {}, entry_point.cad):
            common |= {n: t.secure for n, t in cad.items() if "secure" in t.model_fields_set or n not in common}
        for reason in screen_pop.mistakes(entry_point.screen_pop or "", common) if entry_point.screen_pop else ():
            self._sources.error(path, reason)

    def _agent(self, agent: AgentTable, path: KeyPath) -> None:
        self.known("teams", agent.team, (*path, "team"))
        self.known("profiles", agent.profile, (*path, "profile"))
        self._known_keys("skills", agent.skills, (*path, "skills"))
        self._known_keys("queues", agent.queues or (), (*path, "queues"))
        self._home(agent.pbx, path)

    def _home(self, pbx: str | None, path: KeyPath) -> None:
        """The PBX of somebody's telephone."""
        pbxs = self._sources.entries("pbx")
        if pbx is not None:
            self.known("pbx", pbx, (*path, "pbx"))
        elif len(pbxs) != 1:
            self._sources.error(path, f"'pbx' is required, since there {'is none' if not pbxs else 'are several'}")

    def _numbers(self) -> None:
        owners: dict[str, str] = {}
        for entry_point_id, entry_point in self._tables.entry_points.items():
            self._numbers_of(entry_point_id, entry_point, owners)

    def _numbers_of(self, entry_point_id: str, entry_point: EntryPointTable, owners: dict[str, str]) -> None:
        for index, number in enumerate(entry_point.numbers):
            path = ("entry_points", entry_point_id, "numbers", index)
            if number not in owners:
                owners[number] = entry_point_id
            elif owners[number] == entry_point_id:
                self._sources.error(path, f"{number} is listed twice")
            else:
                where = self._at("entry_points", owners[number])
                self._sources.error(path, f"{number} leads to entry point {owners[number]!r} already{where}")

    def _reasons(self) -> None:
        for kind in ("idle", "wrap_up"):
            reasons = getattr(self._tables.reasons, kind)
            for index, reason in enumerate(reasons):
                if reason in reasons[:index]:
                    self._sources.error(("reasons", kind, index), f"{reason!r} is listed twice")

    def _at(self, section: str, name: str) -> str:
        file, line = self._sources.place((section, name))
        return f" ({file.name}, line {line})"
