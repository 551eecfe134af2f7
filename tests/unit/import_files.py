"""Files of mod_callcenter and app_queue, and what the core makes of them after the import."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from routing.app.config import load
from routing.app.importing import Finding, Imported, read_callcenter, read_queues, write_directory
from routing.core.config import Config, Pbx

Tier = tuple[str, str, int, int]


def attributes(values: Mapping[str, object]) -> str:
    return " ".join(f"{name}={quoteattr(str(value))}" for name, value in values.items())


def callcenter_xml(
    queues: Mapping[str, Mapping[str, object]],
    agents: Mapping[str, Mapping[str, object]],
    tiers: Iterable[Tier],
) -> str:
    """A whole callcenter.conf.xml, one element a line; tiers are agent, queue, level, position."""
    lines = ['<configuration name="callcenter.conf">', "<queues>"]
    for name, values in queues.items():
        lines += [f"<queue name={quoteattr(name)}>"]
        lines += [f"<param {attributes({'name': key, 'value': value})}/>" for key, value in values.items()]
        lines += ["</queue>"]
    lines += ["</queues>", "<agents>"]
    for name, values in agents.items():
        base = {"name": name, "type": "callback", "contact": f"user/{name}"}
        lines += [f"<agent {attributes(base | dict(values))}/>"]
    lines += ["</agents>", "<tiers>"]
    for agent, queue, level, position in tiers:
        lines += [f"<tier {attributes({'agent': agent, 'queue': queue, 'level': level, 'position': position})}/>"]
    return "\n".join([*lines, "</tiers>", "</configuration>"]) + "\n"


def from_callcenter(text: str, directory: Path) -> Imported:
    file = directory / "callcenter.conf.xml"
    file.write_text(text, encoding="utf-8")
    return read_callcenter(file)


def from_queues(text: str, directory: Path) -> Imported:
    file = directory / "queues.conf"
    file.write_text(text, encoding="utf-8")
    return read_queues(file)


def callcenter_config(text: str) -> Config:
    """Imported, written, and loaded again by the code that loads every configuration."""
    with tempfile.TemporaryDirectory() as name:
        return core_config(from_callcenter(text, Path(name)), Path(name) / "new")


def queues_config(text: str) -> Config:
    with tempfile.TemporaryDirectory() as name:
        return core_config(from_queues(text, Path(name)), Path(name) / "new")


def core_config(imported: Imported, directory: Path) -> Config:
    """On the PBX `a`, as `core_driver.Driver` has it."""
    write_directory(imported, directory)
    loaded = load(directory).config
    agents = {id_: replace(agent, pbx="a") for id_, agent in loaded.agents.items()}
    return replace(loaded, pbxs={"a": Pbx(id="a", kind="simulated")}, agents=agents)


def of_key(imported: Imported, key: str) -> Finding:
    """The only finding about a key."""
    (finding,) = [f for f in imported.findings if f.key == key]
    return finding
