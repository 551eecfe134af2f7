"""When an answer says that the PBX has done it, and requests that are repeated with their key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.app.settings import ApiSettings
from telephony.simulated.habits import Answers, Constant, RingsOut
from tests.integration.control_config import CUSTOMER, configuration
from tests.integration.control_site import Site, center, checked

TO_BEN = {"type": "agent", "id": "ben"}
QUICK = ApiSettings(confirm_timeout_s=0.3)


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant())) as made:
        yield made


@pytest.fixture
def quick(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    """It does not wait long for the PBX."""
    with center(redis_server, configuration(tenant()), api=QUICK) as made:
        yield made


@pytest.fixture(scope="module")
def talking(redis_server: RedisServer) -> Iterator[tuple[Site, str]]:
    """A call that refusals are tried on."""
    with center(redis_server, configuration("repeats"), signed_in=["anna"]) as made:
        yield made, made.call()


# ---------------------------------------------------------------------- 200 or 202


def test_a_pbx_that_does_not_confirm_is_answered_with_202_and_where_to_look(quick: Site) -> None:
    call = quick.call()
    before = quick.get(f"interactions/{call}")["version"]
    quick.exchange.do(quick.exchange.port.stall)
    answer = quick.send("POST", f"interactions/{call}/hold", "anna")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/interactions/{call}"
    assert (answer.json["is_confirmed"], answer.json["state"]) == (False, "held")
    assert answer.json["version"] > before
    shown = quick.get(f"interactions/{call}")
    assert (shown["is_confirmed"], shown["version"]) == (False, answer.json["version"])
    quick.exchange.do(quick.exchange.port.restore)
    quick.reaches(call, "held")
    assert quick.get(f"interactions/{call}")["is_confirmed"] is True
    assert quick.do(call, "resume")["is_confirmed"] is True


def test_rooms_that_the_pbx_refuses_are_no_confirmation(quick: Site) -> None:
    quick.sign_in("dora")
    call = quick.call("dora", "help")  # who is not recorded: the next command is that for the rooms
    quick.exchange.do(lambda: setattr(quick.exchange.port, "refuse", 1))
    answer = quick.do(call, "hold", "dora", status=202)
    assert answer["is_confirmed"] is False
    quick.reaches(call, "held")  # the server asks again by itself


def test_a_command_that_changes_nothing_at_the_pbx_waits_for_nothing(quick: Site) -> None:
    quick.habit("ben", RingsOut())
    call = quick.call()
    quick.sign_in("ben")
    quick.do(call, "hold")
    asked = quick.do(call, "consults", to=TO_BEN)
    assert asked["status"] == "consult requested"
    assert quick.do(call, "consults/current/cancel")["status"] == "on hold"


# ---------------------------------------------------------------------- the same key twice


@pytest.mark.req("API-03")
def test_a_repeated_request_is_done_once_and_answered_alike(site: Site) -> None:
    outside = site.outside(CUSTOMER, Answers())
    call = site.call()
    body = {"to": {"type": "number", "number": CUSTOMER}}
    first, second = (
        site.send("POST", f"interactions/{call}/consults", "anna", body, Idempotency_Key="k-1") for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json == first.json
    assert second.headers["Idempotency-Replayed"] == "true"
    site.reaches(call, "consulting")
    assert outside.rings == 1
    other = site.send("POST", f"interactions/{call}/conferences", "anna", body, Idempotency_Key="k-1")
    assert checked(other, 422)["code"] == "idempotency-key-reused"


@pytest.mark.req("API-03")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("interactions/{call}/transfers", {"to": {"type": "queue", "id": "help"}}),
        ("interactions/{call}/consults", {"to": {"type": "queue", "id": "help"}}),
        ("interactions/{call}/conferences", {"to": {"type": "queue", "id": "help"}}),
        ("interactions/{call}/digits", {"digits": "1"}),
        ("interactions/{call}/notes", {"text": "x"}),
        ("outdials", {"number": CUSTOMER}),
    ],
)
def test_what_dials_transfers_or_creates_needs_a_key(
    talking: tuple[Site, str], path: str, body: dict[str, Any]
) -> None:
    site, call = talking
    before = site.everything()
    client = site.app.test_client()
    answer = client.post(f"/v1/{path.format(call=call)}", json=body, headers={"Authorization": "Bearer anna"})
    assert checked(answer, 400)["code"] == "idempotency-key-missing"
    assert site.everything() == before


@pytest.mark.req("API-03")
def test_a_retry_after_no_engine_has_answered_gets_the_answer_of_the_first(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = site.outside(CUSTOMER, Answers(Constant(50)))
    call = site.call()
    site.exchange.stop_engine()
    monkeypatch.setattr("routing.api.orders.REPLY_S", 0.2)
    request: dict[str, Any] = {
        "path": f"interactions/{call}/consults",
        "body": {"to": {"type": "number", "number": CUSTOMER}},
    }
    for _ in range(2):
        assert checked(site.send("POST", who="anna", Idempotency_Key="k-2", **request), 503)["code"] == "no-reply"
    monkeypatch.undo()
    site.exchange.start_engine()
    site.reaches(call, "consulting")  # the order has waited for it under its key
    again = checked(site.send("POST", who="anna", Idempotency_Key="k-2", **request), 200)
    assert again["consult"]["to_number"] == CUSTOMER
    assert outside.rings == 1
