"""What becomes of a record after an attempt that brought no talk: when and at which number it is tried again."""

from __future__ import annotations

from dataclasses import dataclass

from routing.core import windows
from routing.core.campaign_rules import DEFAULT_RETRIES, AttemptResult, Campaign, RetryRule
from routing.core.hours import Hours
from routing.core.record import RecordCard, RecordNumber, ReleaseCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """`at_ms`: None when it is over. `next_number`: index among the record's numbers."""

    cause: ReleaseCause
    at_ms: int | None = None
    next_number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt that has ended: at which number (index; None: one that the record does not have), how and when.

    `zone`: of the tenant, for numbers that nothing is known of.
    """

    number: int | None
    result: AttemptResult
    at_ms: int
    zone: str = "UTC"


def after(campaign: Campaign, hours: Hours | None, card: RecordCard, tried: Tried) -> Retry:
    """`card` counts this attempt already, in its own counts and in `results` of the number."""
    if card.attempts >= campaign.limits.record:
        return Retry(cause=ReleaseCause.SPENT)
    rule = campaign.retries.get(tried.result, DEFAULT_RETRIES.get(tried.result, RetryRule()))
    chosen = _next_number(campaign, card, tried.number, moves=rule.next_number)
    if chosen is None:
        return Retry(cause=ReleaseCause.SPENT)
    times = card.numbers[tried.number].results.get(tried.result.value, 1) if tried.number is not None else 1
    at_ms = tried.at_ms + rest_s(rule, times) * 1000
    at_ms = callable_from(campaign, card, chosen, tried, at_ms)
    zone, _source = windows.zone_of(campaign, card.numbers[chosen], tried.zone)
    opens_ms = windows.next_open_ms(hours, zone, at_ms)
    if opens_ms is None:
        return Retry(cause=ReleaseCause.NO_NUMBER)
    return Retry(cause=ReleaseCause.RETRY, at_ms=opens_ms, next_number=chosen)


def rest_s(rule: RetryRule, times: int) -> int:
    """The rest after the n-th such result; the last one repeats."""
    return rule.after_s[min(max(times, 1), len(rule.after_s)) - 1] if rule.after_s else 0


def callable_from(campaign: Campaign, card: RecordCard, chosen: int, tried: Tried, at_ms: int) -> int:
    """Not before the contact's next day where this day's attempts are used up."""
    zone, _source = windows.zone_of(campaign, card.numbers[chosen], tried.zone)
    limits, is_same_day = campaign.limits, windows.local_day(zone, at_ms) == windows.local_day(zone, tried.at_ms)
    is_used_up = card.attempts_today >= limits.record_per_day
    is_used_up = is_used_up or card.numbers[chosen].attempts_today >= limits.number_per_day
    return max(at_ms, windows.next_day_ms(zone, tried.at_ms)) if is_used_up and is_same_day else at_ms


def is_spent(campaign: Campaign, number: RecordNumber) -> bool:
    """No attempt is left for it: by its number of attempts, or by one result that has come too often."""
    if number.attempts >= campaign.limits.number:
        return True
    rules = DEFAULT_RETRIES | campaign.retries
    most = {result.value: rule.most for result, rule in rules.items()}
    return any(times >= most[result] for result, times in number.results.items() if result in most)


def _next_number(campaign: Campaign, card: RecordCard, tried: int | None, *, moves: bool) -> int | None:
    """The same one, or the next one that is not spent, in a circle."""
    count, first = len(card.numbers), card.next_number if tried is None else tried
    order = [(first + step) % count for step in range(count)] if count else []
    if moves and count > 1:
        order = [*order[1:], order[0]]
    numbers = [(index, card.numbers[index]) for index in order if card.numbers[index].number not in card.blocked]
    return next((index for index, number in numbers if not is_spent(campaign, number)), None)
