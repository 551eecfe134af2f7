"""Orders that must not get lost on a PBX: said again as long as nobody knows whether they were carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from routing.core.commands import Command, HangUpLeg, MarkLeg, ReturnLeg
from routing.core.facts import CommandEnded, CommandOutcome

log = structlog.get_logger()

# Harmless when done twice, and nothing else would do them: rooms are asked for again by the core, dialling is at
# most once.
REPEATABLE = (HangUpLeg, ReturnLeg, MarkLeg)
ATTEMPTS = 4
PAUSE_S = 1.0


@dataclass(slots=True)
class _Kept:
    command: Command
    attempts: int = 1


class Repeats:
    """`submit` gives a command to the port again."""

    def __init__(self, pbx: str, submit: Callable[[Command], None], pause_s: float = PAUSE_S) -> None:
        self._pbx, self._submit, self._pause_s = pbx, submit, pause_s
        self._kept: dict[str, _Kept] = {}
        self._adrift: list[str] = []

    def note(self, command: Command) -> None:
        """A command is about to be submitted for the first time."""
        if isinstance(command, REPEATABLE):
            self._kept[command.id] = _Kept(command)

    def takes(self, end: CommandEnded, *, is_up: bool) -> bool:
        """Whether this end is not the end: the command will be said again, at once or when the link is back."""
        kept = self._kept.get(end.command_id)
        if kept is None:
            return False
        # What is refused for want of a link was not refused by the PBX. A refused hang-up leaves a leg behind that
        # is nobody's any more: the PBX is asked again, too.
        is_final = is_up and not isinstance(kept.command, HangUpLeg)
        is_known = end.outcome is CommandOutcome.SUCCEEDED or (end.outcome is CommandOutcome.REFUSED and is_final)
        if is_known or kept.attempts >= ATTEMPTS:
            del self._kept[end.command_id]
            return False
        kept.attempts += 1
        log.warning("command_repeated", pbx=self._pbx, type=type(kept.command).__name__, attempt=kept.attempts)
        if is_up:
            asyncio.get_running_loop().call_later(self._pause_s, self._submit, kept.command)
        else:
            self._adrift.append(end.command_id)
        return True

    def link_restored(self) -> None:
        """What was on its way when the link was lost; not within the port's own call."""
        adrift, self._adrift = self._adrift, []
        for command_id in adrift:
            asyncio.get_running_loop().call_soon(self._submit, self._kept[command_id].command)
