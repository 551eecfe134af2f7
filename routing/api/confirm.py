"""Commands whose result comes from the PBX: wait for its confirmation, but not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import g

from routing.api.event_filter import EventFilter
from routing.api.hub import Subscription, SubscriptionLost
from routing.api.orders import obey
from routing.api.principal import current
from routing.api.problems import Problem
from routing.api.services import services
from routing.core.events import Event, EventType
from routing.core.orders import Order, Reply
from routing.core.supervision import SupervisionState

Test = Callable[[Event], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obeyed:
    """`is_confirmed`: the PBX says that what the order wants holds; else it is on its way."""

    reply: Reply
    is_confirmed: bool


def obey_confirmed(kind: type[Order], interaction_id: str, **fields: Any) -> Obeyed:
    """As `obey`, then waits up to the setting `api.confirm_timeout_s` for the PBX. Raises Problem, StoreError."""
    with _news_of(interaction_id) as news:
        reply = obey(kind, interaction_id=interaction_id, **fields)
        return Obeyed(reply=reply, is_confirmed=_holds(reply, interaction_id) or _came(news, _awaited(reply)))


def _news_of(interaction_id: str) -> Subscription:
    """Raises Problem, StoreError."""
    try:
        return services().hub(current().tenant).subscribe(EventFilter(interaction_id=interaction_id))
    except SubscriptionLost as error:
        raise Problem("store-unavailable", "the server is stopping; nothing was done") from error


def _awaited(reply: Reply) -> Test:
    """Which event confirms this reply. Rooms may be asked for again after a refusal, then under a higher version."""
    rooms, command = reply.values.get("rooms_version"), reply.values.get("command_id")
    ears = reply.values.get("ears_version")

    def confirms(event: Event) -> bool:
        if event.type is EventType.PBX_MISMATCH:
            return False
        if ears is not None:
            is_active = event.values.get("state") == SupervisionState.ACTIVE.value
            return is_active and event.values.get("ears_version") == ears
        reached = event.values.get("rooms_version")
        has_rooms = isinstance(rooms, int) and isinstance(reached, int) and reached >= rooms
        return has_rooms or (bool(command) and event.values.get("command_id") == command)

    return confirms


def _holds(reply: Reply, interaction_id: str) -> bool:
    """Nothing to wait for: the PBX had nothing to do, or an earlier attempt of this request has brought it about."""
    if "ears_version" in reply.values:
        return reply.values.get("state") == SupervisionState.ACTIVE.value
    wanted = reply.values.get("rooms_version")
    if wanted is None or wanted == reply.values.get("rooms_reached"):
        return not reply.values.get("command_id")
    if g.get("order_id") is None:
        return False
    view = services().front(current().tenant).call(interaction_id)
    return view is not None and view.interaction.rooms_reached >= int(str(wanted))


def _came(news: Subscription, confirms: Test) -> bool:
    until_s = time.monotonic() + services().api.confirm_timeout_s
    try:
        while (left_s := until_s - time.monotonic()) > 0:
            found = news.get(left_s)
            if found and found.event and confirms(found.event):
                return True
            if found and found.event and found.event.type is EventType.INTERACTION_ENDED:
                return False
    except SubscriptionLost:
        pass
    return False
