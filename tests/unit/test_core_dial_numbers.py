"""Transfer and consult to a dial number: an external party in the call, and what becomes of everybody."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.commands import DialLeg, HangUpLeg
from routing.core.config import Config, EntryPoint, Numbers, Pbx, Profile, UnansweredTransfer
from routing.core.dial_rights import DialRights
from routing.core.events import Event, EventType
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialFailed,
    DialOutcome,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegState,
    LinkLost,
    LinkRestored,
    SnapshotLeg,
)
from routing.core.interaction import InteractionState, Offer, OfferEnd, Party, Role
from routing.core.orders import EndInteraction, Hold, Invite, OnConsult, Reply, Resume, StartConsult, Transfer
from routing.core.roles import Action
from routing.core.step import step
from routing.core.world import World, WorldState
from tests.unit.core_driver import WRAP, Driver, agent, config, queue

S = InteractionState
ANNA, TYPED, DIALED = "anna", "+1 (201) 553-2447", "+12015532447"
TRUNK = Pbx(id="a", kind="simulated", dial="PJSIP/{number}@trunk", dial_colon="*", dial_caller_id="+12015550000")
RIGHTS = DialRights(allowed=("+1", "5"), denied=("+1900",))


def centre(rights: DialRights = RIGHTS, trunk: Pbx = TRUNK, **changes: Any) -> Config:
    changes.setdefault("numbers", Numbers(country="1", ring_timeout_s=25))
    base = config([agent(ANNA)], [queue(wrap_up=WRAP)], pbxs={"a": trunk}, **changes)
    base.profiles["default"] = Profile(id="default", dial=rights)
    base.entry_points["direct"] = EntryPoint(id="direct", queue="sales", numbers=("+12015550199",))
    return base


class Line:
    """One call with Anna, and who is dialed outside."""

    def __init__(self, configuration: Config | None = None) -> None:
        self.d = Driver(configuration or centre())
        self.id = self.d.call()
        self.d.answer(self.id, ANNA)

    @property
    def state(self) -> InteractionState:
        return self.d.interaction(self.id).state

    @property
    def is_over(self) -> bool:
        return self.id in self.d.ended

    def order(self, kind: type, **fields: Any) -> Reply:
        reply = self.d.order(kind, agent_id=ANNA, interaction_id=self.id, **fields)
        if not self.is_over:
            self.d.reach(self.id)
        return reply

    def act(self, action: Action) -> Reply:
        return self.order(OnConsult, action=action.value)

    @property
    def outside(self) -> Offer | Party:
        found = self.d.interaction(self.id)
        everybody: list[Offer | Party] = [*found.offers, *found.parties]
        return next(one for one in everybody if one.number)

    def rings(self) -> None:
        self.d.give(LegRinging(pbx="a", leg_id=self.outside.leg_id))

    def answers(self) -> None:
        self.rings()
        self.d.give(LegAnswered(pbx="a", leg_id=self.outside.leg_id))
        self.d.reach(self.id)

    def fails(self, outcome: DialOutcome) -> None:
        self.d.give(DialFailed(pbx="a", leg_id=self.outside.leg_id, outcome=outcome))

    def leaves(self) -> None:
        self.d.give(LegEnded(pbx="a", leg_id=self.outside.leg_id))

    def dialed(self) -> list[DialLeg]:
        return [c for c in self.d.commands if isinstance(c, DialLeg) and c.phone != f"PJSIP/{ANNA}"]

    def hears(self) -> list[set[str]]:
        interaction = self.d.interaction(self.id)
        names = {interaction.customer_leg: "customer"}
        names |= {p.leg_id: p.agent_id or p.number for p in interaction.parties}
        return [{names[leg] for leg in r.legs} | ({"music"} if r.music else set()) for r in interaction.rooms]

    def told(self, type_: EventType) -> Event:
        (event,) = self.d.told(type_)
        return event


def to(kind: type, configuration: Config | None = None) -> Line:
    """Dialed and not answered yet."""
    line = Line(configuration)
    reply = line.order(kind, to_number=TYPED)
    assert reply.code == "ok", reply
    return line


@pytest.mark.req("XFER-02", "XFER-10", "CONS-02", "DIAL-02", "DIAL-03", "A3")
@pytest.mark.parametrize("kind", [Transfer, StartConsult, Invite])
def test_a_number_is_dialed_sanitized_through_the_trunk_and_the_reply_says_its_form(kind: type) -> None:
    line = Line()
    reply = line.order(kind, to_number=TYPED)
    assert (reply.code, reply.values["to_number"], reply.values["form"]) == ("ok", DIALED, "us")
    (dial,) = line.dialed()
    assert (dial.phone, dial.caller_number, dial.timeout_s) == (f"PJSIP/{DIALED}@trunk", "+12015550000", 30)
    assert line.told(EventType.DIAL_STARTED).values["number"] == DIALED


@pytest.mark.req("DIAL-04", "DIAL-06", "DIAL-10", "DIAL-11", "SAFE-04", "A4")
@pytest.mark.parametrize("kind", [Transfer, StartConsult, Invite])
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("55", "too_short"),
        ("5" * 15, "too_long"),
        ("Peter", "name"),
        ("()", "no_digits"),
        ("5+55", "plus_inside"),
        ("7001", "not_allowed"),
        ("7000", "entry_point"),
        ("(201) 555-0199", "entry_point"),
        ("+1 900 555 0100", "denied"),
        ("+44 20 7946 0000", "not_allowed"),
    ],
)
def test_a_refused_number_names_its_rule_and_nothing_has_changed(kind: type, text: str, rule: str) -> None:
    line = Line()
    before = (line.d.interaction(line.id), line.d.world.agent(ANNA), len(line.d.commands), len(line.d.events))
    reply = line.d.order(kind, agent_id=ANNA, interaction_id=line.id, to_number=text)
    assert (reply.code, reply.values["rule"]) == ("number-refused", rule)
    assert (line.d.interaction(line.id), line.d.world.agent(ANNA), len(line.d.commands), len(line.d.events)) == before


@pytest.mark.req("SAFE-04", "A4")
@pytest.mark.parametrize(
    ("configuration", "text", "rule"),
    [
        (config([agent(ANNA)], pbxs={"a": TRUNK}), "555", "not_allowed"),
        (centre(trunk=Pbx(id="a", kind="simulated")), "555", "no_trunk"),
        (centre(trunk=Pbx(id="a", kind="simulated", dial="PJSIP/{number}@t")), "5:55", "colon_unmapped"),
        (centre(DialRights(allowed=("+",))), "+442079460000", "international"),
        (centre(DialRights(allowed=("+",))), "+19005550100", "premium"),
        (centre(DialRights(allowed=("5",), max_digits=4)), "55555", "profile_length"),
    ],
    ids=["profile without rights", "no trunk", "colon", "international", "premium", "length"],
)
def test_nothing_is_dialed_that_profile_and_pbx_do_not_provide_for(configuration: Config, text: str, rule: str) -> None:
    line = Line(configuration)
    assert line.order(Transfer, to_number=text).values["rule"] == rule
    assert not line.dialed()
    assert line.state is S.CONNECTED


@pytest.mark.req("XFER-02")
def test_a_number_beside_another_target_is_refused() -> None:
    assert Line().order(Transfer, to_number=TYPED, to_queue="sales").code == "target-unknown"


# ---------------------------------------------------------------- consult


@pytest.mark.req("CONS-02", "CONS-06", "CONS-09", "CONS-10", "HOLD-06", "HOLD-07", "A5")
def test_agent_1_talks_with_the_external_party_aside_toggles_and_makes_a_conference() -> None:
    line = to(StartConsult)
    assert line.state is S.CONSULT_REQUESTED
    assert line.hears() == [{"customer", "music"}, {ANNA}]
    line.answers()
    assert line.hears() == [{"customer", "music"}, {ANNA, DIALED}]
    line.order(Resume)
    assert line.hears() == [{"customer", ANNA}, {DIALED, "music"}]
    line.act(Action.RESUME_CONSULT)
    assert line.hears() == [{"customer", "music"}, {ANNA, DIALED}]
    line.act(Action.CONFERENCE)
    assert line.hears() == [{"customer", ANNA, DIALED}]
    assert line.told(EventType.CONFERENCE_STARTED).values["consulted_dn"] == DIALED
    outcome = line.told(EventType.DIAL_ENDED).values
    assert (outcome["number"], outcome["outcome"], outcome["purpose"]) == (DIALED, "answered", "consult")


@pytest.mark.req("CONF-07", "A26")
def test_an_invited_external_party_joins_without_the_customer_being_held() -> None:
    line = to(Invite)
    assert line.hears() == [{"customer", ANNA}]
    line.answers()
    assert line.hears() == [{"customer", ANNA, DIALED}]


@pytest.mark.req("XFER-02", "XFER-11", "CONSROLE-07", "CONFROLE-07")
@pytest.mark.parametrize("through", [(), (Action.HOLD_CONSULT,), (Action.CONFERENCE,)])
def test_the_call_goes_on_between_customer_and_external_party_and_agent_1_wraps_up(
    through: tuple[Action, ...],
) -> None:
    line = to(StartConsult)
    line.answers()
    for action in (*through, Action.COMPLETE_TRANSFER):
        assert line.act(action).code == "ok"
    assert (line.state, line.hears()) == (S.CONNECTED, [{"customer", DIALED}])
    assert line.d.state_of(ANNA) == "wrap_up"
    assert line.d.interaction(line.id).party(Role.OWNER).agent_id == ""  # type: ignore[union-attr]
    assert line.told(EventType.INTERACTION_TRANSFERRED).values["to_number"] == DIALED


@pytest.mark.req("XFER-02")
@pytest.mark.parametrize("leaver", ["customer", "external"])
@pytest.mark.parametrize("kind", [Transfer, StartConsult])
def test_without_an_agent_the_call_is_over_when_either_leaves(kind: type, leaver: str) -> None:
    line = to(kind)
    line.answers()
    if kind is StartConsult:
        line.act(Action.COMPLETE_TRANSFER)
    outside = line.outside.leg_id
    line.d.hang_up("leg_c1" if leaver == "customer" else outside)
    ended = line.d.ended[line.id]
    assert (ended.ended_by, ended.result) == (leaver, "answered")
    assert (outside if leaver == "customer" else "leg_c1") in line.d.hung_up()
    assert line.told(EventType.INTERACTION_ENDED).values["numbers"] == [DIALED]
    line.d.advance(60)
    assert line.d.state_of(ANNA) == "available"


@pytest.mark.req("CONSROLE-14", "A7", "CONS-11")
@pytest.mark.parametrize(
    ("through", "then"),
    [((), S.HELD), ((Action.HOLD_CONSULT,), S.CONNECTED), ((Action.CONFERENCE,), S.CONNECTED)],
)
def test_an_external_party_who_hangs_up_leaves_as_agent_2_does(
    through: tuple[Action, ...], then: InteractionState
) -> None:
    line = to(StartConsult)
    line.answers()
    for action in through:
        line.act(action)
    line.leaves()
    assert line.state is then
    assert [p.agent_id for p in line.d.interaction(line.id).parties] == [ANNA]
    assert line.told(EventType.CONSULT_ENDED).values["how"] == "left"


@pytest.mark.req("CONS-05")
def test_a_consult_to_a_number_is_cancelled_while_it_rings() -> None:
    line = to(StartConsult)
    leg = line.outside.leg_id
    line.act(Action.CANCEL_CONSULT)
    assert line.state is S.HELD
    assert leg in line.d.hung_up()
    assert not any(c.answered_elsewhere for c in line.d.commands if isinstance(c, HangUpLeg) and c.leg_id == leg)
    line.d.give(LegAnswered(pbx="a", leg_id=leg))
    assert line.d.hung_up()[-1] == leg, "who answers too late is hung up"


@pytest.mark.req("CONS-11")
@pytest.mark.parametrize("outcome", list(DialOutcome))
def test_a_number_that_fails_ends_the_consult_with_a_typed_outcome_and_blames_nobody(outcome: DialOutcome) -> None:
    line = to(StartConsult)
    line.fails(outcome)
    assert line.state is S.HELD
    expected = "rescinded" if outcome is DialOutcome.CANCELLED else outcome.value
    assert line.told(EventType.DIAL_ENDED).values["outcome"] == expected
    told = line.told(EventType.CONSULT_NOT_TAKEN)
    assert (told.agent_id, told.values["number"], told.values["outcome"]) == ("", DIALED, expected)
    assert line.d.state_of(ANNA) == "held"


@pytest.mark.req("CONSROLE-10", "A6")
@pytest.mark.parametrize("is_answered", [True, False])
def test_agent_1_ends_it_all_and_the_external_party_is_hung_up(is_answered: bool) -> None:
    line = to(StartConsult)
    leg = line.outside.leg_id
    if is_answered:
        line.answers()
    line.order(EndInteraction)
    assert line.is_over
    assert leg in line.d.hung_up()
    assert not [k for k in line.d.world.state.timers if line.id in k and "offer" in k]


# ---------------------------------------------------------------- blind transfer


@pytest.mark.req("XFER-02", "XFER-10", "XFER-11")
def test_the_customer_hears_music_until_the_number_answers_and_then_both_are_joined() -> None:
    line = to(Transfer)
    assert (line.state, line.hears()) == (S.OFFERED, [{"customer", "music"}])
    assert line.d.state_of(ANNA) == "wrap_up"
    line.rings()
    assert line.told(EventType.DIAL_RINGING).values["number"] == DIALED
    line.answers()
    assert (line.state, line.hears()) == (S.CONNECTED, [{"customer", DIALED}])


@pytest.mark.req("XFER-08", "A9")
@pytest.mark.parametrize("policy", list(UnansweredTransfer))
@pytest.mark.parametrize("outcome", [DialOutcome.BUSY, DialOutcome.REJECTED, DialOutcome.INVALID, None])
def test_a_transfer_that_nobody_takes_outside_is_dropped_or_queued_as_configured(
    outcome: DialOutcome | None, policy: UnansweredTransfer
) -> None:
    line = to(Transfer, centre(unanswered_transfer=policy))
    leg = line.outside.leg_id
    if outcome:
        line.fails(outcome)
    else:
        line.d.advance(24.9)
        assert line.state is S.OFFERED
        line.d.advance(0.2)
        assert leg in line.d.hung_up()
    assert line.told(EventType.DIAL_ENDED).values["outcome"] == (outcome.value if outcome else "no_answer")
    if policy is UnansweredTransfer.DROP:
        assert "leg_c1" in line.d.hung_up()
        assert line.is_over
    else:
        assert line.state in (S.QUEUED, S.OFFERED)
        line.d.advance(31 if outcome else 10)
        assert line.d.offered(line.id) == (ANNA,), "back in its queue, the next free agent gets it"


@pytest.mark.req("XFER-08")
def test_a_customer_who_leaves_while_the_number_is_dialed_stops_it() -> None:
    line = to(Transfer)
    leg = line.outside.leg_id
    line.d.hang_up("leg_c1")
    assert leg in line.d.hung_up()
    assert line.told(EventType.DIAL_ENDED).values["outcome"] == "abandoned"


@pytest.mark.req("SAFE-02")
def test_dialing_of_unknown_fate_is_never_repeated_and_the_caller_is_not_lost() -> None:
    line = to(Transfer)
    offer = line.outside
    assert isinstance(offer, Offer)
    line.d.give(CommandEnded(pbx="a", command_id=offer.id, outcome=CommandOutcome.UNKNOWN))
    assert line.state is S.QUEUED
    assert offer.leg_id in line.d.hung_up()
    assert len(line.dialed()) == 1


@pytest.mark.req("SAFE-01", "SAFE-02")
@pytest.mark.parametrize("is_there", [True, False])
def test_after_a_lost_link_the_external_party_is_found_again_or_gone(is_there: bool) -> None:
    line = to(StartConsult)
    line.answers()
    line.act(Action.COMPLETE_TRANSFER)
    outside = line.outside.leg_id
    line.d.give(LinkLost(pbx="a"))
    live = ["leg_c1", *([outside] if is_there else [])]
    legs = tuple(SnapshotLeg(leg_id=leg, interaction_id=line.id, state=LegState.UP) for leg in live)
    line.d.give(LinkRestored(pbx="a", legs=legs))
    assert line.is_over is not is_there
    if is_there:
        assert line.hears() == [{"customer", DIALED}]


@pytest.mark.req("SAFE-01")
def test_a_number_answered_while_the_link_was_down_is_joined() -> None:
    line = to(Transfer)
    outside = line.outside.leg_id
    line.d.give(LinkLost(pbx="a"))
    legs = tuple(SnapshotLeg(leg_id=i, interaction_id=line.id, state=LegState.UP) for i in ("leg_c1", outside))
    line.d.give(LinkRestored(pbx="a", legs=legs))
    assert (line.state, line.hears()) == (S.CONNECTED, [{"customer", DIALED}])
    assert len(line.dialed()) == 1


def test_the_past_of_the_call_knows_the_number_and_its_outcome() -> None:
    line = to(StartConsult)
    line.fails(DialOutcome.CONGESTION)
    past = line.d.interaction(line.id).past_offers[-1]
    assert (past.agent_id, past.number, past.end) == ("", DIALED, OfferEnd.CONGESTION)


@pytest.mark.req("OFFER-06")
def test_nobody_gives_orders_in_the_name_of_the_external_party() -> None:
    line = to(StartConsult)
    line.answers()
    for kind, fields in ((OnConsult, {"action": "exit_consult"}), (Hold, {}), (EndInteraction, {})):
        reply = line.d.order(kind, agent_id="", interaction_id=line.id, **fields)
        assert reply.code == "agent-unknown"


def test_a_replay_of_a_call_with_an_external_party_gives_the_same_state() -> None:
    line = to(StartConsult)
    line.answers()
    line.act(Action.COMPLETE_TRANSFER)
    again = World(WorldState(config=Config(tenant="test")))
    for now_ms, seq, item in line.d.log:
        step(again, item, now_ms, seq)
    assert again.state == line.d.world.state
