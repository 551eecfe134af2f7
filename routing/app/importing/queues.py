"""app_queue -> our draft. The order in which members are asked is kept: penalties become ranks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from routing.app.importing.asterisk_conf import Section, read_sections
from routing.app.importing.draft import (
    MAX_LEVEL,
    MAX_RANK,
    Ids,
    Imported,
    QueueDraft,
    Seat,
    give_ranks,
    label,
    let_in_later,
    share_recording,
    skip_s,
)
from routing.app.importing.findings import Ledger, Setting
from routing.app.importing.queues_members import Directory, Member, Members
from routing.app.importing.queues_rules import (
    DEFAULT_STRATEGY,
    GENERAL,
    JOINT,
    RETRY_S,
    RINGALL,
    STRATEGIES,
    TIMEOUT_S,
    Choice,
    plain,
)
from routing.app.settings import PbxKind
from routing.core.config import AfterMiss, RonaCause

_ALWAYS = {"joinempty": {"", "yes", "true", "1", "on", "y", "t"}, "leavewhenempty": {"", "no", "false", "0", "off"}}
_PRIORITY = 5
_HIGHEST = 10


def read_queues(file: Path, agents: Iterable[Path] = ()) -> Imported:
    """`agents`: agents.conf and extensions.conf, for names, PINs and hints. Raises ImportRefused."""
    imported = Imported(source=file.name, pbx=PbxKind.ASTERISK)
    directory = Directory()
    for other in agents:
        directory.take(other, imported.ledger)
    _Queues(imported, directory).read(read_sections(file, imported.ledger))
    return imported


class _Queues:
    def __init__(self, imported: Imported, directory: Directory) -> None:
        self._imported, self._ledger = imported, imported.ledger
        self._members = Members(imported, directory)
        self._ids = Ids()
        self._weights: dict[str, Setting] = {}
        self._seats: list[Seat] = []
        self._names: dict[str, Setting] = {}

    def read(self, sections: list[Section]) -> None:
        seen: set[str] = set()
        for section in sections:
            named = Setting(file=section.file, line=section.line, owner=section.name, name="queue", value=section.name)
            if section.name == "general":
                self._general(section)
            elif section.name.lower() in seen:
                self._ledger.unused(named, "there are several queues of this name; the first one counts")
                for setting in section.settings:
                    self._ledger.unused(setting, "of a queue that does not count")
            else:
                seen.add(section.name.lower())
                self._queue(section, named)
        self._priorities()
        for queue_id, places in give_ranks(self._imported, self._seats).items():
            advice = f"{places} places, but only {MAX_RANK} ranks: the last ones share a rank and go by agents.ID.order"
            self._ledger.changed(self._names[queue_id], f"queues.{queue_id}", advice)
        for agent_id in share_recording(self._imported):
            self._not_recorded(agent_id)

    def _general(self, section: Section) -> None:
        for setting in section.settings:
            is_lost, advice = GENERAL.get(setting.name.lower(), (False, "app_queue does not know it either"))
            if setting.name.lower() == "autofill":
                plain(setting, QueueDraft(id="ID", label=""), self._ledger)
            elif is_lost and setting.is_on:
                self._ledger.missing(setting, advice)
            else:
                self._ledger.unused(setting, advice)

    def _queue(self, section: Section, named: Setting) -> None:
        queue_id = self._ids.make(section.name, "queue")
        draft = QueueDraft(id=queue_id, label=label(section.name), ring_timeout_s=TIMEOUT_S)
        self._imported.queues[queue_id] = draft
        self._names[queue_id] = named
        self._ledger.kept(named, f"queues.{queue_id}, entry_points.{queue_id}")
        joint: dict[str, Setting] = {}
        for setting in _last_ones(section.settings, self._ledger):
            if (name := setting.name.lower()) in JOINT:
                joint[name] = setting
            elif name != "member":
                plain(setting, draft, self._ledger)
        members = self._members.read((s for s in section.settings if s.name.lower() == "member"), queue_id)
        choice = self._strategy(joint.get("strategy"), draft)
        together = self._places(choice, joint, draft, members)
        self._empty(joint, draft)
        self._misses(joint, draft, together if choice.goes_on else 0)
        if weight := joint.get("weight"):
            self._weights[queue_id] = weight
        if (recorded := joint.get("monitor-format")) is not None:
            self._record(recorded, draft)

    def _strategy(self, setting: Setting | None, draft: QueueDraft) -> Choice:
        word = setting.value.lower() if setting else DEFAULT_STRATEGY
        choice = STRATEGIES.get(word, RINGALL)
        draft.strategy = choice.strategy
        became = f'queues.{draft.id}.strategy = "{choice.strategy}"' + (", ranks" if choice.by_position else "")
        if setting and word not in STRATEGIES:
            self._ledger.changed(setting, became, "app_queue does not know it and takes ringall; so does this")
        elif setting and choice.advice:
            self._ledger.changed(setting, became, choice.advice)
        elif setting:
            self._ledger.kept(setting, became)
        return choice

    def _places(self, choice: Choice, joint: dict[str, Setting], draft: QueueDraft, members: dict[str, Member]) -> int:
        """Returns how many members the largest group of one penalty has."""
        limit = joint.get("penaltymemberslimit")
        counts = choice.by_penalty and len(members) > (limit.whole() if limit else 0)
        if limit:
            advice = f"{len(members)} members: their penalties {'count' if counts else 'do not count'}"
            self._ledger.kept(limit, advice)
        penalties = {agent_id: member.penalty if counts else 0 for agent_id, member in members.items()}
        for agent_id, member in members.items():
            place = (penalties[agent_id], member.position) if choice.by_position else (penalties[agent_id],)
            self._seats.append(Seat(queue=draft.id, agent=agent_id, place=place))
            if member.fields["penalty"]:
                self._note_penalty(member, f"agents.{agent_id}.queues.{draft.id}", counts=counts)
        if choice is RINGALL and len(set(penalties.values())) > 1:
            self._ring_in_steps(draft, joint, penalties)
        return max(Counter(penalties.values()).values(), default=0)

    def _note_penalty(self, member: Member, became: str, *, counts: bool) -> None:
        if counts:
            self._ledger.kept(member.part("penalty"), became)
        else:
            self._ledger.unused(member.part("penalty"), "does not count in this queue")

    def _ring_in_steps(self, draft: QueueDraft, joint: dict[str, Setting], penalties: dict[str, int]) -> None:
        """ringall rings those of the lowest penalty who are free: the others are let in a ring time later."""
        step_s = draft.ring_timeout_s + _retry(joint)
        order = sorted(set(penalties.values()))
        waits = {agent_id: order.index(penalty) * step_s for agent_id, penalty in penalties.items()}
        too_many = let_in_later(self._imported, draft.id, waits)
        advice = (
            f"members of the next penalty are rung {step_s} s later, after one round; there they are rung when all "
        )
        advice += "before them are busy, paused or not registered"
        advice += f"; {too_many} penalties share the last of {MAX_LEVEL} steps" if too_many else ""
        self._ledger.changed(self._names[draft.id], f"queues.{draft.id}.relaxation", advice)

    def _empty(self, joint: dict[str, Setting], draft: QueueDraft) -> None:
        given = [joint[name] for name in ("joinempty", "leavewhenempty") if name in joint]
        leaving = [s for s in given if s.value.strip().lower() not in _ALWAYS[s.name.lower()]]
        draft.leave_when_no_agents = bool(leaving)
        became = f"queues.{draft.id}.leave_when_no_agents"
        for setting in given:
            if setting in leaving:
                advice = (
                    "callers neither join nor stay while nobody is signed in (SR_RESULT=no_agents); whoever is signed "
                )
                advice += "in counts as there, also idle (paused), busy, or with a telephone that is not registered"
                self._ledger.changed(setting, became, advice)
            elif leaving:
                self._ledger.changed(
                    setting, became, f"one key here: {leaving[0].name} decides for joining and staying"
                )
            else:
                self._ledger.kept(setting, f"without {became}")

    def _misses(self, joint: dict[str, Setting], draft: QueueDraft, going_on: int) -> None:
        """`going_on`: members of one penalty in a queue whose missed calls go on to the next, else 0."""
        skipped_s = skip_s(_retry(joint), draft, going_on, goes_on=going_on > 0)
        modes = {name: joint.get(name) for name in ("autopause", "autopausebusy", "autopauseunavail")}
        pauses = modes["autopause"] is not None and modes["autopause"].value.lower() in {"yes", "all"}
        causes = {
            RonaCause.NO_ANSWER: pauses,
            RonaCause.REJECTED: pauses and bool(modes["autopausebusy"] and modes["autopausebusy"].is_on),
            RonaCause.BUSY: pauses and bool(modes["autopausebusy"] and modes["autopausebusy"].is_on),
            RonaCause.UNREACHABLE: pauses and bool(modes["autopauseunavail"] and modes["autopauseunavail"].is_on),
        }
        draft.on_miss = {
            cause: (AfterMiss.RONA if is_rona else AfterMiss.AVAILABLE, skipped_s) for cause, is_rona in causes.items()
        }
        for name, setting in modes.items():
            if setting is not None and name == "autopause" and setting.value.lower() == "yes":
                advice = "he is in RONA in all his queues, not paused in this one, until he makes himself available"
                self._ledger.changed(setting, f"queues.{draft.id}.on_miss", advice)
            elif setting is not None:
                self._ledger.kept(setting, f"queues.{draft.id}.on_miss")
        if retry := joint.get("retry"):
            advice = "calls are offered at once; only an agent who missed one is passed over by it for so long"
            self._ledger.changed(retry, f"queues.{draft.id}.on_miss.no_answer.skip_s", advice)

    def _record(self, setting: Setting, draft: QueueDraft) -> None:
        if not setting.value:
            self._ledger.unused(setting, "empty: nothing is recorded")
            return
        draft.is_recorded = True
        advice = "agents of whom every queue is recorded have the profile `recorded`; files are always WAV, named "
        self._ledger.changed(setting, "profiles.recorded", advice + "INTERACTION-LEG.wav, in SR_RECORD_DIR")

    def _not_recorded(self, agent_id: str) -> None:
        queue_id = next(q for q in self._imported.agents[agent_id].queues if self._imported.queues[q].is_recorded)
        advice = f"agent {agent_id} is in queues with monitor-format and in others: he is not recorded at all, since a "
        advice += 'profile knows no queues; give him profile = "recorded" if all his calls may be recorded'
        self._ledger.missing(self._names[queue_id], advice)

    def _priorities(self) -> None:
        """Weights are absolute: no waiting makes up for them, so that nothing may age."""
        weights = {queue_id: setting.whole() for queue_id, setting in self._weights.items()}
        used = sorted({0, *weights.values()})
        if used == [0]:
            for setting in self._weights.values():
                self._ledger.kept(setting, "the priority that all have")
            return
        lowest = max(1, _PRIORITY - used.index(0))
        priority_of = {weight: min(_HIGHEST, lowest + place) for place, weight in enumerate(used)}
        for queue_id, draft in self._imported.queues.items():
            draft.priority, draft.aging_per_min = priority_of[weights.get(queue_id, 0)], 0
        too_many = " and the highest weights share priority 10" if lowest + len(used) - 1 > _HIGHEST else ""
        advice = "all queues have aging_per_min = 0, as weights know no waiting: raise it where calls shall not starve"
        for queue_id, setting in self._weights.items():
            self._ledger.changed(setting, f"queues.{queue_id}.priority", advice + too_many)


def _last_ones(settings: list[Setting], ledger: Ledger) -> list[Setting]:
    """app_queue reads from top to bottom: of a key that is given twice the last one counts."""
    last = {setting.name.lower(): setting for setting in settings}
    for setting in settings:
        if setting.name.lower() != "member" and last[setting.name.lower()] is not setting:
            ledger.unused(setting, "stands there twice; the last one counts")
    return [
        setting for setting in settings if last[setting.name.lower()] is setting and setting.name.lower() != "member"
    ]


def _retry(joint: dict[str, Setting]) -> int:
    setting = joint.get("retry")
    found = setting.whole() if setting else RETRY_S
    return min(found, 86_400) if found > 0 else RETRY_S
