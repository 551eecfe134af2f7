"""Which of a record's numbers may be dialed now, and where none may, why and from when on (DIALER-03).

Windows, limits and the number itself are looked at before it is asked about, and again at the moment of dialing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from routing.core import retry, windows
from routing.core.campaign_rules import Campaign
from routing.core.errors import NumberRefused
from routing.core.guard import Outside, campaign_number
from routing.core.hours import Hours
from routing.core.interaction import InteractionState
from routing.core.members import pbx_of
from routing.core.numbers import NumberRule, digits_of, readings
from routing.core.record import RecordCard, RecordLive, RecordNumber, RecordState
from routing.core.world import World

# From being asked about until the talk is over: nobody else dials that number.
_IN_FLIGHT = (RecordState.CHECKING, RecordState.CALLING, RecordState.TALKING)


class Hindrance(StrEnum):
    """Why a record is not dialed now, the mildest one first. TODAY: the contact's day has had its attempts."""

    IN_FLIGHT = "in_flight"
    NO_TRUNK = "no_trunk"
    WINDOW = "window"
    TODAY = "today"
    SPENT = "spent"
    NO_NUMBER = "no_number"


_MILDEST = tuple(Hindrance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialable:
    """`index`: among the record's numbers, None: one that it does not have. `zone`, `zone_source`: of the contact."""

    number: RecordNumber
    index: int | None
    outside: Outside
    zone: str
    zone_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindered:
    """`at_ms`: when it is over, None: never, or nobody knows. `index`: of the number that is meant then."""

    why: Hindrance
    at_ms: int | None = None
    index: int = 0


def hours_of(world: World, campaign: Campaign) -> Hours | None:
    """The calling window that its configuration names."""
    return world.config.hours.get(campaign.hours)


def zone_of(world: World, campaign: Campaign, number: RecordNumber) -> tuple[str, str]:
    return windows.zone_of(campaign, number, world.config.time_zone)


def index_of(card: RecordCard, number: str) -> int | None:
    """Its place among the record's numbers."""
    return next((index for index, known in enumerate(card.numbers) if known.number == number), None)


def known_number(world: World, card: RecordCard, typed: str) -> str:
    """As the record has it, however it was typed; empty where it has no such number."""
    rules = world.config.numbers
    taken = readings(typed, rules) - {""} if digits_of(typed) else frozenset()
    return next((n.number for n in card.numbers if not taken.isdisjoint(readings(n.number, rules))), "")


def choose(world: World, campaign: Campaign, record: RecordLive, number: str = "") -> Dialable | Hindered:
    """`number`, or the one whose turn it is, or the next one that may be dialed. What is in flight is waited for."""
    card = of_today(world, campaign, record.card)
    candidates = _candidates(card, number)
    texts = dict.fromkeys(known.number for known in (*card.numbers, *(one for one, _index in candidates)))
    if any(is_in_flight(world, record, text) for text in texts):
        return Hindered(why=Hindrance.IN_FLIGHT)
    hindered = []
    for candidate in candidates:
        found = _judge(world, campaign, card, candidate)
        if isinstance(found, Dialable):
            return found
        hindered.append(found)
    mildest = min(hindered, key=lambda one: (_MILDEST.index(one.why), one.at_ms or 0), default=None)
    return mildest or Hindered(why=Hindrance.NO_NUMBER)


def of_today(world: World, campaign: Campaign, card: RecordCard) -> RecordCard:
    """Its counts of the day, which are none when the contact has another day by now."""
    zone, _source = zone_of(world, campaign, card.numbers[0]) if card.numbers else (world.config.time_zone, "")
    day = windows.local_day(zone, world.now_ms)
    if card.day == day:
        return card
    numbers = tuple(replace(number, attempts_today=0) for number in card.numbers)
    return replace(card, day=day, attempts_today=0, numbers=numbers)


def _candidates(card: RecordCard, number: str) -> list[tuple[RecordNumber, int | None]]:
    if number:
        index = index_of(card, number)
        return [(_new_number(card, number) if index is None else card.numbers[index], index)]
    count = len(card.numbers)
    order = [(card.next_number + step) % count for step in range(count)] if count else []
    return [(card.numbers[index], index) for index in order]


def _new_number(card: RecordCard, number: str) -> RecordNumber:
    """One that the record does not have: the contact's clock is that of the one that it has."""
    if not card.numbers or not card.numbers[0].zone:
        return RecordNumber(number=number)
    return RecordNumber(number=number, zone=card.numbers[0].zone, zone_source="contact")


def _judge(
    world: World, campaign: Campaign, card: RecordCard, candidate: tuple[RecordNumber, int | None]
) -> Dialable | Hindered:
    number, index = candidate
    zone, source = zone_of(world, campaign, number)
    place = index or 0
    if number.number in card.blocked:
        return Hindered(why=Hindrance.NO_NUMBER)
    try:
        outside = campaign_number(world, campaign, pbx_of(world.config, campaign), number.number)
    except NumberRefused as error:
        is_trunk = error.fields["rule"] == NumberRule.NO_TRUNK
        return Hindered(why=Hindrance.NO_TRUNK if is_trunk else Hindrance.NO_NUMBER)
    limits = campaign.limits
    is_expected = card.callback is not None  # he has asked for it: no limit of attempts is in the way (CBS-09)
    if not is_expected and (card.attempts >= limits.record or retry.is_spent(campaign, number)):
        return Hindered(why=Hindrance.SPENT)
    is_used_up = card.attempts_today >= limits.record_per_day or number.attempts_today >= limits.number_per_day
    is_used_up = is_used_up and not is_expected
    from_ms = windows.next_day_ms(zone, world.now_ms) if is_used_up else world.now_ms
    opens_ms = windows.next_open_ms(hours_of(world, campaign), zone, from_ms)
    if opens_ms is None:
        return Hindered(why=Hindrance.NO_NUMBER)
    if opens_ms > world.now_ms:
        why = Hindrance.TODAY if is_used_up else Hindrance.WINDOW
        return Hindered(why=why, at_ms=opens_ms, index=place)
    return Dialable(number=number, index=index, outside=outside, zone=zone, zone_source=source)


def is_in_flight(world: World, record: RecordLive | None, number: str) -> bool:
    """Whether that number is being asked about, called or talked with already, for another record or a callback."""
    owed = world.callbacks_to(readings(number, world.config.numbers))
    is_called_back = any(one.state is InteractionState.CALLING_CUSTOMER for one in owed)
    return is_called_back or is_with_campaign(world, number, record)


def is_with_campaign(world: World, number: str, record: RecordLive | None = None) -> bool:
    """Whether a campaign has it in hand, for another record than that."""
    taken = readings(number, world.config.numbers)
    for other in world.hoppers.with_number(taken):
        is_other = record is None or other.id != record.id
        if is_other and other.state in _IN_FLIGHT and _meet(world, taken, other.number):
            return True
    # Who hears a message, of a drop or on his machine, has no record in hand any more.
    hearing = [call.campaign for call in world.reached_calls() if call.campaign and call.campaign.result is not None]
    return any(_meet(world, taken, call.number) for call in hearing)


def _meet(world: World, taken: frozenset[str], number: str) -> bool:
    return bool(number) and not taken.isdisjoint(readings(number, world.config.numbers))
