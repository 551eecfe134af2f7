"""Requests of one gevent process over one database, each in a greenlet.

python -m tests.integration.gevent_database URL

Prints as JSON how many finished, how long it took, and how often another greenlet had its turn meanwhile.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

import gevent  # noqa: E402
from flask import Flask  # noqa: E402
from sqlalchemy import text  # noqa: E402

from routing.api.database import reading, writing  # noqa: E402
from routing.api.services import EXTENSION, Services  # noqa: E402
from routing.app.clock import SystemClock  # noqa: E402
from routing.app.settings import ApiSettings, ServerSettings  # noqa: E402
from routing.store.front import connect  # noqa: E402
from tests.integration.nobody import Nobody  # noqa: E402

REQUESTS, STEP_S = 10, 0.3
_ADD = text("INSERT INTO users (tenant, name) VALUES ('t', :name)")


def slow_read(_number: int) -> None:
    """The database takes its time."""
    with reading() as connection:
        connection.execute(text(f"SELECT pg_sleep({STEP_S})"))


def write_and_give_way(number: int) -> None:
    """What no request should do, and what a log line on a full pipe does: give way in the middle of a write."""
    with writing() as connection:
        connection.execute(_ADD, {"name": f"n{number}"})
        gevent.sleep(STEP_S / REQUESTS)


def main(url: str) -> None:
    app = Flask("test")
    app.extensions[EXTENSION] = Services(
        server=ServerSettings(database_url=url),
        api=ApiSettings(),
        redis=connect("redis://127.0.0.1:1/0"),
        clock=SystemClock(),
        authenticator=Nobody(),
    )
    request = slow_read if url.startswith("postgresql") else write_and_give_way
    turns = [0]

    def tick() -> None:
        while True:
            gevent.sleep(0.01)
            turns[0] += 1

    def run(work: Callable[[int], None], number: int) -> bool:
        with app.app_context():
            work(number)
        return True

    ticker, began_s = gevent.spawn(tick), time.monotonic()
    jobs = [gevent.spawn(run, request, number) for number in range(REQUESTS)]
    gevent.joinall(jobs, timeout=30)
    ticker.kill()
    finished = sum(job.value is True for job in jobs)
    print(json.dumps({"finished": finished, "seconds": time.monotonic() - began_s, "turns": turns[0]}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
