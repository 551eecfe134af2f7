"""Asterisk 16 to 22 over its manager interface: AsteriskPort and its settings."""

from telephony.asterisk.port import AsteriskPort
from telephony.asterisk.settings import AsteriskSettings

__all__ = ["AsteriskPort", "AsteriskSettings"]
