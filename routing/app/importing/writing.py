"""The draft as a directory of configuration files and a report. Nothing that exists is ever written over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from routing.app.importing import toml
from routing.app.importing.draft import AgentDraft, Imported, QueueDraft
from routing.app.importing.findings import Fate, Finding, ImportRefused, shown
from routing.app.settings import PbxKind

TEAM = "imported"
RECORDED = "recorded"
REPORT = "import-report"
_SECRETS = {PbxKind.FREESWITCH: "SWITCHROOM_ESL_SECRET", PbxKind.ASTERISK: "SWITCHROOM_AMI_SECRET"}
_TITLES = {
    Fate.MISSING: "Nothing of Switchroom's does that",
    Fate.CHANGED: "Taken, but not the same",
    Fate.UNUSED: "Without effect there or here",
    Fate.KEPT: "The same",
}


def write_directory(imported: Imported, directory: Path) -> list[Path]:
    """The files, and `import-report.txt` and `.json` beside them. Raises ImportRefused where anything is there."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise ImportRefused(directory, 0, "is not empty: name a new directory, nothing is ever written over")
        written = []
        for name, text in _files(imported).items():
            with (directory / name).open("x", encoding="utf-8") as stream:
                stream.write(text)
            written.append(directory / name)
    except OSError as error:
        raise ImportRefused(directory, 0, f"cannot be written: {error.strerror or error}") from error
    return written


def _files(imported: Imported) -> dict[str, str]:
    makers: dict[str, Callable[[Imported], Iterator[str]]] = {
        "pbx.toml": _pbx,
        "agents.toml": _agents,
        "queues.toml": _queues,
        "entry_points.toml": _entry_points,
    }
    files = {name: "\n".join(make(imported)) for name, make in makers.items()}
    findings = imported.findings
    files[f"{REPORT}.txt"] = report(findings)
    files[f"{REPORT}.json"] = msgspec.json.format(msgspec.json.encode(findings)).decode() + "\n"
    return files


def report(findings: list[Finding]) -> str:
    """For people: what is lost first, then what is different; what is the same is only counted."""
    counts = Counter(finding.fate for finding in findings)
    parts = [", ".join(f"{counts[fate]} {fate}" for fate in Fate) + "\n"]
    for fate in (Fate.MISSING, Fate.CHANGED, Fate.UNUSED):
        lines = [line_of(finding) for finding in findings if finding.fate is fate]
        if lines:
            parts.append(f"{_TITLES[fate]}:\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def line_of(finding: Finding) -> str:
    """`file:line: owner: key = value: -> became: advice`."""
    what = f"{shown(finding.owner)}: {shown(finding.key)} = {shown(finding.value)}"
    became = f" -> {finding.became}" if finding.became else ""
    return f"{finding.file}:{finding.line}: {what}{became}: {finding.advice}"


def _pbx(imported: Imported) -> Iterator[str]:
    yield toml.comment(f"From {imported.source}. Where the PBX is: see docs/{imported.pbx.value}.md.")
    yield toml.table(("pbx", "pbx1"), {"kind": imported.pbx.value, "secret_env": _SECRETS[imported.pbx]})


def _agents(imported: Imported) -> Iterator[str]:
    yield toml.comment(f"From {imported.source}. Agents sign in themselves: nobody is signed in by a file.")
    if imported.skills:
        yield toml.table(("skills",), imported.skills)
    yield toml.table(("teams", TEAM), {"label": "Imported"})
    if any(agent.is_recorded for agent in imported.agents.values()):
        yield toml.table(("profiles", RECORDED), {"record": True})
    for agent in imported.agents.values():
        text = toml.table(("agents", agent.id), _agent_keys(agent))
        yield toml.comment(f"{agent.why_not}\n{text}".rstrip()) if agent.why_not else text


def _agent_keys(agent: AgentDraft) -> dict[str, Any]:
    keys: dict[str, Any] = {"name": agent.name, "team": TEAM, "phone": agent.phone}
    keys |= {"profile": RECORDED} if agent.is_recorded else {}
    keys |= {"skills": agent.skills} if agent.skills else {}
    keys |= {"order": agent.order} if agent.order else {}
    keys |= {"pin": agent.pin} if agent.pin else {}
    return keys | {"queues": agent.queues}


def _queues(imported: Imported) -> Iterator[str]:
    yield toml.comment(f"From {imported.source}. Ranks of the agents stand in agents.toml.")
    for queue in imported.queues.values():
        yield toml.table(("queues", queue.id), _queue_keys(queue))
        misses = {c.value: {"then": then.value, "skip_s": skip_s} for c, (then, skip_s) in queue.on_miss.items()}
        yield toml.table(("queues", queue.id, "on_miss"), misses)
        for after_s, requires in queue.relaxation:
            path = ("queues", queue.id, "relaxation")
            yield toml.table(path, {"after_s": after_s, "requires": requires}, is_element=True)


def _queue_keys(queue: QueueDraft) -> dict[str, Any]:
    keys: dict[str, Any] = {"label": queue.label, "strategy": queue.strategy.value}
    keys |= {"requires": queue.requires} if queue.requires else {}
    keys |= {"priority": queue.priority} if queue.priority != QueueDraft(id="", label="").priority else {}
    keys |= {"aging_per_min": queue.aging_per_min} if queue.aging_per_min is not None else {}
    keys |= {"ring_timeout_s": queue.ring_timeout_s}
    keys |= {"wrap_up": {"timeout_s": queue.wrap_up_s}} if queue.wrap_up_s else {}
    keys |= {"max_wait_s": queue.max_wait_s} if queue.max_wait_s else {}
    keys |= {"max_waiting": queue.max_waiting} if queue.max_waiting else {}
    keys |= {"leave_when_no_agents": True} if queue.leave_when_no_agents else {}
    keys |= {"music": queue.music}
    return keys


def _entry_points(imported: Imported) -> Iterator[str]:
    yield toml.comment(
        f"From {imported.source}. The dialplan hands calls over to these by name, one queue at a time.\n"
        "Numbers are only needed where it hands over without a name."
    )
    for queue in imported.queues:
        yield toml.table(("entry_points", queue), {"queue": queue}) + '# numbers = ["+12025550100"]\n'
