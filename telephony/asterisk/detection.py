"""What AMD() says of who has answered. Pure."""

from __future__ import annotations

import re

from routing.core.facts import MachineVerdict
from telephony.detection import NO_DETECTOR, NO_SPEECH, Verdict

_CAUSE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERDICTS = {"HUMAN": MachineVerdict.HUMAN, "MACHINE": MachineVerdict.MACHINE}


def verdict(status: str, cause: str) -> Verdict:
    """AMDSTATUS and AMDCAUSE, both empty where the application is not there.

    It takes somebody who says nothing for a machine; a person who waits for the other one to speak first says nothing,
    too.
    """
    cause = cause if _CAUSE.fullmatch(cause) else ""
    if not status:
        return Verdict(verdict=MachineVerdict.UNKNOWN, cause=NO_DETECTOR)
    if cause.startswith(NO_SPEECH):
        return Verdict(verdict=MachineVerdict.UNKNOWN, cause=cause)
    return Verdict(verdict=_VERDICTS.get(status, MachineVerdict.UNKNOWN), cause=cause or status[:20])
