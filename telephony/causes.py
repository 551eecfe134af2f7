"""What SIP answers to a call mean for its dialling. Pure."""

from __future__ import annotations

from routing.core.facts import DialOutcome

_O = DialOutcome

# RFC 3261 section 21, and 607, 608 of RFC 8197 and RFC 8688.
BY_SIP: dict[int, DialOutcome] = {
    **dict.fromkeys((300, 301, 302, 305), _O.REJECTED),
    403: _O.REJECTED,
    404: _O.INVALID,
    408: _O.UNREACHABLE,
    410: _O.INVALID,
    480: _O.UNREACHABLE,
    484: _O.INVALID,
    485: _O.INVALID,
    486: _O.BUSY,
    487: _O.REJECTED,
    488: _O.CONGESTION,
    500: _O.CONGESTION,
    502: _O.CONGESTION,
    503: _O.CONGESTION,
    504: _O.UNREACHABLE,
    600: _O.BUSY,
    603: _O.REJECTED,
    604: _O.INVALID,
    606: _O.CONGESTION,
    607: _O.REJECTED,
    608: _O.REJECTED,
}
