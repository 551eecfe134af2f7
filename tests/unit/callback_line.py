"""A customer who is owed a call, brought to the point that a test is about, for tests of the pure core."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core.callback import CallbackCall, CallbackRules, CallbackState
from routing.core.commands import DialLeg, LookUp
from routing.core.config import Config, Numbers, Pbx
from routing.core.dial_rights import DialRights
from routing.core.events import Event, EventType
from routing.core.facts import DialFailed, DialOutcome, LegAnswered, LegEnded, LegRinging, LookedUp, LookUpOutcome
from routing.core.guard import allowed_actions
from routing.core.interaction import Interaction, InteractionState, Offer, Role
from routing.core.orders import CancelCallback, Reply, RequestCallback, SignIn
from routing.core.roles import Action
from tests.unit.core_driver import WRAP, Driver, agent, config, queue

ANNA, BEN = "anna", "ben"
CUSTOMER = "+12015550100"  # who calls, in the driver
RULES = CallbackRules(dial=DialRights(allowed=("+1",)), max_attempts=3, retry_s=(300, 900), ring_timeout_s=25)
TRUNK = Pbx(id="a", kind="simulated", dial="PJSIP/{number}@trunk", dial_caller_id="+12015550009")
WAITED_S = 60


def centre(rules: CallbackRules = RULES, after_abandon_s: int | None = 0, **changes: Any) -> Config:
    """Anna and Ben in sales, whose callers are called back when they give up; help has Ben, and calls nobody back."""
    queues = [queue(wrap_up=WRAP, callback_after_abandon_s=after_abandon_s), queue("help")]
    agents = [agent(ANNA), agent(BEN, queues=(("sales", 1), ("help", 1)))]
    changes.setdefault("pbxs", {"a": TRUNK})
    return config(agents, queues, numbers=Numbers(country="1"), callbacks=rules, **changes)


class Owed:
    """A caller has waited a minute, nobody was signed in, and he has given up. `id`: of the callback."""

    def __init__(self, configuration: Config | None = None, *, check: bool = True, **call: Any) -> None:
        self.d = Driver(configuration or centre(), ready=())
        self.origin = self.d.call(**call)
        self.entered_at_ms = self.d.interaction(self.origin).entered_at_ms
        self.d.advance(WAITED_S)
        self.d.hang_up("leg_c1")
        self.id = next((i.id for i in self.d.world.state.interactions.values() if i.callback), "")
        if check and self.id:
            self.allow()

    # ------------------------------------------------------------------ what happens

    def sign_in(self, *agents: str) -> None:
        for agent_id in agents or (ANNA,):
            self.d.order(SignIn, agent_id=agent_id)

    def allow(self, *, is_blocked: bool = False, outcome: LookUpOutcome = LookUpOutcome.DONE) -> None:
        """The answer to the newest question whether the number may be called."""
        check = [c for c in self.checks() if c.interaction_id == self.id][-1]
        answer = LookedUp(pbx=check.pbx, interaction_id=self.id, command_id=check.id, outcome=outcome)
        self.d.give(replace(answer, is_blocked=is_blocked))

    def rings(self) -> None:
        self.d.give(LegRinging(pbx="a", leg_id=self.offer.leg_id))

    def answers(self) -> None:
        """Whose telephone rings now picks up."""
        self.rings()
        self.d.give(LegAnswered(pbx="a", leg_id=self.offer.leg_id))
        if self.id in self.d.world.state.interactions:
            self.d.reach(self.id)

    def dials(self) -> Owed:
        """Anna has picked up and hears the ringing tone."""
        self.sign_in()
        self.answers()
        return self

    def talks(self) -> Owed:
        self.dials()
        self.answers()
        return self

    def fails(self, outcome: DialOutcome) -> None:
        self.d.give(DialFailed(pbx="a", leg_id=self.offer.leg_id, outcome=outcome))

    def hangs_up(self, leg_id: str) -> None:
        self.d.give(LegEnded(pbx="a", leg_id=leg_id))

    def rests(self, seconds: float) -> None:
        """Until it is asked again whether the number may be called, and it may."""
        asked = len(self.checks())
        self.d.advance(seconds)
        assert len(self.checks()) > asked, "it rests on"
        self.allow()

    # ------------------------------------------------------------------ what is to be seen

    @property
    def interaction(self) -> Interaction:
        return self.d.interaction(self.id)

    def state(self) -> InteractionState:
        return self.interaction.state

    def call_state(self) -> CallbackState:
        return self.call.state

    @property
    def call(self) -> CallbackCall:
        call = self.interaction.callback
        assert call is not None
        return call

    @property
    def offer(self) -> Offer:
        (offer,) = self.interaction.offers
        return offer

    @property
    def agent_leg(self) -> str:
        owner = self.interaction.party(Role.OWNER)
        return owner.leg_id if owner else self.offer.leg_id

    @property
    def is_over(self) -> bool:
        return self.id in self.d.ended

    @property
    def ended(self) -> Interaction:
        return self.d.ended[self.id]

    def checks(self) -> list[LookUp]:
        return [c for c in self.d.commands if isinstance(c, LookUp)]

    def dialed(self) -> list[DialLeg]:
        """Of customers alone."""
        return [c for c in self.d.commands if isinstance(c, DialLeg) and "@trunk" in c.phone]

    def allowed(self) -> set[Action]:
        anna = self.d.world.agent(ANNA)
        return set(allowed_actions(self.d.world.config, self.interaction, anna, anna.engagements[self.id]))

    def told(self, type_: EventType) -> list[Event]:
        return [e for e in self.d.told(type_) if e.interaction_id == self.id]

    def causes(self) -> list[object]:
        return [e.values["cause"] for e in self.told(EventType.CALLBACK_GIVEN_UP)]


def ask(d: Driver, number: str = "+12015550111", **fields: Any) -> Reply:
    return d.order(RequestCallback, number=number, **({"queue": "sales"} | fields))


def cancel(d: Driver, interaction_id: str) -> Reply:
    return d.order(CancelCallback, interaction_id=interaction_id)


def attach(d: Driver, interaction_id: str = "") -> Owed:
    """The callback of a driver that made its own way here; the first one unless it is named."""
    owed = Owed.__new__(Owed)
    owed.d = d
    owed.id = interaction_id or next(i.id for i in d.world.state.interactions.values() if i.callback)
    owed.entered_at_ms = d.interaction(owed.id).entered_at_ms
    return owed
