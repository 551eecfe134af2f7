"""What the stream of a page costs: how often it asks the API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, request, request_started

from deploy.lab.redis import RedisServer
from routing.store.sql import migrate
from tests.desk.agent_site import cleared, desk_center
from tests.desk.desk_site import AtDesk
from tests.desk.streaming import after_begin
from tests.integration.control_config import configuration
from tests.integration.control_site import Site


@pytest.fixture
def site(redis_server: RedisServer, tmp_path: Path) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    migrate.upgrade(url)
    with desk_center(redis_server, configuration("desk_asking"), database_url=url) as made:
        cleared(made)
        yield made


def test_a_page_with_a_call_asks_nothing_twice_in_one_pass(site: Site) -> None:
    site.call("anna")
    asked: Counter[str] = Counter()

    def note(_app: Flask) -> None:
        asked[f"{request.method} {request.full_path}"] += 1

    with request_started.connected_to(note), after_begin(AtDesk(site, "anna")):
        pass
    questions = {question: times for question, times in asked.items() if question.startswith("GET /v1/")}
    assert len(questions) > 4
    assert set(questions.values()) == {1}, questions
