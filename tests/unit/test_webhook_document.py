"""The document of the API tells of every webhook, in the shape that is sent."""

from __future__ import annotations

import json

import pytest

from routing.api.webhook_document import document
from routing.core.events import Event, EventType
from workers.outbox import body_of


@pytest.mark.req("API-06")
def test_every_event_is_documented_as_a_webhook_in_the_shape_that_is_sent() -> None:
    hooks, schemas = document()
    assert set(hooks) == {type_.value for type_ in EventType} | {"webhook.test"}
    assert len({hook["post"]["operationId"] for hook in hooks.values()}) == len(hooks)
    sent = json.loads(body_of("1-0", Event(type=EventType.CONFIG_APPLIED, at_ms=1)))
    assert set(sent) == set(schemas["WebhookBody"]["required"]) == set(schemas["WebhookBody"]["properties"])
    assert set(sent["data"]) == set(schemas["WebhookEvent"]["required"])
