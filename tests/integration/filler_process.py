"""A worker that does nothing but fill and sweep, in a hurry, as a process of its own.

python -m tests.integration.filler_process REDIS_URL TENANT DATABASE_URL
"""

from __future__ import annotations

import signal
import sys
import threading
from random import Random

from routing.app.clock import SystemClock
from routing.app.logging import configure
from routing.core.errors import StoreError
from routing.core.orders import AddRecords
from routing.store.front import Front, connect
from routing.store.handover import Handover
from routing.store.sql.database import Database
from workers.campaigns import Filler, FillSettings

STALE_MS = 300
# Between claim and sending, so that a kill hits there; the last one is longer than others wait for it.
DAWDLES_S = (0.0, 0.02, 0.05, 0.1, 0.7)


class Dawdling(Handover):
    def __init__(self, front: Front) -> None:
        super().__init__(front)
        self._random = Random()

    def send(self, order: AddRecords, fence: int) -> str:
        threading.Event().wait(self._random.choice(DAWDLES_S))
        return super().send(order, fence)


def main(redis_url: str, tenant: str, database_url: str) -> None:
    configure("info")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    settings = FillSettings(portion=5, stale_ms=STALE_MS, patience_s=1.0)
    front = Front(connect(redis_url), tenant)
    filler = Filler(Dawdling(front), Database.at(database_url), SystemClock(), settings)
    while not stop.wait(0.01):
        try:
            front.redis.delete(front.keys("filling", "spring"))  # the lease of one that was killed
            filler.fill("spring")
            filler.sweep()
        except StoreError:
            continue


if __name__ == "__main__":
    main(*sys.argv[1:])
