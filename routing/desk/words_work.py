"""The words for campaigns, records and what is around a call."""

from __future__ import annotations

from typing import Any

from routing.desk.language import gettext, noop
from routing.desk.words_calls import cad_author, refusal

CAMPAIGN_STATES = {
    "loaded": noop("Loaded"),
    "running": noop("Running"),
    "paused": noop("Paused"),
    "stopped": noop("Stopped"),
}
DIAL_MODES = {
    "preview": noop("Preview: you ask for a record and call"),
    "push_preview": noop("Preview: records come by themselves, you call"),
    "progressive": noop("Progressive: a contact is called for you"),
    "predictive": noop("Predictive: contacts are called before you are free"),
}
# Why an agent gets no contact of a campaign; the words of the API.
UNREADY = {
    "not_joined": noop("You have not joined."),
    "removed": noop("The campaign is not configured any more."),
    "logged_out": noop("You are signed out."),
    "idle": noop("You are idle. Become available to get contacts."),
    "rona": noop("You missed a call. Become available to get contacts."),
    "preview": noop("You have a record before you."),
    "reserved": noop("A call is on its way to you."),
    "ringing": noop("Your telephone rings."),
    "connected": noop("You are in a call."),
    "held": noop("You have a call on hold."),
    "consulting": noop("You are in a consultation."),
    "conference": noop("You are in a conference."),
    "wrap_up": noop("Finish your wrap-up first."),
    "seated": noop("Your telephone is connected and waits for a contact."),
    "supervising": noop("You are listening to another call."),
    "other_pbx": noop("Your telephone is at another telephone system than the campaign."),
    "pbx_link_down": noop("The link to the telephone system is down."),
    "phone_busy": noop("Your telephone is in use."),
    "phone_ringing": noop("Your telephone rings."),
    "phone_unreachable": noop("Your telephone cannot be reached."),
    "phone_unknown": noop("Nobody knows yet whether your telephone can be reached."),
}
# Why nothing may be called for a campaign now; the words of the API.
HELD_BACK = {
    "loaded": noop("The campaign has not been started yet."),
    "paused": noop("The campaign is paused."),
    "hopper_empty": noop("No record is ready: their time has not come, or all have been called."),
    "window_closed": noop("The contacts must not be called at this time."),
    "today": noop("The contacts have been tried often enough today."),
    "spent": noop("No attempt is left for the contacts."),
    "in_flight": noop("The numbers that are next are being called already."),
    "no_number": noop("None of the numbers may be called."),
    "no_trunk": noop("There is no line for the numbers."),
    "reserved": noop("The contacts that are next are called for a single agent only."),
    "checking": noop("It is being looked up which numbers may be called."),
    "unchecked": noop("Nobody can say now which numbers may be called."),
    "link_down": noop("The link to the telephone system is down."),
    "capacity_26": noop("The data center has reached its limit of concurrent calls (reason 26)."),
    "capacity_27": noop("Your organization has reached its limit of concurrent calls (reason 27)."),
    "dial_rate": noop("So many numbers have been dialed within a minute that the next ones have to wait."),
    "lines_full": noop("All lines of the campaign are in use."),
    "budget_spent": noop("Too many contacts found no agent; the campaign calls more slowly."),
    "no_pacing": noop("A process that the campaign needs does not run."),
}
ORIGINS = {"callback": noop("Callback"), "personal callback": noop("Personal callback")}
CARD_LABELS = {noop("Campaign"), noop("Description"), noop("Number"), noop("Origin")}
NUMBER_KINDS = {
    "home": noop("Home"),
    "work": noop("Work"),
    "mobile": noop("Mobile"),
    "other": noop("Other"),
}
CHANNEL_KINDS = {"phone": noop("Telephone"), "email": noop("E-mail"), "address": noop("Address")}
CALLBACK_STATES = {
    "checking": noop("Being checked"),
    "resting": noop("Waits for its time"),
    "due": noop("Due"),
    "calling": noop("An agent has it"),
}
# Fields of a contact, as the API points at them.
CONTACT_FIELDS = {
    "name": noop("Name"),
    "external_id": noop("Customer number"),
    "channels": noop("Ways to reach the contact"),
    "attributes": noop("Further facts"),
}
CALL_KINDS = {
    "inbound": noop("Incoming call"),
    "outdial": noop("Outgoing call"),
    "callback": noop("Callback"),
    "voicemail": noop("Voicemail"),
    "campaign": noop("Campaign call"),
}
ENDED_BY = {
    "customer": noop("The customer"),
    "external": noop("The other party"),
    "dialplan": noop("The telephone system"),
    "server": noop("The server"),
    "flow": noop("The call flow"),
}
CALL_RESULTS = {
    "answered": noop("answered"),
    "abandoned": noop("hung up while waiting"),
    "timeout": noop("waited too long"),
    "full": noop("all lines taken"),
    "closed": noop("closed"),
    "no_agents": noop("no agents"),
    "unavailable": noop("unavailable"),
    "failed": noop("not reached"),
    "cancelled": noop("cancelled"),
    "callback": noop("callback"),
    "voicemail": noop("voicemail"),
    "transferred": noop("transferred"),
    "flow_ended": noop("ended by the call flow"),
    "declined": noop("declined"),
    "dropped": noop("no agent in time"),
}
# What a refusal is about, by problem code and its `reason`, `because` or `rule`.
REASONS = {
    ("plan-refused", "past"): noop("This time is in the past."),
    ("plan-refused", "zone"): noop("There is no such time zone."),
    ("plan-refused", "personal"): noop("Your profile does not allow personal callbacks."),
    ("plan-refused", "other_number"): noop("Your profile does not allow another number."),
    ("plan-refused", "do_not_call"): noop("The number must not be called."),
    ("plan-refused", "window"): noop("The contact must not be called at that time."),
    ("plan-refused", "none"): noop("No callback is scheduled."),
    ("plan-refused", "campaign"): noop("The campaign is not configured any more."),
    ("record-not-done", "disposition_required"): noop("Choose a result first."),
    ("record-not-done", "callback_past"): noop("The time of the callback has passed. Correct or cancel it."),
    ("record-not-done", "nothing_decided"): noop("Choose a result or schedule a callback first."),
    ("record-refused", "other_number"): noop("Your profile does not allow another number."),
    ("record-refused", "limit"): noop("This number has been tried too often."),
    ("record-refused", "window"): noop("The contact must not be called at this time."),
    ("record-refused", "gone"): noop("Somebody else has the record by now."),
    ("record-refused", "no_number"): noop("The record has no number that may be called."),
    ("record-refused", "callback"): noop("A callback is scheduled."),
    ("no-record", "empty"): noop("No record is ready."),
    ("no-record", "kept"): noop("The records that are ready are not for you now."),
    ("no-record", "mode"): noop("In this campaign records come by themselves."),
    ("disposition-refused", "single"): noop("Only one result can be chosen."),
    ("disposition-refused", "unknown"): noop("The campaign does not have this result."),
    ("guide-refused", "submitted"): noop("The guide has been submitted already."),
    ("guide-refused", "incomplete"): noop("A question is still open."),
    ("guide-refused", "answer"): noop("This answer does not fit the question."),
    ("invalid-request", "/at"): noop("Both date and time are needed."),
}


def campaign_word(state: str) -> str:
    return _word(CAMPAIGN_STATES, state)


def how_it_dials(mode: str) -> str:
    return _word(DIAL_MODES, mode)


def unready(because: str) -> str:
    return _word(UNREADY, because)


def held_back(reasons: list[str]) -> str:
    """By the first of them that there are words for; empty: nothing is in the way."""
    return next((gettext(HELD_BACK[word]) for word in reasons if word in HELD_BACK), "")


def origin(origin_: str) -> str:
    return _word(ORIGINS, origin_)


def number_kind(kind: str) -> str:
    return _word(NUMBER_KINDS, kind)


def channel_kind(kind: str) -> str:
    return _word(CHANNEL_KINDS, kind)


def callback_state(state: str) -> str:
    return _word(CALLBACK_STATES, state)


def call_kind(kind: str) -> str:
    return _word(CALL_KINDS, kind)


def call_result(result: str) -> str:
    return _word(CALL_RESULTS, result)


def ended_by(who: str) -> str:
    """Agents by their id."""
    return _word(ENDED_BY, who)


def card_label(label: str) -> str:
    """Of a field of a card: those that the configuration leaves as they are have words of ours."""
    return gettext(label) if label in CARD_LABELS else label


def contact_field(pointer: str) -> str:
    """Of `name` or `/channels/0/value`."""
    return _word(CONTACT_FIELDS, pointer.strip("/").split("/")[0])


def reason_of(problem: dict[str, Any]) -> str:
    """Why it was refused, in the reader's language; empty where there are no words but the title of its kind."""
    code, errors = str(problem.get("code", "")), problem.get("errors") or [{}]
    for told in (problem.get("reason"), problem.get("because"), problem.get("rule"), errors[0].get("pointer")):
        if known := REASONS.get((code, str(told))):
            return gettext(known)
    return refusal(problem)


def _word(words: dict[str, str], name: str) -> str:
    return gettext(words[name]) if name in words else name


FILTERS = {
    "campaign_word": campaign_word,
    "how_it_dials": how_it_dials,
    "call_kind": call_kind,
    "call_result": call_result,
    "ended_by": ended_by,
    "author": cad_author,
    "unready": unready,
    "origin": origin,
    "number_kind": number_kind,
    "channel_kind": channel_kind,
    "callback_state": callback_state,
    "card_label": card_label,
    "contact_field": contact_field,
}
