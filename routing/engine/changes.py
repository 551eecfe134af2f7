"""The effects of several steps as one commit: each entity once, with its last value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from routing.core.effects import Effects
from routing.core.world import WorldState
from routing.store.port import Commit, JournalEntry

T = TypeVar("T")


class Changes:
    """Collects effects in the order of their steps."""

    def __init__(self) -> None:
        self._all = Effects()
        self._journal: list[JournalEntry] = []

    def add(self, entry: JournalEntry, effects: Effects) -> None:
        whole = self._all
        self._journal.append(entry)
        whole.interactions |= effects.interactions
        whole.agents |= effects.agents
        whole.timers |= effects.timers
        whole.phones |= effects.phones
        whole.links |= effects.links
        whole.figures |= effects.figures
        whole.campaigns |= effects.campaigns
        whole.records |= effects.records
        whole.ended |= effects.ended
        whole.config_changed |= effects.config_changed
        whole.commands += effects.commands
        whole.events += effects.events
        whole.replies += effects.replies
        whole.traces += effects.traces

    def commit(self, state: WorldState, base_seq: int, position: str) -> Commit:
        """`state` is the one after the last step."""
        whole = self._all
        return Commit(
            base_seq=base_seq,
            seq=state.seq,
            now_ms=state.now_ms,
            position=position,
            interactions=_values(whole.interactions, state.interactions),
            agents=_values(whole.agents, state.agents),
            timers=_values(whole.timers, state.timers),
            phones=_values(whole.phones, state.phones),
            links=_values(whole.links, state.links),
            figures=_values(whole.figures, state.figures),
            campaigns=_values(whole.campaigns, state.campaigns),
            records=_values(whole.records, state.records),
            config=state.config if whole.config_changed else None,
            calls_granted=state.calls_granted,
            ended=whole.ended,
            commands=whole.commands,
            events=whole.events,
            replies=whole.replies,
            traces=whole.traces,
            journal=self._journal,
        )


def _values(keys: Iterable[str], table: Mapping[str, T]) -> dict[str, T | None]:
    return {key: table.get(key) for key in keys}
