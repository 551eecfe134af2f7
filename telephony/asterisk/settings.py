"""How to reach one Asterisk."""

from __future__ import annotations

from dataclasses import dataclass

from telephony.settings import PbxSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskSettings(PbxSettings):
    """The login of the manager user.

    The user needs `read = system,call,user` and `write = call,originate,reporting`; asterisk.conf needs a `systemname`
    that outsiders do not know: events without it count as forged.
    """

    username: str
    port: int = 5038
