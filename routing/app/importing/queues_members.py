"""app_queue's members: their telephones, names and places."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from routing.app.importing.asterisk_conf import Section, read_sections
from routing.app.importing.draft import AgentDraft, Ids, Imported, is_phone, label
from routing.app.importing.findings import Ledger, Setting
from routing.app.settings import PbxKind

_UNWATCHED = ("Local/", "Agent/")
_HINT = re.compile(r"([^,]+),\s*hint\s*,\s*([^,&]+)", re.IGNORECASE)
_OLD_AGENT = re.compile(r"([^,]+),([^,]*)(?:,(.*))?")
_FIELDS = ("interface", "penalty", "membername", "state_interface", "ringinuse", "wrapuptime", "paused")


@dataclass(slots=True)
class Directory:
    """What the files of `--agents` say. `hints`: `1001@agents` -> telephone; `names`, `pins` by agent number."""

    hints: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    pins: dict[str, str] = field(default_factory=dict)

    def take(self, file: Path, ledger: Ledger) -> None:
        """An agents.conf or an extensions.conf; what it holds besides is none of an import's business."""
        for section in read_sections(file, Ledger()):
            for setting in section.settings:
                self._setting(section, setting, ledger)

    def _setting(self, section: Section, setting: Setting, ledger: Ledger) -> None:
        name = setting.name.lower()
        if name == "fullname":
            self.names[section.name] = setting.value
        elif name == "agent" and (old := _OLD_AGENT.fullmatch(setting.value)):
            self.names[old.group(1).strip()] = (old.group(3) or "").strip()
            self._pin(old.group(1).strip(), old.group(2).strip(), setting, ledger)
        elif name == "exten" and (hint := _HINT.fullmatch(setting.value)):
            self.hints[f"{hint.group(1).strip()}@{section.name}"] = hint.group(2).strip()

    def _pin(self, number: str, pin: str, setting: Setting, ledger: Ledger) -> None:
        if re.fullmatch(r"[0-9]{3,12}", pin, re.ASCII):
            self.pins[number] = pin
        elif pin:
            named = Setting(file=setting.file, line=setting.line, owner=f"agent {number}", name="password", value="...")
            ledger.missing(named, "a PIN has 3 to 12 digits: give him one in agents.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One `member =>` line, its fields stripped; what it does not give is empty. `position` in its queue, from 0."""

    setting: Setting
    position: int
    fields: dict[str, str]

    def part(self, name: str) -> Setting:
        """One field as a setting of its own."""
        whole = self.setting
        owner = f"{whole.owner}: member {self.fields['interface']}"
        return Setting(file=whole.file, line=whole.line, owner=owner, name=name, value=self.fields[name])

    @property
    def penalty(self) -> int:
        return max(0, self.part("penalty").whole()) if self.fields["penalty"] else 0


class Members:
    """Agents by their telephone: the same one in two queues is one agent."""

    def __init__(self, imported: Imported, directory: Directory) -> None:
        self._imported, self._directory, self._ledger = imported, directory, imported.ledger
        self._ids = Ids()
        self._by_phone: dict[str, str] = {}

    def read(self, settings: Iterable[Setting], queue_id: str) -> dict[str, Member]:
        """Agent's id -> his line in this queue; the first counts."""
        found: dict[str, Member] = {}
        for position, setting in enumerate(settings):
            words = [word.strip() for word in setting.value.split(",", len(_FIELDS) - 1)]
            fields = dict(zip(_FIELDS, words + [""] * len(_FIELDS), strict=False))
            member = Member(setting=setting, position=position, fields=fields)
            if not fields["interface"]:
                raise setting.refused("needs an interface")
            agent_id = self._agent(member)
            if agent_id in found:
                self._ledger.unused(setting, f"agent {agent_id} is in {queue_id} already; his first line counts")
                continue
            found[agent_id] = member
            self._note(member, agent_id, queue_id)
        return found

    def _agent(self, member: Member) -> str:
        phone = self._phone(member.fields)
        if phone in self._by_phone:
            return self._by_phone[phone]
        number = _number_of(phone)
        known = self._directory
        name = member.fields["membername"] or known.names.get(number, "") or number
        agent_id = self._by_phone[phone] = self._ids.make(number, "agent")
        draft = AgentDraft(id=agent_id, name=label(name), phone=phone, source=phone, pin=known.pins.get(number, ""))
        if phone.startswith(_UNWATCHED) or not is_phone(PbxKind.ASTERISK, phone):
            draft.why_not = f"{phone} is no telephone whose state can be seen"
        self._imported.agents[agent_id] = draft
        return agent_id

    def _phone(self, fields: dict[str, str]) -> str:
        """The telephone behind a Local or Agent channel, where the line or the hints tell it."""
        interface, state = fields["interface"], fields["state_interface"]
        if not interface.startswith(_UNWATCHED):
            return interface
        if state.lower().startswith("hint:"):
            hint = state[5:]
            state = self._directory.hints.get(hint if "@" in hint else f"{hint}@default", "")
        elif not state:
            state = self._directory.hints.get(interface.partition("/")[2].partition("/")[0], "")
        return state if state and not state.startswith(_UNWATCHED) else interface

    def _note(self, member: Member, agent_id: str, queue_id: str) -> None:
        draft = self._imported.agents[agent_id]
        became, setting = f"agents.{agent_id}.queues.{queue_id}", member.setting
        if draft.why_not:
            advice = f"{draft.why_not}: he stands in agents.toml as a comment; name his own telephone there, or give "
            self._ledger.missing(setting, advice + "agents.conf or the extensions.conf with its hints as --agents")
        elif draft.phone != member.fields["interface"]:
            advice = f"{draft.phone} is rung itself: what the dialplan does on the way to it is not done"
            self._ledger.changed(setting, became, advice)
        else:
            self._ledger.kept(setting, became)
        self._parts(member, draft)

    def _parts(self, member: Member, draft: AgentDraft) -> None:
        given = member.fields
        if given["membername"] and label(given["membername"]) != draft.name:
            self._ledger.changed(member.part("membername"), f"agents.{draft.id}.name", f"is {draft.name!r} already")
        if given["state_interface"] not in {"", draft.phone} and not given["state_interface"].startswith("hint:"):
            self._ledger.missing(member.part("state_interface"), f"the state of {draft.phone} itself counts")
        if given["ringinuse"] and member.part("ringinuse").is_on:
            self._ledger.missing(member.part("ringinuse"), "an agent whose telephone is busy is offered nothing")
        if given["paused"] and member.part("paused").is_on:
            self._ledger.unused(member.part("paused"), "nobody is available before he signs in")
        if given["wrapuptime"] and (own := member.part("wrapuptime")).whole() > 0:
            self._ledger.missing(own, "wrap-up belongs to the queue: queues.ID.wrap_up.timeout_s")


def _number_of(phone: str) -> str:
    """`PJSIP/1001` -> `1001`, `Local/1001@agents/n` -> `1001`."""
    return phone.partition("/")[2].partition("/")[0].partition("@")[0] or phone
