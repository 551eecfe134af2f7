"""The outgoing requests as the document of the API tells them: one per type of event, all of the same shape."""

from __future__ import annotations

from typing import Any

from routing.core.events import EventType

_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "type", "at", "interaction_id", "agent_id", "queue", "data"],
    "properties": {
        "id": {"type": ["string", "null"], "description": "Position in the stream; null for a test"},
        "type": {"type": "string"},
        "at": {"type": "string", "format": "date-time"},
        "interaction_id": {"type": ["string", "null"]},
        "agent_id": {"type": ["string", "null"]},
        "queue": {"type": ["string", "null"]},
        "data": {"type": "object", "description": "By type, see docs/events.md; secure call data are masked"},
        "is_thin": {"const": True, "description": "Only where `data` would have been too large, and is empty"},
    },
}
_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["type", "timestamp", "data"],
    "properties": {
        "type": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": {"$ref": "#/components/schemas/WebhookEvent"},
    },
}
_HEADERS = {
    "webhook-id": "The same on every attempt: remember what you have seen",
    "webhook-timestamp": "Unix seconds of the attempt",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of `id.timestamp.body`, one for each secret that signs",
}


def document() -> tuple[dict[str, Any], dict[str, Any]]:
    """The `webhooks` of the document by name, and the schemas they refer to."""
    types = [*(type_.value for type_ in EventType), "webhook.test"]
    return {type_: _hook(type_) for type_ in types}, {"WebhookBody": _BODY, "WebhookEvent": _EVENT}


def _hook(type_: str) -> dict[str, Any]:
    narrowed = {"properties": {"type": {"const": type_}}}
    return {
        "post": {
            "summary": type_,
            "description": "After Standard Webhooks 1.0.0; the order is not promised, and one may come twice.",
            "operationId": "on" + "".join(part.title() for part in type_.replace("_", ".").split(".")),
            "parameters": [
                {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
                for name, text in _HEADERS.items()
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": {"allOf": [{"$ref": "#/components/schemas/WebhookBody"}, narrowed]}}
                },
            },
            "responses": {
                "2XX": {"description": "Taken. Anything else is a failure, and it comes again"},
                "410": {"description": "The endpoint is disabled"},
            },
        }
    }
