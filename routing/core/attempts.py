"""Attempts: a record's number is asked about, dialed and told of, each exactly once, in every mode (DIALER-03..06).

Window, limits and the number are looked at when it is asked about, and again at the moment of dialing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core import basis, capacity, compliance, decisions, drop_days, retry
from routing.core.campaign import CampaignCall, DropDay, Verdict
from routing.core.campaign_rules import DEFAULT_RETRIES, AttemptResult, Campaign, RetryRule
from routing.core.commands import LookUp, LookUpKind
from routing.core.config import Result
from routing.core.dialable import Dialable, Hindered, Hindrance, choose, hours_of, index_of, of_today
from routing.core.endings import end_interaction
from routing.core.errors import RecordNotDialable
from routing.core.events import EventType
from routing.core.interaction import Interaction, InteractionState, OfferEnd, OfferPurpose, Role
from routing.core.members import is_running
from routing.core.record import RecordCard, RecordLive, RecordState, RecordTrigger, ReleaseCause
from routing.core.releasing import move, release
from routing.core.reservations import reserve
from routing.core.ringing import ring_outside
from routing.core.timers import Due, key
from routing.core.world import World

CHECK_DEADLINE_MS = 5000

# What is released with these waits until a time; the others are over.
_RELEASES = {
    Hindrance.WINDOW: ReleaseCause.WINDOW,
    Hindrance.TODAY: ReleaseCause.RETRY,
    Hindrance.SPENT: ReleaseCause.SPENT,
    Hindrance.NO_NUMBER: ReleaseCause.NO_NUMBER,
}

# What became of the dialing, in the words of attempts; what was taken back was taken back by us.
_RESULTS = {
    OfferEnd.NO_ANSWER: AttemptResult.NO_ANSWER,
    OfferEnd.REJECTED: AttemptResult.REJECTED,
    OfferEnd.BUSY: AttemptResult.BUSY,
    OfferEnd.UNREACHABLE: AttemptResult.UNREACHABLE,
    OfferEnd.INVALID: AttemptResult.INVALID,
    OfferEnd.CONGESTION: AttemptResult.CONGESTION,
    OfferEnd.ABANDONED: AttemptResult.CANCELLED,
    OfferEnd.RESCINDED: AttemptResult.CANCELLED,
}


# ------------------------------------------------------------------ before it is dialed


def ask(world: World, record: RecordLive, number: str = "", kind: str = "") -> None:
    """Whether it may be called is asked; the record is CHECKING until `checks` goes on with the answer.

    `number`: one of its numbers, or a new one of that `kind`; empty: the one whose turn it is. Raises
    RecordNotDialable; then nothing has changed.
    """
    found = _choose(world, record, number)
    if isinstance(found, Hindered):
        raise RecordNotDialable(record_id=record.id, because=found.why.value)
    _check(world, record, found, kind)


def take(world: World, record: RecordLive, agent_id: str = "") -> bool:
    """The same for one of the hopper that no agent has before him; `agent_id`: for whom it is kept.

    What cannot be dialed for long is released with the reason. Whether it is being asked about now.
    """
    found = _choose(world, record, "")
    if isinstance(found, Dialable):
        _check(world, replace(record, agent_id=agent_id), found, "")
        return True
    let_go(world, record, found)
    return False


def let_go(world: World, record: RecordLive, found: Hindered) -> None:
    """One of the hopper that cannot be dialed for long is released with the reason."""
    if cause := _RELEASES.get(found.why):
        release(world, record, cause, next_at_ms=found.at_ms, next_number=found.index)


def _choose(world: World, record: RecordLive, number: str) -> Dialable | Hindered:
    if not is_running(world, record.card.campaign):
        raise RecordNotDialable(record_id=record.id, because="not_running")
    return choose(world, world.config.campaigns[record.card.campaign], record, number)


def _check(world: World, record: RecordLive, found: Dialable, kind: str) -> None:
    check = LookUp(
        id=world.new_id("cmd"),
        interaction_id=record.id,
        kind=LookUpKind.DO_NOT_CALL,
        deadline_ms=world.now_ms + CHECK_DEADLINE_MS,
        number=found.outside.number.text,
        campaign=record.card.campaign,
    )
    chosen: dict[str, Any] = {"number": found.number.number, "number_kind": kind or found.number.kind}
    chosen |= {"is_new_number": found.index is None, "check_id": check.id}
    move(world, record, RecordTrigger.ASKED, **chosen)
    world.set_timer(key(Due.CHECK, record.id), check.deadline_ms)
    world.send(check)


# ------------------------------------------------------------------ dialing


def begin(world: World, interaction: Interaction, record: RecordLive) -> Interaction:
    """The customer is dialed, and it counts; `interaction` is in CALLING_CUSTOMER, `record` was checked.

    Raises RecordNotDialable where the window has closed or a limit is reached meanwhile, DialRateReached; then nothing
    has changed. Limits of calls (26, 27) are for who makes it a customer's call.
    """
    campaign, found = _still_dialable(world, record)
    owner = interaction.party(Role.OWNER)
    if owner:
        capacity.count_dial(world, owner.agent_id)
    else:
        capacity.count_campaign_dial(world, campaign.id)
    attempt_id = world.new_id("att")
    card = _counted(of_today(world, campaign, record.card), found.index)
    changes: dict[str, Any] = {"card": card, "attempt_id": attempt_id, "interaction_id": interaction.id, "result": None}
    if record.state is RecordState.CALLING:
        record = world.put_record(replace(record, **changes))
    else:
        record = move(world, record, RecordTrigger.DIALED, **changes)
    call = _dialed(world, interaction, record, found)
    interaction = world.update_interaction(interaction, campaign=call, dnis=call.number, ani=call.ani)
    _tell_started(world, interaction, record, found)
    return ring_outside(world, interaction, found.outside, OfferPurpose.CAMPAIGN)


def _still_dialable(world: World, record: RecordLive) -> tuple[Campaign, Dialable]:
    found = _choose(world, record, record.number)
    if isinstance(found, Hindered):
        raise RecordNotDialable(record_id=record.id, because=found.why.value)
    return world.config.campaigns[record.card.campaign], found


def _counted(card: RecordCard, index: int | None) -> RecordCard:
    """With this attempt; `index`: of its number."""
    numbers = tuple(
        replace(n, attempts=n.attempts + 1, attempts_today=n.attempts_today + 1) if place == index else n
        for place, n in enumerate(card.numbers)
    )
    return replace(card, attempts=card.attempts + 1, attempts_today=card.attempts_today + 1, numbers=numbers)


def _dialed(world: World, interaction: Interaction, record: RecordLive, found: Dialable) -> CampaignCall:
    campaign = world.config.campaigns[record.card.campaign]
    call = interaction.campaign or CampaignCall(campaign=campaign.id, mode=campaign.mode)
    return replace(
        call,
        record_id=record.id,
        number=found.outside.number.text,
        number_kind=record.number_kind,
        form=found.outside.number.form.value,
        phone=found.outside.phone,
        ani=campaign.ani,
        attempt=record.card.attempts,
        attempt_id=record.attempt_id,
        dialed_at_ms=world.now_ms,
        reached_at_ms=0,
        due_ms=0,
        verdict=Verdict.NONE,
        is_dropped=False,
        result=None,
    )


def _tell_started(world: World, interaction: Interaction, record: RecordLive, found: Dialable) -> None:
    """With what made this call lawful, as it was known at that moment."""
    call, campaign = interaction.campaign, world.config.campaigns[record.card.campaign]
    if call is None:
        return
    told = _about(record) | {"attempt_id": call.attempt_id, "attempt": call.attempt, "number": call.number}
    told |= {"number_kind": call.number_kind, "ani": call.ani, "mode": call.mode.value}
    told["basis"] = basis.of(world, campaign, record, found)
    owner = interaction.party(Role.OWNER)
    world.emit(EventType.ATTEMPT_STARTED, interaction, owner.agent_id if owner else call.agent_id, **told)


def _about(record: RecordLive) -> dict[str, Any]:
    return {"campaign": record.card.campaign, "record_id": record.id, "claim": record.card.claim}


# ------------------------------------------------------------------ its end


def connected(world: World, interaction: Interaction, agent_id: str) -> None:
    """An agent and the contact talk: the attempt has ended well, and the record is his until he is done with it."""
    call = interaction.campaign
    if call and not call.reached_at_ms:  # his agent was there before him
        interaction = world.update_interaction(interaction, campaign=replace(call, reached_at_ms=world.now_ms))
    record = _close(world, interaction, AttemptResult.ANSWERED, "")
    if record is not None:
        move(world, record, RecordTrigger.CONNECTED, agent_id=agent_id)


def result_of(end: OfferEnd, *, is_known: bool = True) -> AttemptResult:
    """What a dialing of the contact that ended so came to; `is_known`: whether it was dialed at all."""
    return _RESULTS[end] if is_known else AttemptResult.UNKNOWN


def ended(world: World, interaction: Interaction, result: AttemptResult, cause: str = "") -> None:
    """The attempt has ended without a talk: told once, counted, and the record goes back to SQL with its next time.

    Nothing where it has ended already. The interaction is not touched otherwise.
    """
    record = _close(world, interaction, result, cause)
    if record is not None:
        _release(world, record, result)


def stop(world: World, record: RecordLive, cause: ReleaseCause) -> None:
    """It is being asked about or called, and shall not be any more: what rings is taken back, and it is released.

    Who has answered already is not hung up on: he gets his agent, or his message.
    """
    interaction = world.state.interactions.get(record.interaction_id)
    if interaction is not None and interaction.state is InteractionState.REACHED:
        return
    closed = _close(world, interaction, AttemptResult.CANCELLED, cause.value) if interaction else None
    if cause is ReleaseCause.DO_NOT_CALL:
        release(world, closed or record, cause)
    elif closed:  # it has rung: the contact is not called again at once, whoever has taken it back
        _release(world, closed, AttemptResult.CANCELLED, cause)
    else:
        release(world, record, cause, next_at_ms=world.now_ms if cause is ReleaseCause.RETRY else None)
    if interaction is not None:
        end_interaction(world, world.interaction(interaction.id), Result.CANCELLED, "server")


def number_out(world: World, record: RecordLive) -> None:
    """The number that is asked about or called is blocked by now: the record goes on with its others (DIALER-04)."""
    is_over = record.do_not_call or not record.card.may_be_called()
    stop(world, record, ReleaseCause.DO_NOT_CALL if is_over else ReleaseCause.RETRY)


def _release(world: World, record: RecordLive, result: AttemptResult, cause: ReleaseCause = ReleaseCause.RETRY) -> None:
    """As its agent has decided while it rang (CBS-01), else by the campaign's rules for the next try: `cause` then."""
    if decided := decisions.decided(world, record):
        release(world, record, decided[0], next_at_ms=decided[1])
        return
    campaign = world.config.campaigns.get(record.card.campaign)
    if campaign is None:
        rest_ms = retry.rest_s(DEFAULT_RETRIES.get(result, RetryRule()), 1) * 1000
        release(world, record, ReleaseCause.CAMPAIGN, next_at_ms=world.now_ms + rest_ms)
        return
    place = index_of(record.card, record.number)
    tried = retry.Tried(number=place, result=result, at_ms=world.now_ms, zone=world.config.time_zone)
    then = retry.after(campaign, hours_of(world, campaign), record.card, tried)
    cause = cause if then.cause is ReleaseCause.RETRY else then.cause
    release(world, record, cause, next_at_ms=then.at_ms, next_number=then.next_number)


def _close(world: World, interaction: Interaction, result: AttemptResult, cause: str) -> RecordLive | None:
    """Told and counted, once; None where that has been done."""
    call = interaction.campaign
    record = world.state.records.get(call.record_id) if call else None
    if call is None or record is None or not call.attempt_id:
        return None
    if record.attempt_id != call.attempt_id or record.result is not None:
        return None
    counted = compliance.judge(call, result, world.now_ms)
    card = _card_after(world, record, result, counted)
    reserved_ms = card.reserve_until_ms if card.reserve_until_ms > record.card.reserve_until_ms else 0
    _tell_ended(world, interaction, record, (result, counted, cause, reserved_ms))
    drop_days.add(world, call.campaign, counted)
    if interaction.id in world.state.interactions:
        interaction = world.interaction(interaction.id)
        world.update_interaction(interaction, campaign=replace(call, result=result))
    if reserved_ms:
        reserve(world, call.campaign, call.number, reserved_ms)
    return world.put_record(replace(record, card=card, result=result))


def _tell_ended(
    world: World, interaction: Interaction, record: RecordLive, ended_as: tuple[AttemptResult, DropDay, str, int]
) -> None:
    call, (result, counted, cause, reserved_ms) = interaction.campaign, ended_as
    if call is None:
        return
    until_ms = call.reached_at_ms or world.now_ms
    told = _about(record) | {"attempt_id": call.attempt_id, "number": call.number, "result": result.value}
    told |= {"is_live": bool(counted.live), "is_dropped": bool(counted.dropped), "is_hung_up": bool(counted.hung_up)}
    told |= {"ring_ms": until_ms - call.dialed_at_ms, "wait_ms": world.now_ms - until_ms}
    told |= {"verdict": call.verdict.value, "cause": cause, "reserve_until_ms": reserved_ms}
    owner = interaction.party(Role.OWNER)
    world.emit(EventType.ATTEMPT_ENDED, interaction, owner.agent_id if owner else "", **told)


def _card_after(world: World, record: RecordLive, result: AttemptResult, counted: DropDay) -> RecordCard:
    """With the result among those of its number. Who was dropped is not dialed without an agent for some days."""
    card, place = record.card, index_of(record.card, record.number)
    numbers = tuple(
        replace(n, results=n.results | {result.value: n.results.get(result.value, 0) + 1}) if at == place else n
        for at, n in enumerate(card.numbers)
    )
    campaign = world.config.campaigns.get(card.campaign)
    reserve_until_ms = card.reserve_until_ms
    if counted.dropped and result is not AttemptResult.ANSWERED and campaign:  # DIALER-07
        reserve_until_ms = world.now_ms + campaign.pacing.reserve_s * 1000
    return replace(card, numbers=numbers, reserve_until_ms=reserve_until_ms)
