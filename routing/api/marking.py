"""Do-not-call marks: written into SQL before anybody is told, so that none is lost whatever dies (DISP-05)."""

from __future__ import annotations

from routing.api.audit import audit
from routing.api.database import writing
from routing.api.orders import obey
from routing.api.principal import current
from routing.api.services import services
from routing.api.views import actions_of
from routing.core.config import Config
from routing.core.orders import MarkDoNotCall
from routing.core.record import RecordLive
from routing.core.roles import Action
from routing.store.front import CallView
from routing.store.sql.do_not_call import ALL_CALLS, Mark, mark


def put_mark(config: Config, written: str, note: str, campaign: str = ALL_CALLS) -> tuple[Mark, bool]:
    """The mark that stands in SQL, and whether it is new. `tell_marked` comes next. Raises Problem."""
    given = Mark(
        number="",
        campaign=campaign,
        written=written,
        note=note,
        marked_by=current().actor,
        marked_at_ms=services().clock.now_ms(),
    )
    with writing() as connection:
        made, is_new = mark(connection, current().tenant, given, config.numbers)
        if is_new:
            audit(connection, current(), "do_not_call.marked", "do_not_call")  # the list itself says which number
    return made, is_new


def tell_marked(written: str, campaign: str = ALL_CALLS) -> None:
    """The engine gives up what would call that number. Raises Problem."""
    obey(MarkDoNotCall, number=written, campaign=campaign)


def put_mark_of(view: CallView, agent_id: str, codes: tuple[str, ...], *, do_not_call: bool) -> None:
    """Before a disposition that forbids to call again: its number is marked, where this agent may choose it at all.

    The order for the disposition tells the engine.
    """
    config, record = services().front(current().tenant).config(), view.record
    campaign = config.campaigns.get(record.card.campaign) if record else None
    may = actions_of(config, view.interaction, view.agents.get(agent_id))
    if record is None or campaign is None or Action.DISPOSE.value not in may:
        return  # the rules refuse it
    known = {one.code: one for one in campaign.dispositions}
    is_known = all(code in known for code in codes) and not (campaign.single_disposition and len(codes) > 1)
    if is_known and (do_not_call or any(known[code].do_not_call for code in codes)):
        put_mark(config, _number_of(record), f"disposition in {view.interaction.id}")


def _number_of(record: RecordLive) -> str:
    """The one that was dialed, else the one whose turn it is."""
    numbers = record.card.numbers
    return record.number or (numbers[record.card.next_number % len(numbers)].number if numbers else "")
