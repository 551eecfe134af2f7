"""mod_callcenter -> our draft. The order in which agents are asked is kept: level and position become ranks."""

from __future__ import annotations

from pathlib import Path

from routing.app.importing.callcenter_agents import Agents
from routing.app.importing.callcenter_rules import (
    DEFAULT_STRATEGY,
    QUEUE_RULES,
    SETTINGS,
    STRATEGIES,
    TIER_KEYS,
    UNKNOWN_STRATEGY,
    Choice,
    seconds_of,
)
from routing.app.importing.callcenter_source import CallcenterSource, Owner, read_source
from routing.app.importing.callcenter_tiers import Tiers
from routing.app.importing.draft import MAX_RING_S, Ids, Imported, QueueDraft, give_ranks, label, share_recording
from routing.app.importing.findings import Ledger, Setting
from routing.app.settings import PbxKind

RING_S = 60  # agent-originate-timeout where it is not given
PROGRESSIVE_S = 10  # ring-progressively-delay where it is not given


def read_callcenter(file: Path, database: Path | None = None, variables: Path | None = None) -> Imported:
    """`variables`: vars.xml, by itself found where the vanilla configuration has it. Raises ImportRefused."""
    ledger = Ledger()
    beside = file.absolute().parent.parent / "vars.xml"
    source = read_source(file, database, variables or (beside if beside.is_file() else None), ledger)
    imported = Imported(source=file.name, pbx=PbxKind.FREESWITCH, ledger=ledger)
    _Callcenter(source, imported).read()
    return imported


class _Callcenter:
    def __init__(self, source: CallcenterSource, imported: Imported) -> None:
        self._source, self._imported, self._ledger = source, imported, imported.ledger
        self._ring_s = RING_S
        self._choices: dict[str, Choice] = {}

    def read(self) -> None:
        for setting in self._source.settings:
            self._setting(setting)
        ids = Ids()
        queue_ids = {name: ids.make(name, "queue") for name in self._source.queues}
        for name, owner in self._source.queues.items():
            self._queue(owner, queue_ids[name])
        agents = Agents(self._source, self._imported)
        agents.read()
        tiers = Tiers(self._source, self._imported, queue_ids, agents.ids)
        seats = tiers.read(self._choices)
        crowded = give_ranks(self._imported, seats)
        tiers.finish(crowded)
        agents.settle(queue_ids, self._ring_s, {q for q, choice in self._choices.items() if choice.goes_on})
        self._share_recording()

    def _setting(self, setting: Setting) -> None:
        if setting.name == "agent-originate-timeout":
            self._ring_s = min(MAX_RING_S, max(1, seconds_of(setting) or RING_S))
            self._ledger.kept(setting, "queues.ID.ring_timeout_s")
        elif setting.name in SETTINGS:
            is_lost, advice = SETTINGS[setting.name]
            (self._ledger.missing if is_lost else self._ledger.unused)(setting, advice)
        else:
            self._ledger.unused(setting, "mod_callcenter does not know it either")

    def _queue(self, owner: Owner, queue_id: str) -> None:
        draft = QueueDraft(id=queue_id, label=label(owner.name), ring_timeout_s=self._ring_s)
        self._imported.queues[queue_id] = draft
        self._ledger.kept(owner.named, f"queues.{queue_id}, entry_points.{queue_id}")
        self._choices[queue_id] = self._strategy(owner, draft)
        draft.strategy = self._choices[queue_id].strategy
        for name, setting in owner.keys.items():
            if name in QUEUE_RULES:
                QUEUE_RULES[name](setting, draft, self._ledger)
            elif name not in {"strategy", "ring-progressively-delay", "agent-no-answer-status", *TIER_KEYS}:
                self._ledger.unused(setting, "mod_callcenter does not know it either")

    def _strategy(self, owner: Owner, draft: QueueDraft) -> Choice:
        setting = owner.keys.get("strategy")
        word = (setting.value if setting else "") or DEFAULT_STRATEGY
        choice = STRATEGIES.get(word.lower(), UNKNOWN_STRATEGY)
        if setting is not None:
            became = f'queues.{draft.id}.strategy = "{choice.strategy}"' + (", ranks" if choice.by_position else "")
            if choice.advice:
                self._ledger.changed(setting, became, choice.advice)
            else:
                self._ledger.kept(setting, became)
        delay = owner.keys.get("ring-progressively-delay")
        if word.lower() == "ring-progressively":
            draft.ring_timeout_s = (seconds_of(delay) if delay else 0) or PROGRESSIVE_S
            draft.ring_timeout_s = min(MAX_RING_S, draft.ring_timeout_s)
            if delay:
                self._ledger.changed(delay, f"queues.{draft.id}.ring_timeout_s", "how long each telephone rings")
        elif delay:
            self._ledger.unused(delay, "belongs to the strategy ring-progressively")
        return choice

    def _share_recording(self) -> None:
        mixed = share_recording(self._imported)
        for agent_id in mixed:
            named = next(s for s in self._source.agents.values() if self._imported.agents[agent_id].source == s.name)
            advice = (
                "is in queues with record-template and in others: he is not recorded at all, since a profile knows "
            )
            advice += 'no queues; give him profile = "recorded" if all his calls may be recorded'
            self._ledger.missing(named.named, advice)
