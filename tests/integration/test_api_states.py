"""What the API shows of calls in flows, callbacks and messages is what its document says, in every state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from deploy.lab.redis import RedisServer
from routing.core.callback import CallbackRules
from routing.core.config import EntryPoint
from routing.core.facts import LegArrived
from routing.core.flow import DigitInput, LookUpStep
from routing.core.interaction import InteractionState
from telephony.simulated.habits import Answers, Constant, Listener, Patient, Speech
from tests.integration.control_config import CUSTOMER, PBX, RIGHTS, configuration
from tests.integration.control_site import Site, center
from tests.integration.databases import sqlite_with_tables
from tests.unit.flow_line import flow, step
from tests.waiting import wait_until

FLOWS = (
    flow("menu", menu=step("menu", input=DigitInput(timeout_s=60), no_input="q"), q=step("queue", queue="help")),
    flow(
        "crm",
        ask=step("look_up", look_up=LookUpStep(url="https://crm.example/", deadline_ms=60_000), next="back"),
        back=step("return"),
    ),
    flow("mailbox", mail=step("voicemail", queue="sales", max_s=5, silence_s=1)),
)


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    """Anna alone is signed in; nobody looks numbers up."""
    base = configuration(tenant())
    points = {one.id: EntryPoint(id=one.id, queue="", flow=one.id) for one in FLOWS}
    config = replace(
        base,
        flows={one.id: one for one in FLOWS},
        entry_points=base.entry_points | points,
        callbacks=CallbackRules(dial=RIGHTS),
    )
    url = sqlite_with_tables(tmp_path / "history.db")
    with center(redis_server, config, database_url=url) as made:
        yield made


class Document:
    """Asks the API as a program and holds every answer against its document."""

    def __init__(self, site: Site) -> None:
        self._schema: Any = schemathesis.openapi.from_wsgi("/openapi.json", site.app)

    def get(self, operation_id: str, query: dict[str, str] | None = None, who: str = "crm", **path: str) -> Any:
        operation = self._schema.find_operation_by_id(operation_id)
        case = operation.Case(path_parameters=path, query=query or {})
        answer = case.call(headers={"Authorization": f"Bearer {who}"})
        assert answer.status_code == 200, answer.text
        case.validate_response(answer, checks=[response_schema_conformance, status_code_conformance])
        return answer.json()

    def sees(self, interaction_id: str) -> dict[str, Any]:
        """Everything that shows it; the interaction itself."""
        listed = self.get("listInteractions", {"limit": "100"})["items"]
        shown: dict[str, Any] = self.get("getInteraction", interaction_id=interaction_id)
        assert [one["id"] for one in listed].count(interaction_id) == 1
        self.get("explainInteraction", interaction_id=interaction_id)
        for operation_id in ("listAgents", "listQueues", "getStatus"):
            self.get(operation_id)
        return shown


def arrives(site: Site, entry_point: str, listener: Listener | None = None) -> str:
    arrival = LegArrived(pbx=PBX, leg_id="", entry_point=entry_point, ani=CUSTOMER)
    channel = site.exchange.do(lambda: site.exchange.pbx.call_in(arrival, None, listener))

    def found() -> list[str]:
        return [i.id for i in site.front.load().interactions.values() if i.customer_leg == channel.leg_id]

    wait_until(found)
    return found()[0]


@pytest.mark.req("API-01", "FLOW-01")
@pytest.mark.parametrize("entry_point", ["menu", "crm"])
def test_a_call_in_a_flow_is_shown_as_documented(site: Site, entry_point: str) -> None:
    shown = Document(site).sees(arrives(site, entry_point))
    assert (shown["state"], shown["kind"]) == ("in_flow", "inbound")
    assert (shown["clocks"]["talked_s"], shown["parties"]) == (0, [])


@pytest.mark.req("API-01", "CBQ-01")
def test_a_callback_that_waits_is_shown_as_documented(site: Site) -> None:
    asked = site.post("callbacks", {"number": CUSTOMER, "queue": "sales"}, status=202)
    shown = Document(site).sees(asked["id"])
    assert (shown["state"], shown["kind"]) == ("queued", "callback")
    assert len(Document(site).get("listCallbacks")["items"]) == 1


@pytest.mark.req("API-01", "PERM-06")
def test_a_message_that_an_agent_hears_is_shown_as_documented_with_what_he_may_do(site: Site) -> None:
    site.habit("anna", Answers(Constant(50)))
    arrives(site, "mailbox", Patient(speech=Speech(says_ms=1500)))

    def heard() -> list[str]:
        return [i.id for i in site.front.load().interactions.values() if i.state is InteractionState.LISTENING]

    wait_until(heard, 15)
    (message,) = heard()
    document = Document(site)
    shown = document.sees(message)
    assert (shown["kind"], shown["state"]) == ("voicemail", "listening")
    (mine,) = document.get("listAgentInteractions", who="anna", agent_id="anna")["items"]
    assert mine["id"] == message
    assert {"end", "replay_message"} <= set(mine["allowed_actions"])
    assert not {"hold", "transfer", "consult", "send_digits", "pause_recording"} & set(mine["allowed_actions"])
