"""Jobs on RQ. Each is short, idempotent, and may get lost: rows in SQL say what there is to do, the ticker looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

log = structlog.get_logger()

# In the order in which a worker looks at them: what must be done within a second first.
QUEUES = ("pacing", "hoppers", "webhooks", "reports", "imports")
DELIVER = "workers.webhooks.deliver"
COMPUTE = "workers.reports.compute"
IMPORT = "workers.imports.run"
PACE = "workers.pacing.pace"
FILL, SWEEP = "workers.campaigns.fill", "workers.campaigns.sweep"
HOPPER_TTL_S = 30
PACE_TTL_S = 2  # a decision that no worker has taken by then is out of date


def queue_name(tenant: str, queue: str) -> str:
    """RQ's names are not of one tenant: e.g. `main:webhooks`, in Redis `rq:queue:main:webhooks`."""
    return f"{tenant}:{queue}"


class Jobs:
    """Of one tenant."""

    def __init__(self, redis: Redis, tenant: str) -> None:
        self._redis, self.tenant = redis, tenant
        self._pacing, self._hoppers, self._webhooks, self._reports, self._imports = (
            Queue(queue_name(tenant, queue), connection=redis) for queue in QUEUES
        )

    def waiting(self) -> int:
        """Deliveries that no worker has taken yet. Raises RedisError."""
        return self._webhooks.count

    def waiting_slots(self) -> int:
        """Slots of reports that no worker has taken yet. Raises RedisError."""
        return self._reports.count

    def deliver(self, deliveries: Sequence[tuple[str, str]]) -> bool:
        """One job per (endpoint, delivery); False: Redis did not take them."""
        return self._enqueue(self._webhooks, DELIVER, deliveries)

    def compute(self, slots_ms: Sequence[int]) -> bool:
        """One job per slot of the reports; False: Redis did not take them."""
        return self._enqueue(self._reports, COMPUTE, [(slot_ms,) for slot_ms in slots_ms])

    def pace(self, campaign_ids: Sequence[str]) -> bool:
        """One decision per campaign; False: Redis did not take them."""
        calls = [(campaign_id,) for campaign_id in campaign_ids]
        return self._enqueue(self._pacing, PACE, calls, ttl_s=PACE_TTL_S)

    def waiting_hoppers(self) -> int:
        """Hoppers and sweeps that no worker has taken yet. Raises RedisError."""
        return self._hoppers.count

    def fill(self, campaign_ids: Sequence[str]) -> bool:
        """One job per hopper; False: Redis did not take them."""
        return self._enqueue(self._hoppers, FILL, [(id_,) for id_ in campaign_ids], ttl_s=HOPPER_TTL_S)

    def sweep(self) -> bool:
        """Give up claims that got lost; False: Redis did not take it."""
        return self._enqueue(self._hoppers, SWEEP, [()], ttl_s=HOPPER_TTL_S)

    def run_imports(self, import_ids: Sequence[str]) -> bool:
        """One job per import that waits; False: Redis did not take them."""
        return self._enqueue(self._imports, IMPORT, [(import_id,) for import_id in import_ids])

    def _enqueue(self, queue: Queue, function: str, calls: Sequence[tuple[Any, ...]], *, ttl_s: int = 3600) -> bool:
        if not calls:
            return True
        data = [
            Queue.prepare_data(function, arguments, timeout=60, result_ttl=0, failure_ttl=3600, ttl=ttl_s)
            for arguments in calls
        ]
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                queue.enqueue_many(data, pipeline=pipe)
                pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("jobs_not_queued", tenant=self.tenant, count=len(calls), reason=str(error))
            return False
        return True
