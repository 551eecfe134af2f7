"""What mod_callcenter has: its XML and, when given, its SQLite database. As it stands, nothing judged yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from routing.app.importing.findings import ImportRefused, Ledger, Setting
from routing.app.importing.freeswitch_xml import Element, read_elements

CONFIGURATION = "callcenter.conf"
_AGENT_COLUMNS = {
    "type": "type",
    "contact": "contact",
    "status": "status",
    "max_no_answer": "max-no-answer",
    "wrap_up_time": "wrap-up-time",
    "reject_delay_time": "reject-delay-time",
    "busy_delay_time": "busy-delay-time",
    "no_answer_delay_time": "no-answer-delay-time",
}


@dataclass(slots=True)
class Owner:
    """A queue, an agent or a tier: its own name as a setting, and its other keys by name."""

    named: Setting
    keys: dict[str, Setting] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.named.value


@dataclass(slots=True)
class CallcenterSource:
    """Tiers by queue and agent."""

    settings: list[Setting] = field(default_factory=list)
    queues: dict[str, Owner] = field(default_factory=dict)
    agents: dict[str, Owner] = field(default_factory=dict)
    tiers: dict[tuple[str, str], Owner] = field(default_factory=dict)


def read_source(file: Path, database: Path | None, variables: Path | None, ledger: Ledger) -> CallcenterSource:
    """Agents and tiers of the XML go before those of the database, as when the module loads. Raises ImportRefused."""
    source = CallcenterSource()
    if database is not None:
        _read_database(database, source)
    _Xml(source, ledger).take(_configuration(read_elements(file, variables, ledger), file))
    return source


def _configuration(root: Element, file: Path) -> Element:
    waiting = [root]
    while waiting:
        element = waiting.pop(0)
        if element.tag == "configuration" and element.attributes.get("name") == CONFIGURATION:
            return element
        waiting += element.children
    raise ImportRefused(file, 0, f'holds no <configuration name="{CONFIGURATION}">')


class _Xml:
    def __init__(self, source: CallcenterSource, ledger: Ledger) -> None:
        self._source, self._ledger = source, ledger
        self._seen_agents: set[str] = set()

    def take(self, configuration: Element) -> None:
        takers = {"settings": self._settings, "queues": self._queues, "agents": self._agents, "tiers": self._tiers}
        for element in configuration.children:
            if element.tag in takers:
                takers[element.tag](element)
            else:
                self._foreign(element, CONFIGURATION)

    def _foreign(self, element: Element, owner: str) -> None:
        setting = element.setting(owner, f"<{element.tag}>", " ".join(element.attributes.values()))
        self._ledger.unused(setting, "mod_callcenter does not read it")

    def _children(self, parent: Element, tag: str) -> Iterator[Element]:
        for element in parent.children:
            if element.tag != tag:
                self._foreign(element, parent.tag)
                continue
            yield element
            for child in element.children if tag != "queue" else ():
                self._foreign(child, tag)

    def _settings(self, parent: Element) -> None:
        for element in self._children(parent, "param"):
            self._source.settings.append(_parameter(element, "settings"))

    def _queues(self, parent: Element) -> None:
        for element in self._children(parent, "queue"):
            owner = _named(element, "queue")
            if owner.name in self._source.queues:
                self._ledger.unused(owner.named, "there are several queues of this name; the first one counts")
                continue
            self._source.queues[owner.name] = owner
            for child in self._children(element, "param"):
                setting = _parameter(child, f"queue {owner.name}")
                if setting.name in owner.keys:
                    self._ledger.unused(setting, "stands there twice; the first one counts")
                else:
                    owner.keys[setting.name] = setting

    def _agents(self, parent: Element) -> None:
        for element in self._children(parent, "agent"):
            owner = _named(element, "agent")
            if owner.name in self._seen_agents:
                self._ledger.unused(owner.named, "there are several agents of this name; the first one counts")
                continue
            self._seen_agents.add(owner.name)
            given = _attributes(element, owner, "name")
            before = self._source.agents.get(owner.name)
            owner.keys = self._over(before, given)
            self._source.agents[owner.name] = owner

    def _tiers(self, parent: Element) -> None:
        for element in self._children(parent, "tier"):
            queue, agent = (element.attributes.get(name, "") for name in ("queue", "agent"))
            if not queue or not agent:
                raise ImportRefused(element.file, element.line, "tier: needs an agent and a queue")
            named = element.setting(f"tier {agent} in {queue}", "tier", f"{agent} in {queue}")
            owner = Owner(named)
            owner.keys = {
                name: element.setting(named.owner, name, value)
                for name, value in element.attributes.items()
                if name not in {"queue", "agent"}
            }
            if before := self._source.tiers.get((queue, agent)):
                for setting in (before.named, *before.keys.values()):
                    self._ledger.unused(setting, "there is another tier of this agent and queue, which goes before it")
            self._source.tiers[queue, agent] = owner

    def _over(self, before: Owner | None, given: dict[str, Setting]) -> dict[str, Setting]:
        """The XML's keys, and those of the database that it does not give."""
        if before is None:
            return given
        for setting in (before.named, *(s for name, s in before.keys.items() if name in given)):
            self._ledger.unused(setting, "stands in the XML file too, which goes before the database")
        return before.keys | given


def _parameter(element: Element, owner: str) -> Setting:
    return element.setting(owner, element.attributes.get("name", ""), element.attributes.get("value", ""))


def _named(element: Element, what: str) -> Owner:
    name = element.attributes.get("name", "")
    if not name:
        raise ImportRefused(element.file, element.line, f"{what}: needs a name")
    return Owner(element.setting(f"{what} {name}", what, name))


def _attributes(element: Element, owner: Owner, *but: str) -> dict[str, Setting]:
    values = element.attributes.items()
    return {name: element.setting(owner.named.owner, name, value) for name, value in values if name not in but}


def _read_database(file: Path, source: CallcenterSource) -> None:
    """The tables `agents` and `tiers`. The line of a finding is the number of the row."""
    if not file.is_file():
        raise ImportRefused(file, 0, "there is no such file")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            for number, row in enumerate(_rows(database, "agents", ("name", *_AGENT_COLUMNS)), start=1):
                owner = Owner(_cell(file, number, f"agent {row['name']}", "agent", row["name"]))
                owner.keys = {
                    key: _cell(file, number, owner.named.owner, key, row[column])
                    for column, key in _AGENT_COLUMNS.items()
                    if row[column] is not None
                }
                source.agents[owner.name] = owner
            for number, row in enumerate(_rows(database, "tiers", ("queue", "agent", "level", "position")), start=1):
                named = f"tier {row['agent']} in {row['queue']}"
                tier = Owner(_cell(file, number, named, "tier", f"{row['agent']} in {row['queue']}"))
                tier.keys = {key: _cell(file, number, named, key, row[key]) for key in ("level", "position")}
                source.tiers[str(row["queue"]), str(row["agent"])] = tier
    except sqlite3.Error as error:
        raise ImportRefused(file, 0, f"is no database of mod_callcenter: {error}") from error


def _rows(database: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Older versions lack some columns. The names are ours, not a stranger's."""
    has = {str(row[1]) for row in database.execute(f"PRAGMA table_info({table})")}
    wanted = ", ".join(column if column in has else f"NULL AS {column}" for column in columns)
    for row in database.execute(f"SELECT {wanted} FROM {table} ORDER BY rowid"):  # noqa: S608
        yield dict(zip(columns, row, strict=True))


def _cell(file: Path, number: int, owner: str, name: str, value: object) -> Setting:
    return Setting(file=file, line=number, owner=owner, name=name, value="" if value is None else str(value))
