"""Refusals of the API: every kind is known, explained, and told in the same form."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from flask import Flask

import routing.api
import routing.app
import routing.core
import routing.store
from routing.api.problem_kinds import KINDS
from routing.api.problem_pages import pages
from routing.api.problems import Problem, response
from routing.core.errors import ActionNotAllowed, DomainError, StoreError, SwitchroomError
from routing.store.errors import StoreUnavailable

API = Path(routing.api.__file__).parent


def every_error() -> Iterator[type[SwitchroomError]]:
    for package in (routing.core, routing.store, routing.app):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    waiting: list[type[SwitchroomError]] = [DomainError, StoreError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        if not error.__module__.startswith(("routing.cli", "tests")):
            yield error


@pytest.fixture
def app() -> Flask:
    app = Flask("problems")
    app.register_blueprint(pages)
    app.register_error_handler(Problem, response)
    return app


@pytest.mark.req("API-02")
def test_every_error_that_rules_and_stores_raise_is_a_known_kind_of_problem() -> None:
    unknown = {f"{error.__name__}: {error.code}" for error in every_error() if error.code not in KINDS}
    assert not unknown


@pytest.mark.req("API-02")
def test_every_code_that_a_route_raises_is_a_known_kind_of_problem() -> None:
    raised = {code for file in API.glob("*.py") for code in re.findall(r'Problem\(\s*"([a-z-]+)"', file.read_text())}
    assert raised
    assert not raised - KINDS.keys()


@pytest.mark.req("API-02")
@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_kind_has_a_page_that_says_what_it_means_and_what_to_do(code: str, app: Flask) -> None:
    kind = KINDS[code]
    assert 400 <= HTTPStatus(kind.status) < 600
    assert kind.title
    assert kind.meaning
    assert kind.remedy
    page = app.test_client().get(f"/problems/{code}")
    assert page.status_code == 200
    assert f"<code>{code}</code>" in page.text
    assert f'href="/problems/{code}"' in app.test_client().get("/problems").text


@pytest.mark.req("API-02")
def test_a_refusal_by_the_rules_tells_its_fields_beside_the_members_of_the_standard(app: Flask) -> None:
    error = ActionNotAllowed(action="hold", allowed_actions=["resume"], status="lies", current_version=7)
    with app.test_request_context("/v1/interactions/int_1/hold", base_url="https://pbx.example"):
        answer = response(Problem.of(error))
    assert answer.content_type == "application/problem+json"
    assert answer.status_code == 409
    assert answer.json == {
        "type": "https://pbx.example/problems/action-not-allowed",
        "title": KINDS["action-not-allowed"].title,
        "status": 409,
        "detail": str(error),
        "instance": "/v1/interactions/int_1/hold",
        "code": "action-not-allowed",
        "action": "hold",
        "allowed_actions": ["resume"],
        "current_version": 7,
    }


def test_a_wait_becomes_the_header_retry_after(app: Flask) -> None:
    with app.test_request_context("/v1/outdials"):
        answer = response(Problem("dial-rate-reached", "too many", retry_after_s=12.4))
    assert answer.headers["Retry-After"] == "12"
    assert answer.json is not None
    assert answer.json["retry_after_s"] == 12.4


def test_what_a_store_says_stays_in_the_log(app: Flask) -> None:
    with app.test_request_context("/v1/agents"):
        answer = response(Problem.of(StoreUnavailable(reason="redis.internal:6379 refused")))
    assert answer.status_code == 503
    assert "redis.internal" not in answer.get_data(as_text=True)


def test_an_unknown_code_is_a_refusal_whose_type_still_resolves(app: Flask) -> None:
    with app.test_request_context("/v1/agents"):
        answer = response(Problem("new-rule", "no"))
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["type"].endswith("/problems/domain-error")


def test_there_is_no_page_for_an_unknown_kind(app: Flask) -> None:
    assert app.test_client().get("/problems/no-such").status_code == 404
