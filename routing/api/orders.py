"""Orders to the engine from within a request."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import g

from routing.api.names import candidates_for
from routing.api.principal import current
from routing.api.problems import Problem
from routing.api.services import services
from routing.api.times import public
from routing.core.orders import Order, Reply

REPLY_S = 5.0


def obey(kind: type[Order], **fields: Any) -> Reply:
    """Send an order of the one who asks, and return the engine's reply. Raises Problem for every refusal.

    With an Idempotency-Key the order has the id that the key stands for, and is sent at most once in a day.
    """
    principal, once = current(), _once()
    order: Any = kind(order_id=once or f"ord_{uuid4().hex}", actor=principal.actor, **fields)
    front = services().front(principal.tenant)
    reply = front.ask_once(order, REPLY_S) if once else front.ask(order, REPLY_S)
    if reply is None:
        fate = "the order waits for one, under its key" if once else "the order was withdrawn"
        raise Problem("no-reply", f"no engine answered in time; {fate}")
    if reply.code != "ok":
        raise Problem(reply.code, reply.detail, None, **public(reply.values), **candidates_for(order, reply))
    return reply


def _once() -> str | None:
    """The id for the next order of this request, the same whenever the request is repeated with its key."""
    key: str | None = g.get("order_id")
    if key is None:
        return None
    g.orders_sent = g.get("orders_sent", 0) + 1
    return key if g.orders_sent == 1 else f"{key}.{g.orders_sent}"
