"""A commit as KEYS and ARGV of lua/commit.lua; the header of that file is the layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from routing.core.facts import PhoneState
from routing.core.record import RecordLive, RecordState
from routing.store.codec import Codecs
from routing.store.keys import Keys
from routing.store.port import KEPT, Commit, Limits
from routing.store.redis_link import Word

T = TypeVar("T")

# What a commit writes to in any case, with its type in Redis.
FIXED = {
    "fence": "string",
    "meta": "hash",
    "inputs": "stream",
    "interactions": "hash",
    "agents": "hash",
    "phones": "hash",
    "links": "hash",
    "timers": "zset",
    "config": "string",
    "events": "stream",
    "journal": "stream",
    "ended_index": "list",
    "revisions": "list",
    "figures": "hash",
    "campaigns": "hash",
    "records": "hash",
    "in_hand": "hash",
    "hopper": "hash",
    "hopper_counts": "hash",
}


class CommitScript:
    """Collects the sections; `keys` and `args` are complete after the constructor."""

    def __init__(self, keys: Keys, limits: Limits, token: int, commit: Commit, codecs: Codecs) -> None:
        self._names, self._codecs = keys, codecs
        self._numbers: dict[str, int] = {}
        self.keys = [keys(name) for name in FIXED]
        self.args: list[Word] = [token, commit.base_seq, commit.seq, commit.now_ms, commit.position]
        self.args += [limits.events, limits.commands, limits.traces_per_interaction, limits.ended]
        self.args += [limits.trace_ttl_ms, limits.ended_ttl_ms, limits.revisions]
        self.args.append("" if commit.calls_granted is None else commit.calls_granted)
        self._add_state(commit)
        self._add_outputs(commit, limits)

    def _add_state(self, commit: Commit) -> None:
        self._hash(commit.interactions, self._codecs.encode)
        self._hash(commit.agents, self._codecs.encode)
        self._hash(commit.phones, phone_text)
        self._hash(commit.links, link_text)
        self._hash(commit.figures, self._codecs.encode)
        self._hash(commit.campaigns, self._codecs.encode)
        self._hash(commit.records, self._codecs.encode)
        self._hash({id_: _of(record, is_ready=False) or None for id_, record in commit.records.items()}, str)
        self._section([word for id_, record in commit.records.items() for word in (id_, _of(record, is_ready=True))])
        set_timers: list[Word] = []
        for key, at_ms in commit.timers.items():
            if at_ms is not None:
                set_timers += (at_ms, key)
        self._section(set_timers)
        self._section([key for key, at_ms in commit.timers.items() if at_ms is None])
        self._section([self._codecs.encode(commit.config)] if commit.config else [])

    def _add_outputs(self, commit: Commit, limits: Limits) -> None:
        commands: list[Word] = []
        for command in commit.commands:
            commands += (self._number("commands", command.pbx), self._codecs.tagged(command))
        self._section(commands)
        self._section([self._codecs.encode(event) for event in commit.events])
        replies: list[Word] = []
        for reply in commit.replies:
            ttl_ms = limits.kept_reply_ttl_ms if reply.reply_to.startswith(KEPT) else limits.reply_ttl_ms
            replies += (self._number("reply", reply.reply_to), ttl_ms, self._codecs.encode(reply))
        self._section(replies)
        traces: list[Word] = []
        for trace in commit.traces:
            traces += (self._number("trace", trace.interaction_id), self._codecs.encode(trace))
        self._section(traces)
        ended: list[Word] = []
        for id_, interaction in commit.ended.items():
            ended += (self._number("ended", id_), id_, self._codecs.encode(interaction))
        self._section(ended)
        journal: list[Word] = []
        for entry in commit.journal:
            journal += (entry.seq, self._codecs.journaled(entry))
        self._section(journal)

    def _hash(self, changes: Mapping[str, T | None], text: Callable[[T], Word]) -> None:
        if not changes:
            self.args += (0, 0)
            return
        values: list[Word] = []
        gone: list[Word] = []
        for key, value in changes.items():
            if value is None:
                gone.append(key)
            else:
                values += (key, text(value))
        self._section(values)
        self._section(gone)

    def _section(self, words: list[Word]) -> None:
        self.args.append(len(words))
        self.args += words

    def _number(self, *parts: str) -> int:
        """Number in KEYS of a key that is not among the fixed ones."""
        key = self._names(*parts)
        found = self._numbers.get(key)
        if found is None:
            self.keys.append(key)
            found = self._numbers[key] = len(self.keys)
        return found


def _of(record: RecordLive | None, *, is_ready: bool) -> str:
    """Its campaign, if it waits in the hopper, or if it does not; else empty."""
    if record is None or (record.state is RecordState.READY) is not is_ready:
        return ""
    return record.card.campaign


def phone_text(state: PhoneState) -> str:
    return state.value


def link_text(is_up: bool) -> str:
    return "1" if is_up else "0"
