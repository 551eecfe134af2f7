"""The words for calls: their states, what an offer is, who has part in them, and why somebody cannot be reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from routing.desk.language import gettext, noop

# `status` of an interaction, and of its panes.
CALL_STATES = {
    "Waiting": noop("Waiting"),
    "In flow": noop("In the call flow"),
    "Ringing": noop("Ringing"),
    "ringing": noop("Ringing"),
    "Connected": noop("Connected"),
    "on hold": noop("On hold"),
    "consult requested": noop("Consult requested"),
    "consulting": noop("Consulting"),
    "consult on hold": noop("Consult on hold"),
    "conference": noop("Conference"),
    "Preview": noop("Preview"),
    "Waiting for a contact": noop("Waiting for a contact"),
    "Answered": noop("Answered"),
    "Ended": noop("Ended"),
}
LABELS = {
    "incoming call": noop("Incoming call"),
    "transferred call": noop("Transferred call"),
    "consult": noop("Consult"),
    "outdial call": noop("Outgoing call"),
    "callback": noop("Callback"),
    "voicemail": noop("Voicemail"),
    "campaign call": noop("Campaign call"),
    "campaign seat": noop("Campaign"),
}
ROLES = {"customer": noop("Customer"), "owner": noop("First agent"), "consulted": noop("Second party")}
# Why no call can be offered to somebody, as the API names it.
UNAVAILABLE = {
    "removed": noop("not configured any more"),
    "no_permission": noop("may not take calls"),
    "logged_out": noop("signed out"),
    "idle": noop("idle"),
    "rona": noop("missed a call"),
    "reserved": noop("a call is on its way to him"),
    "ringing": noop("telephone rings"),
    "connected": noop("on a call"),
    "held": noop("on a call"),
    "consulting": noop("in a consult"),
    "conference": noop("in a conference"),
    "wrap_up": noop("in wrap-up"),
    "preview": noop("has a record before him"),
    "seated": noop("waits for contacts of a campaign"),
    "supervising": noop("listens to a call"),
    "pbx_link_down": noop("the link to the telephone system is down"),
    "other_pbx": noop("at another telephone system"),
    "phone_busy": noop("telephone is in use"),
    "phone_ringing": noop("telephone rings"),
    "phone_unreachable": noop("telephone cannot be reached"),
    "phone_unknown": noop("telephone is not known to the telephone system"),
}
# The same of the person himself, of his telephone alone: his own state he sees.
MY_TELEPHONE = {
    "pbx_link_down": noop("No calls: the link to the telephone system is down."),
    "no_permission": noop("No calls: you may not take any."),
    "phone_busy": noop("No calls: your telephone is in use."),
    "phone_ringing": noop("No calls: your telephone rings."),
    "phone_unreachable": noop("No calls: your telephone cannot be reached."),
    "phone_unknown": noop("No calls: the telephone system does not know your telephone."),
}
RECORDING = {"off": noop("Not recorded"), "recording": noop("Recording"), "paused": noop("Recording paused")}
FAILURES = {
    "not_connected": noop("The call could not be connected to the customer."),
    "agent_declined": noop("You did not answer your own telephone."),
    "customer_rejected": noop("The customer has rejected the call."),
    "customer_no_answer": noop("The customer does not answer."),
    "lost_to_inbound": noop("A call came in first; this one was given up."),
}
OUTCOMES = {
    "answered": noop("answered"),
    "busy": noop("busy"),
    "no_answer": noop("no answer"),
    "rejected": noop("rejected"),
    "unreachable": noop("not reached"),
    "invalid": noop("no such number"),
    "congestion": noop("no line free"),
    "abandoned": noop("hung up"),
    "cancelled": noop("cancelled"),
    "rescinded": noop("taken back"),
    "machine": noop("answering machine"),
}
# Why a limit of calls refuses one (OUT-04, OUT-05).
LIMITS = {
    26: noop("The data center has reached its limit of concurrent calls (reason 26)."),
    27: noop("Your organization has reached its limit of concurrent calls (reason 27)."),
}
# Why he cannot place a call now.
NOT_NOW = {
    "logged_out": noop("Start work first."),
    "rona": noop("You missed a call: choose your state first."),
    "pbx_link_down": noop("The link to the telephone system is down."),
    "phone_busy": noop("Your telephone is in use."),
    "phone_ringing": noop("Your telephone rings."),
    "phone_unreachable": noop("Your telephone cannot be reached."),
    "phone_unknown": noop("The telephone system does not know your telephone."),
}
NUMBER_RULES = {
    "name": noop("This is a name, not a number."),
    "no_digits": noop("There are no digits in it."),
    "plus_inside": noop("A plus sign can only stand at the beginning."),
    "too_short": noop("A number has at least 3 digits."),
    "too_long": noop("A number has at most 14 digits."),
    "not_external": noop("This is no number outside of the organization."),
    "entry_point": noop("This is a number of the contact center itself."),
    "extension": noop("This is a telephone of the organization."),
    "not_allowed": noop("Your profile does not allow this number."),
    "denied": noop("This number is barred."),
    "profile_length": noop("Your profile does not allow numbers of this length."),
    "international": noop("Your profile does not allow calls to other countries."),
    "premium": noop("Your profile does not allow premium numbers."),
    "no_trunk": noop("There is no line for this number."),
    "colon_unmapped": noop("A colon cannot be dialed here."),
    "not_listed": noop("This number is not in the address book."),
}
# What is wrong with a value of call data, in the words of the API.
CAD_PROBLEMS = {
    "not an integer of at most 18 digits": noop("This is no whole number of at most 18 digits."),
    "not a decimal number": noop("This is no number."),
    "not a finite decimal number": noop("This is no number."),
    "not a boolean: true or false": noop("This is neither true nor false."),
    "not an ISO 8601 date such as 2026-11-21": noop("This is no date such as 2026-11-21."),
    "not an ISO 8601 date and time such as 2026-11-21T14:30:00Z": noop(
        "This is no date and time such as 2026-11-21T14:30:00Z."
    ),
    "no such day, time or offset": noop("There is no such day or time."),
    "not editable": noop("You cannot change this."),
    "the mask that stands for a secure value is no value itself": noop("This is hidden from you; it was not changed."),
}
_TOO_LONG = re.compile(r"(\d+) characters, at most (\d+) are allowed")


def customer_number(call: Mapping[str, Any]) -> str:
    """Of a call that an agent or a campaign has placed it is the number that was called; empty: withheld."""
    return str(call["dnis" if call["kind"] in ("outdial", "campaign") else "ani"] or "")


def telephone(address: str) -> str:
    """What people dial, of an address of the telephone system such as `PJSIP/1001`."""
    return address.rpartition("/")[2].partition("@")[0]


def refusal(problem: dict[str, Any]) -> str:
    """Why a number is not dialed or a call not placed; empty where the title has to do."""
    if (limit := problem.get("reason_code")) in LIMITS:
        return gettext(LIMITS[limit])
    if (rule := problem.get("rule")) in NUMBER_RULES:
        return gettext(NUMBER_RULES[rule])
    because = problem.get("because")
    if problem.get("code") == "agent-not-available":
        return gettext("Not possible now: %(why)s.") % {"why": unavailable(str(because))}
    return gettext(NOT_NOW[because]) if because in NOT_NOW else ""


def key_name(key: str) -> str:
    """As it stands on a button."""
    return key.replace("shift+", "⇧").upper()


def _of(words: dict[str, str], id_: str | None) -> str:
    return gettext(words[id_]) if id_ in words else str(id_ or "")


def call_state(status: str) -> str:
    return _of(CALL_STATES, status)


def call_label(label: str) -> str:
    return _of(LABELS, label)


def party_role(role: str) -> str:
    return _of(ROLES, role)


def unavailable(why: str) -> str:
    return _of(UNAVAILABLE, why)


def my_telephone(why: str | None) -> str:
    """Empty where it is not his telephone that keeps calls from him."""
    return gettext(MY_TELEPHONE[why]) if why in MY_TELEPHONE else ""


def recording_state(state: str) -> str:
    return _of(RECORDING, state)


def failure(word: str) -> str:
    return _of(FAILURES, word)


def outcome(word: str) -> str:
    return _of(OUTCOMES, word)


def cad_problem(text: str) -> str:
    """In the reader's language, where it is one of ours."""
    if found := _TOO_LONG.fullmatch(text):
        return gettext("%(count)s characters; at most %(most)s are allowed.") % {"count": found[1], "most": found[2]}
    return _of(CAD_PROBLEMS, text)


def cad_author(author: str, names: Mapping[str, str] | None = None) -> str:
    """Who has saved: of agents the name by id, where it is known."""
    kind, _, rest = author.partition(":")
    if kind == "flow":
        return gettext("The call flow")
    if rest or author == "integration":
        return gettext("Another program")
    return (names or {}).get(author, author)


FILTERS = {
    "call_state": call_state,
    "call_label": call_label,
    "party_role": party_role,
    "unavailable": unavailable,
    "my_telephone": my_telephone,
    "telephone": telephone,
    "customer_number": customer_number,
    "recording_state": recording_state,
    "failure": failure,
    "outcome": outcome,
    "cad_problem": cad_problem,
    "key_name": key_name,
}
