"""The API against its own document: whatever is sent, nothing fails in the server, and every answer is documented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deploy.lab.redis import RedisServer
from routing.api.application import create_app
from routing.api.building import build_services
from routing.api.openapi import document_of
from routing.app.settings import ApiSettings, ServerSettings
from routing.store.sql import migrate
from tests.integration.campaign_config import campaign_configuration
from tests.integration.campaign_site import enlist, hand_over, preview
from tests.integration.control_config import CUSTOMER
from tests.integration.control_site import Site, center

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    allow_header_conformance,
]
EXAMPLES = {GenerationMode.POSITIVE: 30, GenerationMode.NEGATIVE: 12}  # of each operation: a minute for all of it
APART = {"streamEvents", "adviseCampaign"}  # one has no end, the other simulates for seconds
SEED = 20_261_121


def described() -> list[str]:
    document = document_of(create_app(build_services(ServerSettings(), ApiSettings())))
    said = [operation for item in document["paths"].values() for operation in item.values()]
    return sorted(operation["operationId"] for operation in said if operation["operationId"] not in APART)


@dataclass(frozen=True, slots=True)
class Target:
    """`known`: values of path parameters that there are, so that not every request ends with 404."""

    site: Site
    schema: Any
    known: dict[str, list[str]]


@pytest.fixture(scope="module")
def target(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    directory: Path = tmp_path_factory.mktemp("fuzzed")
    url = f"sqlite:///{directory}/fuzzed.db"
    migrate.upgrade(url)
    api = ApiSettings(confirm_timeout_s=0.0, requests_per_minute=1_000_000)
    with center(redis_server, campaign_configuration("fuzzed"), api=api, database_url=url) as site:
        schema = schemathesis.openapi.from_wsgi("/openapi.json", site.app)
        yield Target(site, schema, things(site))


def things(site: Site) -> dict[str, list[str]]:
    """Something of each kind."""
    call = site.call("anna", case="7", card="4711")
    contact = site.post("contacts", {"name": "Carla"}, status=201)["id"]
    entry = site.post("address-book", {"name": "Carla", "number": CUSTOMER}, status=201)["id"]
    hook = site.post("webhooks", {"url": "https://hooks.example/in"}, status=201)["id"]
    key = site.post("keys", {"name": "k", "scopes": ["outdial"]}, status=201)["id"]
    enlist(site, 1, 2, 3)
    site.sign_in("ben")
    for path in ("campaigns/spring/load", "campaigns/spring/start", "agents/ben/campaigns/spring/join"):
        site.post(path, {})
    hand_over(site, count=2)
    shown = preview(site, who="ben")["id"]
    list_id = site.post("lists", {"campaign": "spring", "name": "March"}, status=201)["id"]
    rows = {"rows": [{"numbers": [{"number": CUSTOMER}]}]}
    import_id = site.post(f"lists/{list_id}/records", rows, status=202)["id"]
    return {
        "interaction_id": [call, shown],
        "campaign_id": ["spring", "winter"],
        "record_id": ["rec_1", "rec_2", "rec_3"],
        "list_id": [list_id],
        "import_id": [import_id],
        "agent_id": ["anna", "ben", "cleo"],
        "queue": ["sales"],
        "queue_id": ["sales"],
        "contact_id": [contact],
        "entry_id": [entry],
        "webhook_id": [hook],
        "key_id": [key],
    }


@pytest.mark.req("API-01", "API-02")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", list(EXAMPLES), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation_id", described())
def test_no_request_makes_the_server_fail_and_every_answer_is_documented(
    operation_id: str, mode: GenerationMode, target: Target
) -> None:
    operation = target.schema.find_operation_by_id(operation_id)

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES[mode],
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def send(data: st.DataObject) -> None:
        case: Case[Any] = data.draw(operation.as_strategy(mode))
        for name, values in target.known.items():
            if name in (case.path_parameters or {}) and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(values))
        answer = case.call(headers={"Authorization": "Bearer crm"})
        assert answer.status_code < 500, f"{case.as_curl_command()}: {answer.status_code} {answer.text}"
        case.validate_response(answer, checks=CHECKS)

    send()
