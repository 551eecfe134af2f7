"""Orders to the engine through the input stream, and its replies."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from routing.core.errors import SwitchroomError
from routing.core.orders import AnyOrder, Reply
from routing.store.port import Store


class NoReply(SwitchroomError):
    """No engine answered in time. The order waits in the stream and is obeyed when one runs."""

    code = "no-reply"
    template = "no engine answered within {timeout_s} s; the order waits until one runs"


def new_order_id() -> str:
    """An id that no other order has."""
    return f"ord_{uuid4().hex}"


async def ask(store: Store, order: AnyOrder, timeout_s: float = 5.0) -> Reply:
    """Send an order and wait for its reply. Raises NoReply, StoreError."""
    address = f"ask_{uuid4().hex}"
    addressed = replace(order, reply_to=address)
    await store.append_input(addressed)
    reply = await store.wait_reply(address, timeout_s)
    if reply is None:
        raise NoReply(timeout_s=timeout_s)
    return reply
