"""Who is in which bridge, from BridgeCreate, BridgeEnter, BridgeLeave and BridgeDestroy or from a snapshot. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from telephony.asterisk.codec import AmiMessage


@dataclass(slots=True)
class Bridge:
    """`conference`: its name when it is a ConfBridge, else empty. `members`: channel ids."""

    id: str
    conference: str = ""
    members: set[str] = field(default_factory=set)


def conference_name(message: AmiMessage) -> str:
    """The conference that a bridge event or a BridgeListItem speaks of, or empty for a plain bridge."""
    return message.get("bridgename") if message.get("bridgecreator") == "ConfBridge" else ""


class Bridges:
    """A channel is in one bridge at most."""

    def __init__(self) -> None:
        self._bridges: dict[str, Bridge] = {}
        self._of: dict[str, Bridge] = {}

    def of(self, uid: str) -> Bridge | None:
        return self._of.get(uid)

    def members(self, bridge_id: str) -> set[str]:
        bridge = self._bridges.get(bridge_id)
        return set(bridge.members) if bridge else set()

    def company_of(self, uids: AbstractSet[str]) -> set[str]:
        """Everybody who is in a bridge with one of these."""
        return {member for uid in uids if uid in self._of for member in self._of[uid].members}

    def apply(self, event: AmiMessage) -> None:
        bridge_id, uid = event.get("bridgeuniqueid"), event.get("uniqueid")
        match event.event:
            case "BridgeCreate":
                self.create(bridge_id, conference_name(event))
            case "BridgeEnter":
                self.create(bridge_id, conference_name(event))
                self.enter(bridge_id, uid)
            case "BridgeLeave":
                bridge = self._of.get(uid)
                if bridge is not None and bridge.id == bridge_id:
                    self.leave(uid)
            case "BridgeDestroy":
                self._destroy(bridge_id)

    def create(self, bridge_id: str, conference: str) -> None:
        if bridge_id not in self._bridges:
            self._bridges[bridge_id] = Bridge(bridge_id, conference)

    def enter(self, bridge_id: str, uid: str) -> None:
        self.leave(uid)
        self.create(bridge_id, "")
        bridge = self._bridges[bridge_id]
        bridge.members.add(uid)
        self._of[uid] = bridge

    def leave(self, uid: str) -> None:
        bridge = self._of.pop(uid, None)
        if bridge is not None:
            bridge.members.discard(uid)

    def _destroy(self, bridge_id: str) -> None:
        bridge = self._bridges.pop(bridge_id, None)
        for uid in bridge.members if bridge else ():
            self._of.pop(uid, None)
