"""One agent with a profile for outdial, and his call, for tests of the pure core."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core.commands import DialLeg
from routing.core.config import Config, EntryPoint, Numbers, Pbx, Profile
from routing.core.dial_rights import DialRights
from routing.core.events import Event, EventType
from routing.core.facts import DialFailed, DialOutcome, LegAnswered, LegEnded, LegRinging
from routing.core.guard import allowed_actions
from routing.core.interaction import Interaction, InteractionState, Offer, Role
from routing.core.orders import CancelOutdial, Reply, SignIn, StartOutdial
from routing.core.outdial import OutdialRules, OutdialSource
from routing.core.roles import Action
from tests.unit.core_driver import WRAP, Driver, agent, config, queue

ANNA, BEN = "anna", "ben"
TYPED, DIALED = "+1 (201) 555-0123", "+12015550123"
SALES, SERVICE, DEFAULT = "+12015550001", "+12015550002", "+12015550000"
CALLER = Profile(
    id="caller",
    dial=DialRights(allowed=("+1",)),
    outdial=True,
    dial_pad=True,
    address_book=True,
    outdial_anis={"Sales": SALES, "Service": SERVICE},
)
TRUNK = Pbx(id="a", kind="simulated", dial="PJSIP/{number}@trunk", dial_caller_id="+12015550009")
RULES = OutdialRules(entry_point="outbound", default_ani=DEFAULT, agent_ring_timeout_s=15, customer_ring_timeout_s=40)


def centre(profile: Profile = CALLER, **changes: Any) -> Config:
    """Anna may place calls as `profile` says, Ben may not; the calls are of the queue `calls`."""
    changes.setdefault("outdial", RULES)
    changes.setdefault("numbers", Numbers(country="1"))
    queues = [queue(wrap_up=WRAP), queue("calls", label="Calls out", wrap_up=WRAP)]
    agents = [agent(ANNA, profile="caller", phone="PJSIP/1001"), agent(BEN, phone="PJSIP/1002")]
    base = config(agents, queues, pbxs={"a": TRUNK}, **changes)
    base.profiles["caller"] = replace(profile, id="caller")
    base.entry_points["outbound"] = EntryPoint(id="outbound", queue="calls", numbers=("+12015550188",))
    return base


class Outdial:
    """Anna's outdial. `idle`: she is idle for a break when it starts."""

    def __init__(self, configuration: Config | None = None, *, idle: str = "", **fields: Any) -> None:
        self.d = Driver(configuration or centre(), ready=())
        self.d.order(SignIn, agent_id=ANNA, idle_reason=idle or None)
        self.reply = self.start(**fields)
        self.id = str(self.reply.values.get("interaction_id", ""))

    def start(self, agent_id: str = ANNA, **fields: Any) -> Reply:
        source = OutdialSource(fields.pop("source", "dial_pad"))
        return self.d.order(StartOutdial, agent_id=agent_id, source=source, **({"number": TYPED} | fields))

    @property
    def interaction(self) -> Interaction:
        return self.d.interaction(self.id)

    def state(self) -> InteractionState:
        return self.interaction.state

    def answered_at_ms(self) -> int | None:
        return self.interaction.answered_at_ms

    @property
    def ended(self) -> Interaction:
        return self.d.ended[self.id]

    @property
    def offer(self) -> Offer:
        """The leg that is being dialed now."""
        (offer,) = self.interaction.offers
        return offer

    @property
    def agent_leg(self) -> str:
        owner = self.interaction.party(Role.OWNER)
        return owner.leg_id if owner else self.offer.leg_id

    def rings(self) -> None:
        self.d.give(LegRinging(pbx="a", leg_id=self.offer.leg_id))

    def answers(self) -> None:
        """Whoever is being called now picks up."""
        self.rings()
        self.d.give(LegAnswered(pbx="a", leg_id=self.offer.leg_id))
        self.d.reach(self.id)

    def talks(self) -> Outdial:
        self.answers()
        self.answers()
        return self

    def fails(self, outcome: DialOutcome) -> None:
        self.d.give(DialFailed(pbx="a", leg_id=self.offer.leg_id, outcome=outcome))

    def hangs_up(self, leg_id: str) -> None:
        self.d.give(LegEnded(pbx="a", leg_id=leg_id))

    def cancel(self) -> Reply:
        return self.d.order(CancelOutdial, agent_id=ANNA, interaction_id=self.id)

    def allowed(self) -> set[Action]:
        anna = self.d.world.agent(ANNA)
        return set(allowed_actions(self.d.world.config, self.interaction, anna, anna.engagements[self.id]))

    def dialed(self) -> list[DialLeg]:
        return [c for c in self.d.commands if isinstance(c, DialLeg)]

    def told(self, type_: EventType) -> Event:
        return next(e for e in self.d.told(type_) if e.interaction_id == self.id)
