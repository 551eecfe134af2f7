"""What an agent does with the record of a campaign's call: one sub-resource per verb (PREV, PROG, CBS, DISP).

`allowed_actions` of the interaction names them: accept_record, dial_record, decline_record, mark_done, dispose,
plan_callback, cancel_planned_callback, answer_guide.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field, StringConstraints

from routing.api.campaign_call_models import RecordCardOut
from routing.api.commands import CONFIRMED, Answer, OfAgent, command
from routing.api.idempotency import idempotent
from routing.api.interactions import ForAgent, InteractionPath, found, shown, shown_now
from routing.api.marking import put_mark_of
from routing.api.orders import obey
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.services import services
from routing.api.views_models import InteractionOut
from routing.app.lists import zones
from routing.core.orders import (
    AcceptRecord,
    CancelPlannedCallback,
    DeclineRecord,
    DialRecord,
    Dispose,
    MarkDone,
    Order,
    PlanCallback,
)
from routing.store.sql.search import lookup_number

api = APIBlueprint("record_commands", __name__, url_prefix="/v1/interactions/<interaction_id>")
_SHOWN: dict[Any, Any] = {200: InteractionOut}


class DialRecordIn(OfAgent):
    """Without a number: the one whose turn it is."""

    number: str = Field(
        default="",
        max_length=128,
        description="One of the card's numbers, or a new one where his profile has `other_number`",
        examples=["+1 (202) 555-0143"],
    )
    number_kind: str = Field(default="", max_length=32, description="Of a new number: home, work, mobile, ...")


class Choice(StrEnum):
    LATER = "later"
    NEVER = "never"
    SKIP = "skip"


class DeclineIn(OfAgent):
    choice: Choice = Field(
        default=Choice.LATER,
        description="later: it comes again; never: not for this campaign any more; skip: later, and the next one now",
    )


class DoneIn(OfAgent):
    stop: bool = Field(default=False, description="The next preview does not open by itself (Done and Stop)")
    wrap_up_reason: str | None = Field(default=None, max_length=64, description="One of /v1/wrap-up-reasons")


class DispositionsIn(OfAgent):
    """What is given replaces what was chosen before; a do-not-call mark stays."""

    codes: list[Annotated[str, StringConstraints(min_length=1, max_length=64)]] = Field(
        max_length=32, description="Of the campaign's dispositions, the primary one first"
    )
    do_not_call: bool = Field(default=False, description="The number must never be called again, by nobody")


class PlanIn(OfAgent):
    """Date and time on the wall clock of `zone`, or with an offset."""

    at: str = Field(max_length=40, description="Date and time", examples=["2026-12-01T15:30"])
    zone: str = Field(
        default="", max_length=64, description="IANA; the number's own where none is given", examples=["Europe/Berlin"]
    )
    number: str = Field(default="", max_length=128, description="Another number than the record's")
    number_kind: str = Field(default="", max_length=32)
    personal: bool = Field(default=False, description="Only he calls back; else any agent of the campaign")


@api.get("/record", operation_id="getInteractionRecord", responses={200: RecordCardOut})
@needs(Scope.INTERACTIONS_READ)
def get_card(path: InteractionPath) -> dict[str, Any]:
    """The card of the record, as long as the agent is not done with it."""
    view = found(path.interaction_id)
    card = (shown(view, services().front(current().tenant).config())["campaign"] or {}).get("card")
    if card is None:
        raise Problem("record-unknown", "this interaction has no record in hand")
    return dict(card)


@api.post("/record/accept", operation_id="acceptRecord", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
@idempotent()
def accept(path: InteractionPath, body: OfAgent) -> Answer:
    """He takes it. 202: it is dialed now, his own telephone first; 200: he dials it himself (PREV-06, PREV-07)."""
    return _dialing(AcceptRecord, path.interaction_id, body)


@api.post("/record/dial", operation_id="dialRecord", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
@idempotent()
def dial(path: InteractionPath, body: DialRecordIn) -> Answer:
    """Call: the number is asked about (do-not-call, window, limits), then his telephone is rung (PREV-09, PREV-10)."""
    fields = {"number": body.number, "number_kind": body.number_kind}
    return _dialing(DialRecord, path.interaction_id, body, **fields)


def _dialing(kind: type[Order], interaction_id: str, body: OfAgent, **fields: Any) -> Answer:
    made = _ordered(kind, interaction_id, body, **fields)
    card = (made["campaign"] or {}).get("card")
    if card and card["state"] == "previewed":
        return made, 200, {}
    return made, 202, {"Location": f"/v1/interactions/{interaction_id}"}


@api.post("/record/decline", operation_id="declineRecord", responses=_SHOWN)
@needs(Scope.INTERACTIONS_CONTROL)
def decline(path: InteractionPath, body: DeclineIn) -> dict[str, Any]:
    """Not this contact now; the interaction is over (PREV-11..13, PROG-04)."""
    return _ordered(DeclineRecord, path.interaction_id, body, choice=body.choice.value)


@api.post("/done", operation_id="markDone", responses=CONFIRMED)
@needs(Scope.INTERACTIONS_CONTROL)
@idempotent()
def done(path: InteractionPath, body: DoneIn) -> Answer:
    """Ends the call, closes the record, and in preview mode lays the next one before him (PREV-19, PREV-20)."""
    fields = {"stop": body.stop, "wrap_up_reason": body.wrap_up_reason}
    return command(MarkDone, path.interaction_id, body, **fields)


@api.put("/dispositions", operation_id="disposeRecord", responses=_SHOWN)
@needs(Scope.INTERACTIONS_CONTROL)
def dispose(path: InteractionPath, body: DispositionsIn) -> dict[str, Any]:
    """During the call or in its wrap-up (DISP-01..03). A do-not-call mark is written down first, for good (DISP-05)."""
    agent_id, codes = current().acts_for(body.agent_id), tuple(body.codes)
    put_mark_of(found(path.interaction_id, agent_id), agent_id, codes, do_not_call=body.do_not_call)
    return _ordered(Dispose, path.interaction_id, body, codes=codes, do_not_call=body.do_not_call)


@api.put("/callback", operation_id="planRecordCallback", responses=_SHOWN)
@needs(Scope.INTERACTIONS_CONTROL)
def plan(path: InteractionPath, body: PlanIn) -> dict[str, Any]:
    """Schedule a callback; it stands when the record is marked done (CBS-01..05)."""
    zone = body.zone or _zone_of(path.interaction_id)
    fields = {"number": body.number, "number_kind": body.number_kind, "is_personal": body.personal}
    fields["number_zone"] = _range_zone(body.number)
    at_ms = wall_time_ms(body.at, zone)
    return _ordered(PlanCallback, path.interaction_id, body, at_ms=at_ms, zone=zone, **fields)


@api.delete("/callback", operation_id="cancelRecordCallback", responses={204: None})
@needs(Scope.INTERACTIONS_CONTROL)
def cancel(path: InteractionPath, query: ForAgent) -> tuple[str, int]:
    """Until the record is closed (CBS-06)."""
    agent_id = current().acts_for(query.agent_id)
    found(path.interaction_id)
    obey(CancelPlannedCallback, agent_id=agent_id, interaction_id=path.interaction_id)
    return "", 204


def _ordered(kind: type[Order], interaction_id: str, body: OfAgent, **fields: Any) -> dict[str, Any]:
    agent_id = current().acts_for(body.agent_id)
    found(interaction_id)
    obey(kind, agent_id=agent_id, interaction_id=interaction_id, **fields)
    return shown_now(interaction_id, agent_id)


def wall_time_ms(text: str, zone: str) -> int:
    """Raises Problem plan-refused. A time that a change of the clocks leaves out is the one an hour later."""
    try:
        at = datetime.fromisoformat(text.strip().upper())
        at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
        return round(at.astimezone(UTC).timestamp() * 1000)
    except (ZoneInfoNotFoundError, OSError):
        raise Problem("plan-refused", f"there is no time zone {zone!r}", reason="zone") from None
    except (ValueError, OverflowError):
        errors = [{"pointer": "/at", "detail": "a date and time such as 2026-12-01T15:30"}]
        raise Problem("invalid-request", f"{text!r} is no date and time", errors=errors) from None


def _zone_of(interaction_id: str) -> str:
    """The contact's, by the number that was dialed; else the campaign's or the tenant's."""
    view, config = found(interaction_id), services().front(current().tenant).config()
    call, record = view.interaction.campaign, view.record
    numbers = record.card.numbers if record else ()
    dialed = next((n.zone for n in numbers if call and n.number in (call.number, view.interaction.dnis)), "")
    campaign = config.campaigns.get(call.campaign) if call else None
    return (dialed or (campaign.default_zone if campaign else "") or config.time_zone).split(",")[0]


def _range_zone(number: str) -> str:
    """The zones of a number by its range, however it was typed; empty: nothing is known."""
    rules = services().front(current().tenant).config().numbers
    return zones.zone_of(lookup_number(number, rules)) if number.strip() else ""
