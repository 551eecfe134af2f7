"""What a page tells at once, with a sound or a notification of the browser: a kind and the text for the reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routing.core.events import Event, EventType
from routing.desk.asking import Refused
from routing.desk.door import Person
from routing.desk.language import gettext as _
from routing.desk.language import noop
from routing.desk.words_calls import call_label, failure, outcome

_T = EventType
Notice = dict[str, Any]

# Kinds, each with a sound of its own that a person can switch off (ACT-06).
KINDS = {
    "offer": noop("Incoming call"),
    "consult": noop("Consult"),
    "rona": noop("Missed call"),
    "preview": noop("Record of a campaign"),
    "callback_prompted": noop("Callback: prompted"),
    "callback_held": noop("Callback: held"),
    "callback_retrieved": noop("Callback: retrieved"),
    "callback_ended": noop("Callback: ended"),
    "campaign": noop("Campaign loaded or started"),
    "failed": noop("Something did not work"),
}
_OF_PURPOSE = {"consult": "consult", "callback": "callback_prompted"}
_LABEL_OF_PURPOSE = {
    "call": "incoming call",
    "consult": "consult",
    "transfer": "transferred call",
    "callback": "callback",
    "voicemail": "voicemail",
    "campaign": "campaign call",
}
_OF_CALLBACK = {
    _T.INTERACTION_HELD: ("callback_held", noop("The callback is on hold.")),
    _T.INTERACTION_RESUMED: ("callback_retrieved", noop("The callback goes on.")),
    _T.INTERACTION_ENDED: ("callback_ended", noop("The callback has ended.")),
}


def notice_of(event: Event, who: Person) -> Notice | None:
    """None for what makes no noise. `is_said`: it is also written on the page, where nothing else shows it."""
    found = _BY_TYPE.get(event.type)
    return found(event, who) if found and who.agent_id else None


def _offer(event: Event, who: Person) -> Notice | None:
    purpose, caller = str(event.values.get("purpose")), str(event.values.get("ani") or "")
    if event.agent_id != who.agent_id or purpose not in _LABEL_OF_PURPOSE:
        return None
    label = call_label(_LABEL_OF_PURPOSE[purpose])
    text = _("%(label)s from %(caller)s") % {"label": label, "caller": caller} if caller else label
    return {"kind": _OF_PURPOSE.get(purpose, "offer"), "text": text}


def _state(event: Event, who: Person) -> Notice | None:
    if event.agent_id != who.agent_id or event.values.get("state") != "rona":
        return None
    return {"kind": "rona", "text": _("You missed a call")}


def _record(event: Event, who: Person) -> Notice | None:
    if event.agent_id != who.agent_id:
        return None
    name = str(event.values.get("name") or "")
    if event.values.get("origin"):
        text = _("Callback to %(name)s") % {"name": name} if name else _("Callback")
        return {"kind": "callback_prompted", "text": text}
    text = _("Record: %(name)s") % {"name": name} if name else _("A record is before you.")
    return {"kind": "preview", "text": text}


def _of_callback(event: Event, who: Person) -> Notice | None:
    if not _is_callback(event, who):
        return None
    kind, text = _OF_CALLBACK[event.type]
    return {"kind": kind, "text": _(text)}


def _is_callback(event: Event, who: Person) -> bool:
    """A callback of a queue, or of a campaign's record."""
    try:
        call = who.api.get(f"interactions/{event.interaction_id}")
    except Refused:
        return False
    return call["kind"] == "callback" or bool(call["campaign"] and call["campaign"]["origin"])


def _outdial_failed(event: Event, who: Person) -> Notice | None:
    if event.agent_id != who.agent_id:
        return None
    why, what = failure(str(event.values.get("failure") or "")), outcome(str(event.values.get("outcome") or ""))
    text = _("%(why)s (%(what)s)") % {"why": why, "what": what} if what else why
    return {"kind": "failed", "text": text, "is_said": True}


def _consult_not_taken(event: Event, who: Person) -> Notice | None:
    if event.agent_id == who.agent_id:
        return None
    whom = _name(event.agent_id, who) if event.agent_id else str(event.values.get("number") or "")
    told = {"whom": whom, "what": outcome(str(event.values.get("outcome") or ""))}
    return {"kind": "failed", "text": _("%(whom)s did not answer: %(what)s") % told, "is_said": True}


def _name(agent_id: str, who: Person) -> str:
    try:
        return str(who.api.get(f"agents/{agent_id}")["name"])
    except Refused:
        return agent_id


def _campaign(event: Event, _who: Person) -> Notice:
    label = {"label": str(event.values.get("label") or event.values.get("campaign") or "")}
    is_begun = event.type is _T.CAMPAIGN_STARTED
    text = _("The campaign %(label)s has started.") if is_begun else _("The campaign %(label)s is loaded.")
    return {"kind": "campaign", "text": text % label, "is_said": True}


_BY_TYPE: dict[EventType, Callable[[Event, Person], Notice | None]] = {
    _T.OFFER_RINGING: _offer,
    _T.AGENT_STATE_CHANGED: _state,
    _T.RECORD_SHOWN: _record,
    _T.OUTDIAL_FAILED: _outdial_failed,
    _T.CONSULT_NOT_TAKEN: _consult_not_taken,
    _T.CAMPAIGN_LOADED: _campaign,
    _T.CAMPAIGN_STARTED: _campaign,
    **dict.fromkeys(_OF_CALLBACK, _of_callback),
}
