"""Why a dialled leg came to nothing, from what Asterisk tells. Pure; seen on 16 and 22 with PJSIP."""

from __future__ import annotations

from routing.core.facts import DialOutcome
from telephony.causes import BY_SIP

_O = DialOutcome

REASON_ANSWERED, REASON_TIMEOUT = 4, 3

# ITU-T Q.850 table 1. 480 comes as 19 here: an own time-out is told by the reason, so 19 is "not there now".
BY_CAUSE: dict[int, DialOutcome] = {
    **dict.fromkeys((1, 22, 28), _O.INVALID),
    **dict.fromkeys((2, 3, 18, 19, 20, 27), _O.UNREACHABLE),
    17: _O.BUSY,
    # 0: a telephone that neither rang nor refused (16); 16: a redirection that is not followed (16).
    0: _O.UNREACHABLE,
    **dict.fromkeys((16, 21, 23, 26, 31, 127), _O.REJECTED),
    **dict.fromkeys((5, 6, 7, 29, 30, 50, 55, 57, 58, 65, 66, 69, 79, 88), _O.CONGESTION),
    **dict.fromkeys((34, 38, 41, 42, 43, 44, 47), _O.CONGESTION),
    **dict.fromkeys((81, 95, 96, 97, 98, 99, 100, 101, 102, 103, 111), _O.CONGESTION),
}


def outcome(reason: int | None, cause: int | None, tech_cause: int | None, *, has_rung: bool) -> DialOutcome:
    """`reason` of OriginateResponse (0 says nothing), `cause` and `tech_cause` of Hangup; None: not told.

    `tech_cause`, a header that 22 has and 16 has not, is the SIP code itself.

    A time-out of a telephone that never rang is a dead telephone.
    """
    if reason == REASON_TIMEOUT:
        return _O.NO_ANSWER if has_rung else _O.UNREACHABLE
    if tech_cause in BY_SIP:
        return BY_SIP[tech_cause]
    if cause is None:
        return _O.UNREACHABLE  # no channel was made: nobody is registered there
    return BY_CAUSE.get(cause, _O.CONGESTION)
