"""Who is in which bridge or conference, as events and snapshots of a PBX tell. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bridge:
    """`conference`: its name when it is one, else empty. `members`: channel ids."""

    id: str
    conference: str = ""
    members: set[str] = field(default_factory=set)


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

    def create(self, bridge_id: str, conference: str) -> None:
        if bridge_id not in self._bridges:
            self._bridges[bridge_id] = Bridge(bridge_id, conference)

    def enter(self, bridge_id: str, uid: str) -> None:
        if uid in self.members(bridge_id):
            return
        self.leave(uid)
        self.create(bridge_id, "")
        bridge = self._bridges[bridge_id]
        bridge.members.add(uid)
        self._of[uid] = bridge

    def leave(self, uid: str) -> None:
        bridge = self._of.pop(uid, None)
        if bridge is not None:
            bridge.members.discard(uid)
            if not bridge.members:
                self._bridges.pop(bridge.id, None)

    def destroy(self, bridge_id: str) -> None:
        bridge = self._bridges.pop(bridge_id, None)
        for uid in bridge.members if bridge else ():
            self._of.pop(uid, None)
