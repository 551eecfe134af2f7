"""Words of the PBX contract tests about links: a conversation, losing the link, getting it back."""

from __future__ import annotations

from dataclasses import dataclass

from routing.core.facts import (
    LegState,
    LinkLost,
    LinkRestored,
    SnapshotLeg,
)
from tests.contract.pbx_lab import IncomingCall, LabCaller, LabPhone, PbxLab
from tests.contract.pbx_suite import (
    connect,
    reach,
    room,
    take,
)

BACK_S = 15.0


@dataclass(frozen=True, slots=True)
class Talk:
    """A caller and an agent in the room `main`, version 2."""

    caller: LabCaller
    phone: LabPhone
    interaction_id: str
    agent_leg: str

    @property
    def legs(self) -> set[SnapshotLeg]:
        return {up(self.caller.leg_id, self.interaction_id), up(self.agent_leg, self.interaction_id)}


def up(leg_id: str, interaction_id: str) -> SnapshotLeg:
    return SnapshotLeg(leg_id=leg_id, interaction_id=interaction_id, state=LegState.UP)


async def talk(lab: PbxLab, name: str = "1001") -> Talk:
    caller, phone = await lab.call_in(IncomingCall()), lab.phone(name)
    interaction_id = await take(lab, caller)
    agent = await connect(lab, phone, interaction_id=interaction_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, agent))
    await lab.hears(caller, phone)
    return Talk(caller, phone, interaction_id, agent)


async def lose(lab: PbxLab) -> None:
    since = len(lab.facts)
    await lab.cut_link()
    await lab.wait_fact(LinkLost, since=since)


async def restore(lab: PbxLab) -> LinkRestored:
    since = len(lab.facts)
    await lab.restore_link()
    return await lab.wait_fact(LinkRestored, within_s=BACK_S, since=since)
