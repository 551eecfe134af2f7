"""mod_callcenter's tiers: who belongs to which queue, in which order, and who is let in only after some waiting."""

from __future__ import annotations

from dataclasses import dataclass

from routing.app.importing.callcenter_rules import Choice, seconds_of
from routing.app.importing.callcenter_source import CallcenterSource, Owner
from routing.app.importing.draft import MAX_LEVEL, MAX_RANK, Imported, Seat, let_in_later
from routing.app.importing.findings import Setting

_DEFAULT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRules:
    """As mod_callcenter reads them when a key is not given; the vanilla file gives all four."""

    is_on: bool = False
    wait_s: int = 0
    multiplies: bool = False
    skips_empty: bool = True

    def wait(self, level: int, lowest: int) -> int:
        """Seconds of a call's waiting before agents of this level are asked.

        The first level with somebody signed in is asked at once only with no-agent-no-wait; else only level 0 is.
        """
        if not self.is_on or level <= 0 or (self.skips_empty and level == lowest):
            return 0
        return level * self.wait_s if self.multiplies else self.wait_s


class Tiers:
    """`queue_ids`, `agent_ids`: their names there -> ids here."""

    def __init__(
        self, source: CallcenterSource, imported: Imported, queue_ids: dict[str, str], agent_ids: dict[str, str]
    ) -> None:
        self._source, self._imported, self._ledger = source, imported, imported.ledger
        self._queue_ids, self._agent_ids = queue_ids, agent_ids
        self._levels: dict[str, dict[str, int]] = {}
        self._named: dict[str, Setting] = {}

    def read(self, choices: dict[str, Choice]) -> list[Seat]:
        seats = []
        for (queue, agent), tier in self._source.tiers.items():
            if queue not in self._queue_ids or agent not in self._agent_ids:
                what = f"queue {queue}" if queue not in self._queue_ids else f"agent {agent}"
                self._ledger.unused(tier.named, f"there is no {what}: mod_callcenter does nothing with it either")
                for setting in tier.keys.values():
                    self._ledger.unused(setting, "of a tier that leads nowhere")
                continue
            queue_id, agent_id = self._queue_ids[queue], self._agent_ids[agent]
            level, position = (_number(tier, key) for key in ("level", "position"))
            self._levels.setdefault(queue_id, {})[agent_id] = level
            self._named[queue_id] = tier.named
            by_position = choices[queue_id].by_position
            self._note(tier, f"agents.{agent_id}.queues.{queue_id}", by_position=by_position)
            seats.append(Seat(queue=queue_id, agent=agent_id, place=(level, position) if by_position else (level,)))
        for name, owner in self._source.queues.items():
            self._rules(owner, self._queue_ids[name])
        return seats

    def finish(self, crowded: dict[str, int]) -> None:
        """Say where there were more places than ranks."""
        for queue_id, places in crowded.items():
            advice = f"{places} places, but only {MAX_RANK} ranks: the last ones share a rank and go by agents.ID.order"
            self._ledger.changed(self._named[queue_id], f"queues.{queue_id}", advice)

    def _note(self, tier: Owner, became: str, *, by_position: bool) -> None:
        self._ledger.kept(tier.named, became)
        for name, setting in tier.keys.items():
            if name == "level" or (name == "position" and by_position):
                self._ledger.kept(setting, f"the rank in {became}")
            elif name == "position":
                advice = "parts only agents of whom the strategy thinks alike to the second: here that is their id"
                self._ledger.unused(setting, advice)
            else:
                self._ledger.unused(setting, "mod_callcenter does not know it either")

    def _rules(self, owner: Owner, queue_id: str) -> None:
        rules = _tier_rules(owner)
        levels = self._levels.get(queue_id, {})
        lowest = min(levels.values(), default=_DEFAULT)
        waits = {agent: rules.wait(level, lowest) for agent, level in levels.items()}
        too_many = let_in_later(self._imported, queue_id, waits)
        self._note_rules(owner, rules, queue_id)
        applied = owner.keys.get("tier-rules-apply")
        if applied and too_many:
            advice = (
                f"{too_many} of the waiting times do not fit into {MAX_LEVEL} skill levels: those agents are let in "
            )
            self._ledger.changed(applied, f"queues.{queue_id}.relaxation", advice + "with the last that does")
        if applied and waits and min(waits.values()) > 0:
            advice = (
                f"every call waits {min(waits.values())} s before anybody is asked, as it did: only level 0 is asked "
            )
            advice += "at once there. If you did not mean that, lower the first after_s"
            self._ledger.changed(applied, f"queues.{queue_id}.requires", advice)

    def _note_rules(self, owner: Owner, rules: TierRules, queue_id: str) -> None:
        names = ("tier-rule-wait-second", "tier-rule-wait-multiply-level", "tier-rule-no-agent-no-wait")
        given = [owner.keys[name] for name in names if name in owner.keys]
        became = f"queues.{queue_id}.relaxation"
        if applied := owner.keys.get("tier-rules-apply"):
            self._ledger.kept(applied, became if rules.is_on else "all tiers at once, in the order of the ranks")
        for setting in given:
            if not rules.is_on:
                self._ledger.unused(setting, "belongs to tier-rules-apply, which is off")
            elif setting.name == "tier-rule-no-agent-no-wait" and rules.skips_empty:
                advice = "the lowest level is asked at once; where nobody of it is signed in, the next is asked at its "
                self._ledger.changed(setting, became, advice + "time, not at once")
            else:
                self._ledger.kept(setting, became)


def _number(tier: Owner, key: str) -> int:
    setting = tier.keys.get(key)
    return setting.whole() if setting and setting.value else _DEFAULT


def _tier_rules(owner: Owner) -> TierRules:
    keys, default = owner.keys, TierRules()

    def is_on(name: str, otherwise: bool) -> bool:
        return keys[name].is_on if name in keys else otherwise

    wait = keys.get("tier-rule-wait-second")
    return TierRules(
        is_on=is_on("tier-rules-apply", default.is_on),
        wait_s=seconds_of(wait) if wait else default.wait_s,
        multiplies=is_on("tier-rule-wait-multiply-level", default.multiplies),
        skips_empty=is_on("tier-rule-no-agent-no-wait", default.skips_empty),
    )
