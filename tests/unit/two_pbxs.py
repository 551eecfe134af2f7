"""Two PBXs behind one queue in the pure core: `a` (an Asterisk) and `b` (a FreeSWITCH), with and without trunks."""

from __future__ import annotations

from typing import Any

from routing.core.commands import DialLeg
from routing.core.config import AgentConfig, Config, Pbx
from routing.core.facts import (
    DialFailed,
    DialOutcome,
    LegAnswered,
    LegArrived,
    LegRinging,
    LinkRestored,
    PhoneChanged,
    PhoneState,
    RoomsReached,
)
from routing.core.interaction import Interaction
from routing.core.orders import SignIn
from tests.unit.core_driver import Driver, agent, config

TO_B = {"b": "PJSIP/{number}@to-b"}
TO_A = {"a": "sofia/gateway/to-a/{number}"}
ANNA = agent("anna", phone="PJSIP/1001", order=1)
BEN = agent("ben", pbx="b", phone="user/1002", order=2)
CARL = agent("carl", pbx="b", phone="user/1003@pbx.example", order=3)


def site(*agents: AgentConfig, a: dict[str, str] | None = None, b: dict[str, str] | None = None, **more: Any) -> Config:
    """`a`, `b`: trunks of that PBX."""
    pbxs = {
        "a": Pbx(id="a", kind="asterisk", dial="PJSIP/{number}@out", trunks=a or {}),
        "b": Pbx(id="b", kind="freeswitch", dial="sofia/gateway/out/{number}", trunks=b or {}),
    }
    return config(list(agents), more.pop("queues", None), pbxs=pbxs, **more)


class Site(Driver):
    """Both links are up and every phone is free on the PBX that it belongs to."""

    def __init__(self, configuration: Config, *, ready: tuple[str, ...] | None = None) -> None:
        super().__init__(configuration, ready=())
        for pbx in configuration.pbxs:
            self.restore(pbx)
        for agent_id in configuration.agents if ready is None else ready:
            self.sign_in(agent_id)

    def sign_in(self, agent_id: str) -> None:
        self.obeys(SignIn, agent_id=agent_id)
        self.now_ms += 10

    def obeys(self, kind: type, **fields: Any) -> None:
        """An order that must be accepted."""
        reply = self.order(kind, **fields)
        assert reply.code == "ok", reply

    def restore(self, pbx: str, **fields: Any) -> None:
        own = [a for a in self.world.config.agents.values() if a.pbx == pbx]
        self.give(LinkRestored(pbx=pbx, phones={a.phone: PhoneState.FREE for a in own}, **fields))

    def call_on(self, pbx: str, name: str, **fields: Any) -> str:
        """A caller arrives there; returns the interaction id, empty when he was not let in."""
        arrived = LegArrived(pbx=pbx, leg_id=f"leg_{name}", **({"entry_point": "sales"} | fields))
        self.give(arrived)
        found = self.world.interaction_of(arrived.leg_id)
        self.now_ms += 10
        return found.id if found else ""

    def pbx_of(self, interaction_id: str) -> str:
        return self.interaction(interaction_id).pbx

    def rings_at(self, interaction_id: str, agent_id: str) -> None:
        self.give(LegRinging(pbx=self.pbx_of(interaction_id), leg_id=self.leg_of(interaction_id, agent_id)))

    def takes(self, interaction_id: str, agent_id: str) -> Interaction:
        """He picks up, and the PBX of the call confirms the rooms."""
        pbx = self.pbx_of(interaction_id)
        self.rings_at(interaction_id, agent_id)
        self.give(LegAnswered(pbx=pbx, leg_id=self.leg_of(interaction_id, agent_id)))
        return self.confirms(interaction_id)

    def confirms(self, interaction_id: str) -> Interaction:
        version = self.interaction(interaction_id).rooms_version
        self.give(RoomsReached(pbx=self.pbx_of(interaction_id), interaction_id=interaction_id, version=version))
        return self.interaction(interaction_id)

    def fails_at(self, interaction_id: str, agent_id: str, outcome: DialOutcome) -> None:
        leg_id = self.leg_of(interaction_id, agent_id)
        self.give(DialFailed(pbx=self.pbx_of(interaction_id), leg_id=leg_id, outcome=outcome))

    def phone_is(self, agent_id: str, state: PhoneState) -> None:
        """As his own PBX tells."""
        own = self.world.config.agents[agent_id]
        self.give(PhoneChanged(pbx=own.pbx, phone=own.phone, state=state))

    def dials(self) -> list[tuple[str, str]]:
        """Where and what was dialed so far."""
        return [(c.pbx, c.phone) for c in self.commands if isinstance(c, DialLeg)]
