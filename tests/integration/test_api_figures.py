"""Live figures, positions and estimated waits through the API, and in the metrics (ROUTE-10, ROUTE-13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from deploy.lab.redis import RedisServer
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center
from tests.waiting import wait_until


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant())) as made:
        yield made


def figures(site: Site, subject: str, member: str) -> dict[str, object]:
    found = site.get(f"figures?subject={subject}")
    assert found["subject"] == subject
    assert found["quarter_begun_at"] >= found["day_begun_at"]
    return next(item for item in found["items"] if item["id"] == member)["day"]  # type: ignore[no-any-return]


def waiting(site: Site) -> tuple[dict[str, object], list[dict[str, object]]]:
    calls = site.get("interactions?state=queued")["items"]
    return next(q for q in site.get("queues")["items"] if q["id"] == "sales"), calls


@pytest.mark.req("ROUTE-10", "ROUTE-13")
def test_who_waits_has_a_place_and_a_wait_and_every_call_is_counted(site: Site) -> None:
    site.call("anna")
    first, customer = site.arrive()
    second, _ = site.arrive()
    wait_until(lambda: len(waiting(site)[1]) == 2)
    queue, _calls = waiting(site)
    shown = [site.get(f"interactions/{id_}") for id_ in (first, second)]
    assert [call["position"] for call in shown] == [1, 2]
    waits = [call["estimated_wait_ms"] for call in shown]
    assert 0 < waits[0] < waits[1] < queue["estimated_wait_ms"]
    sales = figures(site, "queue", "sales")
    assert (sales["offered"], sales["answered"], sales["waiting"], sales["service_level"]) == (3, 1, 2, 100.0)
    site.exchange.do(lambda: site.exchange.pbx.hang_up(customer))
    wait_until(lambda: figures(site, "queue", "sales")["abandoned"] == 1)
    wait_until(lambda: site.get(f"interactions/{second}")["position"] == 1)
    anna, team = figures(site, "agent", "anna"), figures(site, "team", "floor")
    assert (anna["offered"], anna["answered"]) == (1, 1)
    assert anna["talk_ms"] > 0  # type: ignore[operator]
    assert (team["offered"], team["answered"]) == (1, 1)
    metrics = site.app.test_client().get("/metrics", headers={"Authorization": "Bearer crm"}).get_data(as_text=True)
    assert 'switchroom_service_level_ratio{queue="sales"} 1.0' in metrics
    assert 'switchroom_estimated_wait_seconds{queue="sales"}' in metrics
    assert site.get("figures?subject=nobody", status=422)["code"] == "invalid-request"
