"""FreeSWITCH 1.10 over its event socket: FreeswitchPort and its settings."""

from telephony.freeswitch.port import FreeswitchPort
from telephony.freeswitch.settings import FreeswitchSettings, TransportKind

__all__ = ["FreeswitchPort", "FreeswitchSettings", "TransportKind"]
