"""Jobs on RQ. Each is short, idempotent, and may get lost: rows in SQL say what there is to do, the ticker looks."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

log = structlog.get_logger()

QUEUES = ("webhooks",)
DELIVER = "workers.webhooks.deliver"


def queue_name(tenant: str, queue: str) -> str:
    """RQ's names are not of one tenant: e.g. `main:webhooks`, in Redis `rq:queue:main:webhooks`."""
    return f"{tenant}:{queue}"


class Jobs:
    """Of one tenant."""

    def __init__(self, redis: Redis, tenant: str) -> None:
        self._redis, self.tenant = redis, tenant
        self._webhooks = Queue(queue_name(tenant, "webhooks"), connection=redis)

    def waiting(self) -> int:
        """Jobs that no worker has taken yet. Raises RedisError."""
        return self._webhooks.count

    def deliver(self, deliveries: Sequence[tuple[str, str]]) -> bool:
        """One job per (endpoint, delivery); False: Redis did not take them."""
        if not deliveries:
            return True
        data = [
            Queue.prepare_data(DELIVER, (endpoint, id_), timeout=60, result_ttl=0, failure_ttl=3600, ttl=3600)
            for endpoint, id_ in deliveries
        ]
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                self._webhooks.enqueue_many(data, pipeline=pipe)
                pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("jobs_not_queued", tenant=self.tenant, count=len(deliveries), reason=str(error))
            return False
        return True
