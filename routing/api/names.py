"""A name in the place of a number: whom of the address book it may mean (DIAL-10)."""

from __future__ import annotations

from typing import Any

from routing.api.address_book import candidates, may_read_book
from routing.api.principal import Scope, current
from routing.api.problems import Problem
from routing.api.services import services
from routing.core.numbers import NumberRule
from routing.core.orders import Order, Reply


def candidates_for(order: Order, reply: Reply) -> dict[str, Any]:
    """`{"candidates": [...]}` for an order that was refused since its number is a name; else nothing.

    Nobody learns more than his address book holds for him: without the scope, or without the switch of the agent's
    profile, there are none. A database that is down makes no refusal worse.
    """
    if reply.code != "number-refused" or reply.values.get("rule") != NumberRule.NAME.value:
        return {}
    text = getattr(order, "number", None) or getattr(order, "to_number", None)
    config = services().front(current().tenant).config()
    is_reader = may_read_book(config, getattr(order, "agent_id", ""))
    if not text or not is_reader or Scope.CONTACTS_READ not in current().scopes:
        return {}
    try:
        return {"candidates": candidates(current().tenant, text)}
    except Problem:
        return {}
