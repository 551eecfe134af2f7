"""What events and decisions mean, in a sentence each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from routing.desk.language import DASH, noop, number, seconds
from routing.desk.language import gettext as _
from routing.desk.supervisor.names import name_of, queue_label, supervisor_name
from routing.desk.words_calls import outcome, unavailable
from routing.desk.words_work import call_result, ended_by

Told = dict[str, Any]
Say = Callable[[Told], str]
LEGEND = {
    "flow": noop("Flow step"),
    "wait": noop("Waits in a queue"),
    "offer": noop("Offered, rings"),
    "call": noop("In the call"),
    "talk": noop("Talks"),
    "hold": noop("On hold"),
    "wrap": noop("Wrap-up"),
    "record": noop("Recorded"),
    "pause": noop("Recording paused"),
    "listen": noop("Supervisor listens"),
    "decision": noop("Routing decision"),
    "data": noop("Call data saved"),
    "note": noop("Note"),
    "digits": noop("Digits sent"),
}
RULES = {
    "not_free": noop("not free"),
    "skipped": noop("missed this call before"),
    "queue_cap": noop("the queue has as many talking agents as it may"),
    "other_pbx": noop("no line leads to his telephone system"),
}
KEYS = {
    "rank": noop("Rank"),
    "available_since_ms": noop("Free since"),
    "minus_skill_levels": noop("Skill levels"),
    "occupancy": noop("Occupancy"),
    "last_offer_ms": noop("Last call offered"),
    "order": noop("Order"),
    "id": noop("Id"),
}
STRATEGIES = {
    "longest_idle": noop("longest idle first"),
    "most_skilled": noop("most skilled first"),
    "least_occupied": noop("least occupied first"),
    "round_robin": noop("in turn"),
    "linear": noop("in the configured order"),
    "ring_all": noop("all at once"),
}
CAUSES = {
    "full": noop("it is full"),
    "timeout": noop("the longest wait is over"),
    "no_agents": noop("nobody is signed in"),
    "no_skills": noop("nobody has the skills"),
    "closed": noop("it is closed"),
    "key": noop("he pressed a key"),
}
WAYS = {"blind": noop("directly"), "consult": noop("after a consult"), "not accepted": noop("not accepted")}
MODES = {"monitor": noop("Monitor"), "whisper": noop("Whisper"), "barge": noop("Barge in")}
LISTENING = {
    "ringing": noop("his telephone rings"),
    "joining": noop("about to hear it"),
    "active": noop("hears it"),
    "waiting": noop("hears nothing while no agent has the call"),
}
_SKILL = re.compile(r"skill (.+) < (\d+)")


def passed_over(rule: str) -> str:
    """Why an agent was not among those who were compared."""
    if found := _SKILL.fullmatch(rule):
        return _("%(skill)s below level %(level)s") % {"skill": found[1], "level": found[2]}
    return _(RULES[rule]) if rule in RULES else unavailable(rule)


def _word(words: dict[str, str], id_: object) -> str:
    return _(words[str(id_)]) if id_ in words else str(id_ or "")


def strategy(id_: str) -> str:
    return _word(STRATEGIES, id_)


def sort_key_name(id_: str) -> str:
    return _word(KEYS, id_)


def listening_mode(mode: str) -> str:
    return _word(MODES, mode)


def listening_state(state: str) -> str:
    return _word(LISTENING, state)


def requirement(requires: dict[str, int] | None) -> str:
    """Skills with their levels."""
    return ", ".join(f"{skill} {level}" for skill, level in (requires or {}).items())


def target(told: Told) -> str:
    """To whom it goes."""
    if told.get("to_agent"):
        return name_of(told["to_agent"])
    found = next(
        (told[name] for name in ("to_queue", "to_entry_point", "to_number", "target", "to") if told.get(name)), ""
    )
    return str(found)


def _who(told: Told) -> str:
    return name_of(told["agent_id"]) or str(told.get("number") or "")


def listener(told: Told) -> str:
    """Whoever hears a call: a supervisor of the configuration, or somebody at an agent's telephone."""
    by = str(told.get("by", ""))
    return supervisor_name(str(told.get("supervisor") or "")) or by.partition(":")[2] or by


# A sentence for each type that the story tells; of types that are not here the history or the lanes tell.
SENTENCES: dict[str, Say] = {
    "interaction.arrived": lambda t: _("Call from %(ani)s to %(dnis)s at entry point %(entry)s") % {
        "ani": t.get("ani") or DASH, "dnis": t.get("dnis") or DASH, "entry": t.get("entry_point") or DASH},
    "interaction.queued": lambda t: _("Waits in queue %(queue)s with priority %(priority)s") % {
        "queue": queue_label(t["queue"]), "priority": t.get("priority")},
    "interaction.requeued": lambda t: _("Waits on in queue %(queue)s with its old place") % {
        "queue": queue_label(t["queue"])},
    "interaction.relaxed": lambda t: _("The required skills become fewer: %(skills)s") % {
        "skills": requirement(t.get("requires")) or DASH},
    "interaction.preferred": lambda t: _("Waits for %(agent)s alone") % {"agent": _who(t)},
    "interaction.preference_over": lambda _t: _("Anyone may have it from now on"),
    "queue.announced": lambda t: _("Hears announcement %(count)s") % {"count": number(int(t.get("index", 0)) + 1)},
    "queue.overflowed": lambda t: _("Leaves the queue, since %(cause)s: %(target)s") % {
        "cause": _word(CAUSES, t.get("cause")), "target": target(t)},
    "flow.entered": lambda t: _("Enters flow %(flow)s at step %(step)s") % {"flow": t["flow"], "step": t["step"]},
    "flow.step": lambda t: _("Flow step %(step)s (%(kind)s) ends: %(exit)s") % {
        "step": t["step"], "kind": t.get("do"), "exit": t.get("exit")},
    "flow.looked_up": lambda t: _("Look-up in step %(step)s: %(outcome)s") % {
        "step": t["step"], "outcome": t.get("outcome")},
    "flow.left": lambda t: _("Leaves flow %(flow)s: %(why)s") % {"flow": t["flow"], "why": t.get("why")},
    "interaction.connected": lambda t: _("Connected with %(who)s") % {"who": _who(t)},
    "interaction.bridged": lambda _t: _("They hear each other"),
    "interaction.transferred": lambda t: _("Transferred to %(target)s, %(how)s") % {
        "target": target(t), "how": _word(WAYS, t.get("how"))},
    "interaction.ended": lambda t: _("Ends: %(result)s; ended by %(who)s") % {
        "result": call_result(str(t.get("result") or "")), "who": name_of(ended_by(str(t.get("ended_by") or DASH)))},
    "consult.requested": lambda t: _("A consult with %(target)s is asked for") % {"target": target(t)},
    "consult.answered": lambda t: _("%(who)s answers the consult") % {"who": _who(t)},
    "consult.not_taken": lambda t: _("%(who)s does not take the consult: %(outcome)s") % {
        "who": _who(t), "outcome": outcome(str(t.get("outcome") or ""))},
    "consult.ended": lambda _t: _("The consult ends"),
    "conference.started": lambda _t: _("All talk together"),
    "dial.started": lambda t: _("%(number)s is dialed") % {"number": t.get("number")},
    "dial.ended": lambda t: _("%(number)s: %(outcome)s after %(time)s") % {
        "number": t.get("number"), "outcome": outcome(str(t.get("outcome") or "")),
        "time": seconds(int(t.get("took_ms") or 0) / 1000)},
    "outdial.started": lambda t: _("%(who)s places a call to %(number)s") % {"who": _who(t), "number": t.get("dnis")},
    "outdial.failed": lambda t: _("The customer is not reached: %(outcome)s") % {
        "outcome": outcome(str(t.get("outcome") or ""))},
    "callback.requested": lambda t: _("A callback to %(number)s is asked for") % {"number": t.get("number")},
    "callback.dialed": lambda t: _("Callback, attempt %(count)s: %(number)s is dialed") % {
        "count": t.get("attempt"), "number": t.get("number")},
    "callback.missed": lambda t: _("Nobody talked: %(outcome)s") % {"outcome": outcome(str(t.get("outcome") or ""))},
    "callback.given_up": lambda t: _("The callback is given up: %(cause)s") % {"cause": t.get("cause")},
    "voicemail.left": lambda t: _("A message of %(time)s is left") % {
        "time": seconds(int(t.get("duration_ms") or 0) / 1000)},
    "record.shown": lambda t: _("%(who)s sees the record") % {"who": _who(t)},
    "record.accepted": lambda t: _("%(who)s takes the record") % {"who": _who(t)},
    "record.declined": lambda t: _("%(who)s declines the record") % {"who": _who(t)},
    "attempt.started": lambda t: _("The contact is called at %(number)s") % {"number": t.get("number") or DASH},
    "attempt.reached": lambda _t: _("The contact answers"),
    "supervision.started": lambda t: _("%(who)s begins to listen: %(mode)s") % {
        "who": listener(t), "mode": listening_mode(str(t.get("mode") or ""))},
    "supervision.changed": lambda t: _("%(who)s listens on: %(mode)s") % {
        "who": listener(t), "mode": listening_mode(str(t.get("mode") or ""))},
    "supervision.ended": lambda t: _("%(who)s listens no more, after %(time)s") % {
        "who": listener(t), "time": seconds(int(t.get("heard_ms") or 0) / 1000)},
}  # fmt: skip
# Told by events alone where the history cannot be had.
BESIDE_HISTORY: dict[str, Say] = {
    "party.joined": lambda t: _("%(who)s is in the call") % {"who": _who(t) or _("The customer")},
    "party.left": lambda t: _("%(who)s leaves the call") % {"who": _who(t) or _("The customer")},
    "offer.ringing": lambda t: _("Rings at %(who)s") % {"who": _who(t)},
    "offer.ended": lambda t: _("Offer to %(who)s: %(outcome)s") % {
        "who": _who(t), "outcome": outcome(str(t.get("end") or ""))},
    "hold.started": lambda _t: _("On hold"),
    "hold.ended": lambda _t: _("The hold ends"),
    "recording.started": lambda _t: _("The recording begins"),
    "recording.paused": lambda _t: _("The recording pauses"),
    "recording.resumed": lambda _t: _("The recording goes on"),
    "recording.stopped": lambda _t: _("The recording ends"),
    "interaction.cad_changed": lambda t: _("Call data, version %(version)s") % {"version": t.get("cad_version")},
    "note.added": lambda _t: _("Note"),
    "digits.sent": lambda _t: _("Digits sent"),
    "wrap_up.started": lambda t: _("%(who)s wraps up") % {"who": _who(t)},
    "wrap_up.ended": lambda t: _("%(who)s has wrapped up: %(reason)s") % {
        "who": _who(t), "reason": t.get("reason") or DASH},
}  # fmt: skip


def sentence(event: dict[str, Any], *, has_history: bool) -> str:
    """Of an event; empty for what is told otherwise or says nothing to people."""
    told = {"agent_id": event.get("agent_id"), "queue": event.get("queue") or ""} | event["data"]
    say = SENTENCES.get(event["type"]) or (None if has_history else BESIDE_HISTORY.get(event["type"]))
    return say(told) if say else ""
