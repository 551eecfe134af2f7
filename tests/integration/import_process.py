"""An importer as a process of its own, with a short lease and small portions.

python -m tests.integration.import_process DATABASE_URL TENANT
"""

from __future__ import annotations

import signal
import sys
import threading

from routing.app.clock import SystemClock
from routing.app.logging import configure
from routing.core.errors import StoreError
from routing.store.sql.database import Database
from tests.integration.import_site import configuration
from workers.imports import Importer, ImporterSettings

LEASE_MS = 1500


def main(database_url: str, tenant: str) -> None:
    configure("info")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    settings = ImporterSettings(lease_ms=LEASE_MS, retry_s=0.05, portion_rows=100)
    config = configuration(tenant)
    importer = Importer(tenant, Database.at(database_url), SystemClock(), lambda: config, settings)
    while not stop.wait(0.05):
        try:
            importer.run_one()
        except StoreError:
            continue


if __name__ == "__main__":
    main(*sys.argv[1:])
