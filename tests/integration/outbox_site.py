"""Deliveries in a database, a sender in this process, and a receiver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from routing.app.clock import ManualClock
from routing.app.settings import WebhookSettings
from routing.core.events import Event, EventType
from routing.store.port import StoredEvent
from routing.store.sealing import Sealer
from routing.store.sql.database import Database
from routing.store.sql.deliveries import Delivery, list_deliveries
from routing.store.sql.webhooks import Endpoint, create_endpoint, get_endpoint
from tests.integration.receiver import Receiver
from workers.jobs import Jobs
from workers.outbox import Outbox
from workers.webhooks import Sender

TENANT = "hooks"
SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"
LOCAL = WebhookSettings(allow_private=("127.0.0.0/8",), allow_http=True, timeout_s=2.0)


class NoJobs(Jobs):
    """Keeps what would have been queued."""

    def __init__(self) -> None:
        self.tenant = TENANT
        self.made: list[tuple[str, str]] = []

    def waiting(self) -> int:
        return 0

    def deliver(self, deliveries: Any) -> bool:
        self.made += deliveries
        return True


def endpoint_row(url: str, id_: str = "whk_1", **changes: Any) -> Endpoint:
    fields: dict[str, Any] = {
        "id": id_,
        "url": url,
        "description": "",
        "event_types": None,
        "filters": None,
        "secret": SECRET,
        "previous_secret": "",
        "previous_until_ms": None,
        "version": 1,
        "created_by": "key:crm",
        "created_at_ms": 1,
        "updated_at_ms": 1,
        "disabled_at_ms": None,
        "disabled_reason": "",
    }
    return Endpoint(**fields | changes)


@dataclass(slots=True)
class OutboxSite:
    database: Database
    receiver: Receiver
    settings: WebhookSettings = LOCAL
    clock: ManualClock = field(default_factory=ManualClock)
    jobs: NoJobs = field(default_factory=NoJobs)
    _position: int = 0

    def endpoint(self, path: str = "/", id_: str = "whk_1", **changes: Any) -> Endpoint:
        with self.database.begin() as connection:
            return create_endpoint(connection, TENANT, endpoint_row(self.receiver.url(path), id_, **changes))

    def endpoint_now(self, id_: str = "whk_1") -> Endpoint:
        with self.database.read() as connection:
            return get_endpoint(connection, TENANT, id_)

    def happen(self, type_: EventType = EventType.INTERACTION_QUEUED, **fields: Any) -> list[tuple[str, str]]:
        """One event through the recorder's hook; the jobs it made."""
        self._position += 1
        event = Event(type=type_, **{"at_ms": self.clock.now_ms(), **fields})
        outbox, before = Outbox(self.jobs, self.clock), len(self.jobs.made)
        with self.database.begin() as connection:
            outbox(connection, TENANT, [StoredEvent(position=f"{self._position}-0", event=event)])
        outbox.committed()
        return self.jobs.made[before:]

    def rows(self, endpoint_id: str = "whk_1") -> list[Delivery]:
        """Oldest first."""
        with self.database.read() as connection:
            return list(reversed(list_deliveries(connection, TENANT, endpoint_id).items))

    @contextmanager
    def sender(self, owner: str = "worker@here") -> Iterator[Sender]:
        sender = Sender(TENANT, self.database, self.clock, self.settings, Sealer(), owner)
        try:
            yield sender
        finally:
            sender.stop(10)
