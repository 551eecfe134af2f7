"""Who asked for what, and what came of it (OPS-07): told as an event, without CAD values, digits, texts or secrets."""

from __future__ import annotations

from routing.core.events import EventType
from routing.core.orders import EditCad, Order, PaceCampaign, Reply
from routing.core.world import World

# Fields that say where a call shall go or what shall be done; nothing that was said on it.
_TOLD = (
    *("action", "to_agent", "to_queue", "to_entry_point", "to_number", "number", "reason", "idle_reason"),
    *("campaign", "choice", "mode", "supervisor", "phone_of"),
)


def tell(world: World, order: Order, reply: Reply) -> None:
    """`order.obeyed` or `order.refused`, for an order that says who gives it."""
    if not order.actor or isinstance(order, PaceCampaign):  # of which there is one each second, by nobody
        return
    is_ok = reply.code == "ok"
    values: dict[str, object] = {"actor": order.actor, "order": type(order).__name__, "code": reply.code}
    values |= {name: value for name in _TOLD if (value := getattr(order, name, None))}
    if isinstance(order, EditCad):
        values["names"] = sorted(order.values)
    world.emit(
        EventType.ORDER_OBEYED if is_ok else EventType.ORDER_REFUSED,
        None,
        getattr(order, "agent_id", ""),
        interaction_id=getattr(order, "interaction_id", "") or str(reply.values.get("interaction_id") or ""),
        order_id=order.order_id,
        **values,
    )
