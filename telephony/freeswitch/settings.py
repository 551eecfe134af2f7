"""How to reach one FreeSWITCH."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from telephony.settings import PbxSettings


class TransportKind(StrEnum):
    """AUTO: python-ESL where it can be imported, the socket otherwise."""

    AUTO = "auto"
    SOCKET = "socket"
    PYTHON_ESL = "python-esl"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeswitchSettings(PbxSettings):
    """`secret` is the password of event_socket.conf; `transport` the client that speaks to it.

    `nudge_interval_s`: FreeSWITCH looks for events to send every 20 ms, and whenever something comes in. So often an
    empty line comes in, which it passes over; 0: never.
    """

    port: int = 8021
    transport: TransportKind = TransportKind.AUTO
    nudge_interval_s: float = 0.004
