"""Events as what reports are made from: steps of calls, and changes of agents. Pure, as the projection is."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from routing.core.events import Event, EventType
from routing.core.flow import StepKind as FlowStep
from routing.core.interaction import OfferPurpose
from routing.core.treatment import OverflowCause
from routing.store.sql.report_tables import agent_changes, call_steps
from routing.store.sql.rows import Rows


class StepKind(StrEnum):
    """What happened to a call. FLOW: it went into a flow. REFUSED: it was not let in. SEATED: an agent's role changed.
    OFFERED: an offer to an agent is over. HELD: the customer's music is.
    """

    ARRIVED = "arrived"
    REFUSED = "refused"
    QUEUED = "queued"
    OVERFLOWED = "overflowed"
    FLOW = "flow"
    CONNECTED = "connected"
    TRANSFERRED = "transferred"
    JOINED = "joined"
    SEATED = "seated"
    LEFT = "left"
    OFFERED = "offered"
    HELD = "held"
    WRAPPED_UP = "wrapped_up"
    ENDED = "ended"


# What a report counts begins with one of these: to its slot belongs all that came of it.
BEGINNINGS = (
    StepKind.ARRIVED,
    StepKind.REFUSED,
    StepKind.QUEUED,
    StepKind.OVERFLOWED,
    StepKind.JOINED,
    StepKind.SEATED,
    StepKind.OFFERED,
)

Values = dict[str, Any]


def sortable(position: str) -> str:
    """A stream position so that texts sort as positions do, e.g. of `9-0` and `10-0`."""
    stream_ms, _, ordinal = position.partition("-")
    return f"{stream_ms:0>20}-{ordinal:0>10}"


def refused_id(position: str) -> str:
    """What stands for the interaction of a call that was not let in."""
    return f"refused_{position}"


def put_steps(rows: Rows, tenant: str, position: str, event: Event) -> None:
    """Add what this event means for reports. Raises BadValue, KeyError, TypeError, AttributeError."""
    if event.type is EventType.AGENT_STATE_CHANGED:
        rows.put(agent_changes, tenant=tenant, position=sortable(position), **_change(event))
    elif (made := _step(position, event)) is not None:
        about = {"tenant": tenant, "position": sortable(position), "at_ms": event.at_ms, "queue": event.queue or None}
        about |= {"interaction_id": event.interaction_id, "agent_id": event.agent_id or None}
        rows.put(call_steps, **about | made)


def _change(event: Event) -> Values:
    told = {name: event.values.get(name) for name in ("state", "own_state", "reason", "team")}
    return {"agent_id": event.agent_id, "at_ms": event.at_ms, **told}


def _step(position: str, event: Event) -> Values | None:
    read = _READERS.get(event.type)
    found = read(event) if read else None
    if found is None:
        return None
    if event.type is EventType.INTERACTION_ENDED and not event.interaction_id:
        return found | {"step": StepKind.REFUSED.value, "interaction_id": refused_id(position), "kind": "inbound"}
    return found if event.interaction_id else None


def _arrived(event: Event) -> Values:
    usual = _USUAL_KINDS.get(event.type, "inbound")
    kind, entry_point = event.values.get("kind") or usual, event.values.get("entry_point")
    return {"step": StepKind.ARRIVED.value, "kind": kind, "entry_point": entry_point}


def _queued(event: Event) -> Values:
    aim: Any = event.values.get("service_level") or {}
    told = {name: aim.get(name) for name in ("percent", "within_s", "short_abandon_s")}
    told |= {name: event.values.get(name) for name in ("priority", "requires")}
    return {"step": StepKind.QUEUED.value, **told}


def _overflowed(event: Event) -> Values:
    return {
        "step": StepKind.OVERFLOWED.value,
        "outcome": event.values.get("cause"),
        "target": event.values.get("to"),
    }


def _flow_step(event: Event) -> Values | None:
    """A flow's queue step is left by the cause for which the queue has let the caller go."""
    cause = event.values.get("exit")
    is_let_go = event.values.get("do") == FlowStep.QUEUE.value and cause in set(OverflowCause)
    return {"step": StepKind.OVERFLOWED.value, "outcome": cause, "target": "flow"} if is_let_go else None


def _transferred(event: Event) -> Values:
    names = ("to_agent", "to_queue", "to_entry_point", "to_number")
    target = next((name.removeprefix("to_") for name in names if event.values.get(name)), None)
    return {"step": StepKind.TRANSFERRED.value, "outcome": event.values.get("how"), "target": target}


def _seat(step: StepKind) -> Callable[[Event], Values | None]:
    """An agent's place in a call; customers and external parties have none."""

    def read(event: Event) -> Values | None:
        about = {"leg_id": event.values["leg_id"], "role": event.values["role"]}
        return {"step": step.value, **about} if event.agent_id else None

    return read


def _offered(event: Event) -> Values | None:
    """A seat, in which he waits for a campaign's contacts, is no call."""
    if event.values.get("purpose") == OfferPurpose.SEAT.value:
        return None
    told = {"outcome": event.values.get("end"), "purpose": event.values.get("purpose")}
    return {"step": StepKind.OFFERED.value, **told} if event.agent_id else None


def _held(event: Event) -> Values:
    return {"step": StepKind.HELD.value, "begun_at_ms": event.values["held_at_ms"]}


def _wrapped_up(event: Event) -> Values:
    return {"step": StepKind.WRAPPED_UP.value, "leg_id": event.values["leg_id"]}


def _ended(event: Event) -> Values:
    told = {"kind": event.values.get("kind"), "entry_point": event.values.get("entry_point")}
    return {"step": StepKind.ENDED.value, "outcome": event.values.get("result"), **told}


def _plain(step: StepKind) -> Callable[[Event], Values]:
    return lambda _event: {"step": step.value}


_T = EventType

_USUAL_KINDS = {_T.OUTDIAL_STARTED: "outdial", _T.ATTEMPT_STARTED: "campaign"}

_READERS: dict[EventType, Callable[[Event], Values | None]] = {
    _T.INTERACTION_ARRIVED: _arrived,
    _T.OUTDIAL_STARTED: _arrived,
    _T.ATTEMPT_STARTED: _arrived,
    _T.INTERACTION_QUEUED: _queued,
    _T.QUEUE_OVERFLOWED: _overflowed,
    _T.FLOW_STEP: _flow_step,
    _T.FLOW_ENTERED: _plain(StepKind.FLOW),
    _T.INTERACTION_CONNECTED: _plain(StepKind.CONNECTED),
    _T.INTERACTION_TRANSFERRED: _transferred,
    _T.PARTY_JOINED: _seat(StepKind.JOINED),
    _T.PARTY_ROLE_CHANGED: _seat(StepKind.SEATED),
    _T.PARTY_LEFT: _seat(StepKind.LEFT),
    _T.OFFER_ENDED: _offered,
    _T.HOLD_ENDED: _held,
    _T.WRAP_UP_ENDED: _wrapped_up,
    _T.INTERACTION_ENDED: _ended,
}
