"""Who is in a call, as panes: the customer, and beside him the second party of a consult or conference (CONS-09)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from routing.desk.agent.actions import Control, controls
from routing.desk.door import person
from routing.desk.words_calls import customer_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Pane:
    """`kind`: customer or second. `number` is empty where there is none or it is the name."""

    kind: str
    name: str
    number: str
    role: str
    status: str
    controls: list[Control]


def panes_of(call: dict[str, Any]) -> list[Pane]:
    """One pane in a plain call. Controls that have no pane of their own now stand in the customer's."""
    allowed, second = call["allowed_actions"], _second(call)
    if second is None:
        return [_customer(call, [*controls(allowed, "customer"), *controls(allowed, "second")])]
    return [_customer(call, controls(allowed, "customer")), second]


def _customer(call: dict[str, Any], shown: list[Control]) -> Pane:
    name, number = _named(call)
    return Pane(
        kind="customer",
        name=name,
        number=number,
        role="customer",
        status=call["status"] if not call["consult"] else call["customer_status"],
        controls=shown,
    )


def _named(call: dict[str, Any]) -> tuple[str, str]:
    """Name and number of the customer: of an outgoing call it is the number that was called."""
    is_outgoing = call["kind"] in ("outdial", "campaign")
    number = customer_number(call)
    name = (call["campaign"] or {}).get("name") or ("" if is_outgoing else call["ani_name"])
    return (name, number) if name else (number, "")


def _second(call: dict[str, Any]) -> Pane | None:
    """Whom he consults, or who consults him; before the answer whom he has asked for."""
    shown = controls(call["allowed_actions"], "second")
    others = [party for party in call["parties"] if party["agent_id"] != person().agent_id]
    if others:
        other = others[0]
        name = other["name"] or other["number"] or ""
        status = call["consult"]["status"] if call["consult"] else call["status"]
        return Pane(
            kind="second",
            name=name,
            number=(other["number"] or "") if other["name"] else "",
            role=other["role"],
            status=status,
            controls=shown,
        )
    if call["consult"] is None:
        return None
    return Pane(
        kind="second", name=_asked(call), number="", role="consulted", status=call["consult"]["status"], controls=shown
    )


def _asked(call: dict[str, Any]) -> str:
    offers = [offer for offer in call["offers"] if offer["purpose"] == "consult"]
    named = [offer["name"] or offer["number"] for offer in offers]
    consult = call["consult"]
    return str(next(iter(named), "") or consult["to_agent"] or consult["to_queue"] or consult["to_number"] or "")
