"""Why a dialled leg came to nothing, from what FreeSWITCH tells. Pure; seen on 1.10.12."""

from __future__ import annotations

import re

from routing.core.facts import DialOutcome
from telephony.causes import BY_SIP

_O = DialOutcome

# Names of FreeSWITCH's causes (switch_types.h), where no SIP answer came: most are its own findings.
BY_NAME: dict[str, DialOutcome] = {
    **dict.fromkeys(
        ("UNALLOCATED_NUMBER", "INVALID_NUMBER_FORMAT", "NUMBER_CHANGED", "INVALID_URL", "CHAN_NOT_IMPLEMENTED"),
        _O.INVALID,
    ),
    **dict.fromkeys(
        (
            "NO_USER_RESPONSE",
            "SUBSCRIBER_ABSENT",
            "USER_NOT_REGISTERED",
            "DESTINATION_OUT_OF_ORDER",
            "PROGRESS_TIMEOUT",
            "GATEWAY_DOWN",
            "RECOVERY_ON_TIMER_EXPIRE",
            "NO_ROUTE_DESTINATION",
            "NO_ROUTE_TRANSIT_NET",
        ),
        _O.UNREACHABLE,
    ),
    "USER_BUSY": _O.BUSY,
    **dict.fromkeys(
        ("CALL_REJECTED", "NORMAL_CLEARING", "NORMAL_UNSPECIFIED", "REDIRECTION_TO_NEW_DESTINATION"), _O.REJECTED
    ),
    **dict.fromkeys(("LOSE_RACE", "ORIGINATOR_CANCEL", "PICKED_OFF", "MANAGER_REQUEST"), _O.CANCELLED),
}
# 0 = none given.
Q850: dict[str, int] = {
    "UNALLOCATED_NUMBER": 1,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "USER_NOT_REGISTERED": 20,
    "CALL_REJECTED": 21,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "NORMAL_TEMPORARY_FAILURE": 41,
}
# The answer to our own CANCEL.
REQUEST_TERMINATED = 487
_SIP_CODE = re.compile(r"(?:sip:)?([0-9]{3})")


def sip_code(text: str) -> int | None:
    """Of `sip_term_status` or `proto_specific_hangup_cause`, such as `486` or `sip:486`."""
    found = _SIP_CODE.fullmatch(text)
    return int(found.group(1)) if found else None


def outcome(name: str, sip: int | None, *, has_rung: bool) -> DialOutcome:
    """`name`: the hang-up cause. A time-out of a telephone that never rang is a dead telephone."""
    if sip in BY_SIP and sip != REQUEST_TERMINATED:
        return BY_SIP[sip]
    if name == "NO_ANSWER":
        return _O.NO_ANSWER if has_rung else _O.UNREACHABLE
    return BY_NAME.get(name, _O.CONGESTION)
