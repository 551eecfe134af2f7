"""Which events to believe. Pure.

Asterisk copies a decoded %0d%0a of a caller's SIP address into event headers: a stranger can end an event early and
write events or headers of his own (seen on 16 and 22). He cannot know the system name, and what is left of the true
event lacks the headers that would have followed.
"""

from __future__ import annotations

from enum import StrEnum

from telephony.asterisk.codec import AmiMessage


class Distrust(StrEnum):
    """Why an event is dropped."""

    NO_ORIGIN = "no_origin"
    FOREIGN_ORIGIN = "foreign_origin"
    REPEATED_HEADER = "repeated_header"
    TRUNCATED = "truncated"


# Headers without which an event of this name is not whole. Only these events are used at all.
NEEDED: dict[str, tuple[str, ...]] = {
    "Newchannel": ("channel", "uniqueid"),
    "Newstate": ("channel", "uniqueid", "channelstate"),
    "HangupRequest": ("uniqueid",),
    "SoftHangupRequest": ("uniqueid",),
    "Hangup": ("uniqueid", "cause"),
    "OriginateResponse": ("uniqueid", "response", "reason"),
    "BridgeCreate": ("bridgeuniqueid", "bridgetype"),
    "BridgeEnter": ("bridgeuniqueid", "uniqueid", "context", "exten"),
    "BridgeLeave": ("bridgeuniqueid", "uniqueid", "context", "exten"),
    "BridgeDestroy": ("bridgeuniqueid",),
    "BlindTransfer": ("result", "transfereruniqueid", "extension"),
    "AttendedTransfer": ("result", "origtransfereruniqueid", "secondtransfereruniqueid", "desttype"),
    "MusicOnHoldStart": ("uniqueid",),
    "UserEvent": ("userevent",),
    "DeviceStateChange": ("device", "state"),
    "Reload": (),
}
# Also `ChanVariable(PJSIP/1001-00000001)`, in OriginateResponse.
REPEATABLE = (
    "chanvariable",
    "destchanvariable",
    "transfererchanvariable",
    "transfereechanvariable",
    "origtransfererchanvariable",
    "secondtransfererchanvariable",
    "transfertargetchanvariable",
    "spyerchanvariable",
    "spyeechanvariable",
)


def distrust(message: AmiMessage, system_name: str) -> Distrust | None:
    """None: the event is genuine as far as anyone can tell."""
    if "privilege" not in message.headers or "systemname" not in message.headers:
        return Distrust.NO_ORIGIN
    if message.repeated and not all(name.startswith(REPEATABLE) for name in message.repeated):
        return Distrust.REPEATED_HEADER
    if message.headers["systemname"] != system_name:
        return Distrust.FOREIGN_ORIGIN
    if any(name not in message.headers for name in NEEDED.get(message.event, ())):
        return Distrust.TRUNCATED
    return None
