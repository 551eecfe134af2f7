"""mod_callcenter's agents: their telephones, and what their own times become in the queues that they share."""

from __future__ import annotations

import re
from dataclasses import dataclass

from routing.app.importing.callcenter_rules import seconds_of
from routing.app.importing.callcenter_source import CallcenterSource, Owner
from routing.app.importing.draft import (
    MAX_RING_S,
    AgentDraft,
    Ids,
    Imported,
    QueueDraft,
    is_phone,
    label,
    most_common,
    skip_s,
)
from routing.app.importing.findings import Setting
from routing.app.settings import PbxKind
from routing.core.config import AfterMiss, RonaCause

_BRACKETS = re.compile(r"^(?:\{[^}]*\}|\[[^\]]*\]|<[^>]*>)+")
_LEG_TIMEOUT = re.compile(r"(?:leg_timeout|originate_timeout|call_timeout)=([0-9]{1,6})")
_GATEWAY = "sofia/gateway/"
_USER = re.compile(r"user/([A-Za-z0-9_.+-]{1,60})(?:@(.*))?")
_REGISTERED = re.compile(r"sofia/[^/]{1,64}/([A-Za-z0-9_.+-]{1,60})%(.*)")
_OWN_DOMAIN = {"", "default"}
_TIMES = ("max-no-answer", "wrap-up-time", "reject-delay-time", "busy-delay-time", "no-answer-delay-time")
_KNOWN = {"type", "contact", "status", *_TIMES}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """Of one agent. `ring_s` None: his contact says nothing."""

    ring_s: int | None
    misses: int
    wrap_up_s: int
    rejected_s: int
    busy_s: int
    no_answer_s: int


class Agents:
    """`ids`: names there -> ids here."""

    def __init__(self, source: CallcenterSource, imported: Imported) -> None:
        self._source, self._imported, self._ledger = source, imported, imported.ledger
        self.ids: dict[str, str] = {}
        self._times: dict[str, _Times] = {}

    def read(self) -> None:
        ids = Ids()
        phones: dict[str, str] = {}
        for name, owner in self._source.agents.items():
            agent_id = self.ids[name] = ids.make(name, "agent")
            draft = AgentDraft(id=agent_id, name=label(name.partition("@")[0] or name), phone="", source=name)
            self._imported.agents[agent_id] = draft
            self._ledger.kept(owner.named, f"agents.{agent_id}")
            self._contact(owner, draft)
            if draft.phone and phones.setdefault(draft.phone, agent_id) != agent_id:
                draft.why_not = f"agent {phones[draft.phone]} has this telephone"
            if draft.why_not:
                advice = f"{draft.why_not}: he stands in agents.toml as a comment; give him a telephone of his own"
                self._ledger.missing(owner.named, advice)
            self._times[name] = _times(owner)
            self._other_keys(owner)

    def _contact(self, owner: Owner, draft: AgentDraft) -> None:
        setting = owner.keys.get("contact")
        if setting is None or not setting.value:
            draft.why_not = "he has no contact"
            if setting:
                self._ledger.unused(setting, "empty")
            return
        text = _BRACKETS.sub("", setting.value.strip())
        variables = _LEG_TIMEOUT.sub("", setting.value.strip().removesuffix(text)).strip("{}[]<>, ")
        draft.phone = _phone(text)
        if not draft.phone:
            draft.why_not = "his contact is no telephone that registers here"
            advice = "only user/NUMBER, sofia/PROFILE/NUMBER%DOMAIN and sofia/gateway/NAME/NUMBER are"
            self._ledger.missing(setting, advice)
            return
        differs = [
            "no state is seen of it: he counts as free whenever he is in none of our calls"
            if draft.phone.startswith(_GATEWAY)
            else "",
            "the variables before the address are not set on his calls" if variables else "",
        ]
        self._told(setting, f'agents.{draft.id}.phone = "{draft.phone}"', "", [why for why in differs if why])

    def _other_keys(self, owner: Owner) -> None:
        for name, setting in owner.keys.items():
            if name == "type" and setting.value.lower() != "callback":
                self._ledger.missing(setting, "agents are always rung: nobody waits on an open line")
            elif name == "type":
                self._ledger.kept(setting, "agents are rung")
            elif name == "status":
                advice = "nobody is signed in by a file: he signs in himself, *61 or POST /v1/agents/ID/sign-in"
                (self._ledger.unused if setting.value == "Logged Out" else self._ledger.missing)(setting, advice)
            elif name not in _KNOWN:
                self._ledger.unused(setting, "mod_callcenter does not know it either")

    def settle(self, queue_ids: dict[str, str], ring_s: int, going_on: set[str]) -> None:
        """Queues take the times that most of their agents have; the others are told.

        `going_on`: queues whose missed calls go on to the next agent.
        """
        for name, owner in self._source.queues.items():
            draft = self._imported.queues[queue_ids[name]]
            members = [agent for queue, agent in self._source.tiers if queue == name and agent in self.ids]
            times = [self._times[agent] for agent in members]
            draft.wrap_up_s = most_common(t.wrap_up_s for t in times) or 0
            strategy = owner.keys.get("strategy")
            if strategy is None or strategy.value.lower() != "ring-progressively":
                draft.ring_timeout_s = most_common(t.ring_s or ring_s for t in times) or ring_s
            self._misses(owner, draft, times, goes_on=draft.id in going_on)
        for name, owner in self._source.agents.items():
            joined = [queue_ids[q] for q, agent in self._source.tiers if agent == name and q in queue_ids]
            self._compare(owner, [self._imported.queues[queue] for queue in joined], self._times[name])

    def _misses(self, owner: Owner, draft: QueueDraft, times: list[_Times], *, goes_on: bool) -> None:
        setting = owner.keys.get("agent-no-answer-status")
        misses = most_common(t.misses for t in times) or 0
        stays = setting is not None and setting.value.startswith("Available")
        then = AfterMiss.RONA if misses and not stays else AfterMiss.AVAILABLE
        delays = {
            RonaCause.NO_ANSWER: (then, most_common(t.no_answer_s for t in times)),
            RonaCause.UNREACHABLE: (then, most_common(t.no_answer_s for t in times)),
            RonaCause.REJECTED: (AfterMiss.AVAILABLE, most_common(t.rejected_s for t in times)),
            RonaCause.BUSY: (AfterMiss.AVAILABLE, most_common(t.busy_s for t in times)),
        }
        draft.on_miss = {
            cause: (after, skip_s(seconds or 0, draft, len(times), goes_on=goes_on))
            for cause, (after, seconds) in delays.items()
        }
        if setting is None:
            return
        became = f"queues.{draft.id}.on_miss.no_answer.then"
        if stays or setting.value == "On Break":
            self._ledger.kept(setting, became)
        else:
            self._ledger.changed(setting, became, "he is in RONA, signed in but not available, until he comes back")

    def _compare(self, owner: Owner, queues: list[QueueDraft], times: _Times) -> None:
        """His own times beside those of his queues."""
        for name in _TIMES:
            setting = owner.keys.get(name)
            if setting is None:
                continue
            if not queues:
                self._ledger.unused(setting, "he is in no queue")
            elif name == "wrap-up-time":
                others = [f"{q.id} has {q.wrap_up_s} s" for q in queues if q.wrap_up_s != times.wrap_up_s]
                self._told(setting, "queues.ID.wrap_up.timeout_s", "wrap-up belongs to the queue here", others)
            elif name == "max-no-answer":
                self._no_answers(setting, queues, times)
            else:
                self._delay(setting, queues, times)
        contact = owner.keys.get("contact")
        if contact is not None and times.ring_s is not None:
            others = [f"{q.id} has {q.ring_timeout_s} s" for q in queues if q.ring_timeout_s != times.ring_s]
            ring = Setting(
                file=contact.file, line=contact.line, owner=contact.owner, name="leg_timeout", value=str(times.ring_s)
            )
            self._told(ring, "queues.ID.ring_timeout_s", "the ring time belongs to the queue here", others)

    def _told(self, setting: Setting, became: str, why: str, others: list[str]) -> None:
        if others:
            self._ledger.changed(setting, became, f"{why}: {', '.join(others)}" if why else "; ".join(others))
        else:
            self._ledger.kept(setting, became)

    def _no_answers(self, setting: Setting, queues: list[QueueDraft], times: _Times) -> None:
        became = "queues.ID.on_miss.no_answer"
        is_rona = [q.on_miss[RonaCause.NO_ANSWER][0] is AfterMiss.RONA for q in queues]
        others = [q.id for q, rona in zip(queues, is_rona, strict=True) if rona != bool(times.misses)]
        if others:
            advice = f"belongs to the queue here, and in {', '.join(others)} most agents have it otherwise"
            self._ledger.changed(setting, became, advice)
        elif times.misses > 1:
            self._ledger.changed(setting, became, "RONA comes with the first call that he does not answer")
        else:
            self._ledger.kept(setting, became)

    def _delay(self, setting: Setting, queues: list[QueueDraft], times: _Times) -> None:
        cause, seconds = {
            "reject-delay-time": (RonaCause.REJECTED, times.rejected_s),
            "busy-delay-time": (RonaCause.BUSY, times.busy_s),
            "no-answer-delay-time": (RonaCause.NO_ANSWER, times.no_answer_s),
        }[setting.name]
        if all(queue.on_miss[cause][0] is AfterMiss.RONA for queue in queues):
            self._ledger.unused(setting, "he is in RONA until he comes back")
            return
        advice = "only the call that he missed passes him over for so long; another may be offered at once"
        others = [f"{q.id} has {q.on_miss[cause][1]} s" for q in queues if q.on_miss[cause][1] != seconds]
        self._ledger.changed(setting, f"queues.ID.on_miss.{cause}.skip_s", "; ".join([advice, *others]))


def _phone(address: str) -> str:
    """The telephone, empty where it is none. A domain that is a variable, or `default`, is FreeSWITCH's own."""
    phone = address if address.startswith(_GATEWAY) else ""
    if found := _USER.fullmatch(address) or _REGISTERED.fullmatch(address):
        domain = found.group(2) or ""
        phone = f"user/{found.group(1)}" + (f"@{domain}" if domain not in _OWN_DOMAIN and "$" not in domain else "")
    return phone if is_phone(PbxKind.FREESWITCH, phone) else ""


def _times(owner: Owner) -> _Times:
    def seconds(name: str) -> int:
        setting = owner.keys.get(name)
        return seconds_of(setting) if setting and setting.value else 0

    contact = owner.keys.get("contact")
    found = _LEG_TIMEOUT.search(contact.value) if contact else None
    return _Times(
        ring_s=min(MAX_RING_S, max(1, int(found.group(1)))) if found else None,
        misses=seconds("max-no-answer"),
        wrap_up_s=seconds("wrap-up-time"),
        rejected_s=seconds("reject-delay-time"),
        busy_s=seconds("busy-delay-time"),
        no_answer_s=seconds("no-answer-delay-time"),
    )
