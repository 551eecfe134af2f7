"""Whether the processes beside the engine run and keep up, and whether the database is as they need it."""

from __future__ import annotations

import re

from routing.app.cad_keys import lenient_codecs_of
from routing.app.clock import Clock
from routing.app.doctor import campaign_checks
from routing.app.doctor.findings import Findings
from routing.app.metrics import Recorded, read_recorded, recorder_lag_s
from routing.app.settings import ServerSettings
from routing.core.errors import StoreError
from routing.store.front import Front, connect
from routing.store.signs import Signs
from routing.store.sql import migrate, report_marks
from routing.store.sql.database import Database, PoolSize

LATE_S = 60.0
MANY_SLOTS = 300  # three days: more than what comes late after an outage is computed in some minutes
_LOSSES = {
    "worker": "webhooks are not sent, reports not computed, campaigns neither paced nor given records",
    "ticker": "nothing that is due is begun, no campaign paced",
    "lookups": "flows take the defaults of their look-ups, nobody is called back, no campaign dials",
}
_UPGRADE = "switchroom db upgrade, or start switchroom recorder, which does it"


def examine(server: ServerSettings, clock: Clock) -> list[Findings]:
    """About the database, and about the server's processes. Blocks for a while when something does not answer."""
    database, own = Findings("database"), Findings("server")
    recorded = _database(database, server, clock)
    try:
        redis = connect(server.redis_url)
        try:
            _processes(own, Signs(redis, server.tenant), clock)
            campaign_checks.check(own, Front(redis, server.tenant, codecs=lenient_codecs_of(server)), clock.now_ms())
            if recorded is not None:
                _lags(own, Front(redis, server.tenant), recorded, clock)
        finally:
            redis.close()
    except StoreError:
        own.all.clear()  # told already: Redis does not answer
    return [own, database]


def _database(findings: Findings, server: ServerSettings, clock: Clock) -> Recorded | None:
    """What it knows of our progress; None when it could not be asked."""
    if not server.database_url:
        findings.warn("reachable", "no database is named", "give --config, or database_url in the table server")
        return None
    opened = Database.at(server.database_url, PoolSize(size=1, overflow=0))
    try:
        with opened.read() as connection:
            current = migrate.current(connection)
            if current != migrate.head():
                detail = f"it is at {current or 'nothing'}, this version needs {migrate.head()}"
                findings.error("migrations", detail, _UPGRADE)
                return None
            findings.ok("migrations", f"at {current}")
            _reports(findings, *report_marks.backlog(connection, server.tenant))
            return read_recorded(connection, server.tenant, clock.now_ms())
    except StoreError as error:
        shown = re.sub(r"(?<=://)([^:@/]*:)[^@]*@", r"\1***@", server.database_url)
        findings.error("reachable", f"{shown}: {error}", "start the database, or correct server.database_url")
        return None
    finally:
        opened.close()


def _reports(findings: Findings, behind_ms: int, marked: int) -> None:
    if behind_ms / 1000 > LATE_S or marked > MANY_SLOTS:
        detail = f"events of {behind_ms / 1000:.0f} s are not counted yet, {marked} quarters of an hour not computed"
        findings.warn("reports", detail, "start a ticker and a worker for the queue reports; then see their logs")
    else:
        findings.ok("reports", f"{marked} quarters of an hour to compute")


def _processes(findings: Findings, signs: Signs, clock: Clock) -> None:
    for kind, loss in _LOSSES.items():
        if alive := signs.alive(kind, clock.now_ms()):
            findings.ok(kind, ", ".join(sorted(alive)))
        else:
            findings.error(kind, f"no {kind} runs: {loss}", f"start one: switchroom up, or switchroom {kind}")


def _lags(findings: Findings, front: Front, recorded: Recorded, clock: Clock) -> None:
    lag_s = recorder_lag_s(front, recorded.position, clock.now_ms())
    if lag_s > LATE_S:
        mend = "start it: switchroom up, or switchroom recorder; then see its log"
        findings.error("recorder", f"history is {lag_s:.0f} s behind; later events are lost", mend)
    else:
        findings.ok("recorder", f"{lag_s:.1f} s behind")
    overdue_s = recorded.overdue_ms / 1000
    detail = f"{recorded.pending} deliveries wait" + (f", the oldest is {overdue_s:.0f} s overdue" if overdue_s else "")
    if overdue_s > LATE_S:
        findings.warn("webhooks", detail, "see the worker's log; start more workers: switchroom worker")
    else:
        findings.ok("webhooks", detail)
