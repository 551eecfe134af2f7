"""Every resource of the API; a new module adds its blueprint here."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint


def blueprints() -> list[APIBlueprint]:
    """In the order of the document."""
    from routing.api import (
        address_book,
        agent_campaigns,
        agents,
        audit,
        callbacks,
        campaign_advice,
        campaign_ledger,
        campaign_reasons,
        campaigns,
        commands,
        configuration,
        contacts,
        desk_tokens,
        do_not_call,
        dry_runs,
        events,
        figures,
        guides,
        history,
        interaction_cad,
        interaction_events,
        interactions,
        keys,
        list_imports,
        lists,
        outdials,
        queues,
        record_commands,
        record_results,
        recordings,
        records,
        reports,
        sessions,
        status,
        supervision,
        targets,
        webhooks,
    )

    live = (
        interactions,
        commands,
        interaction_cad,
        interaction_events,
        supervision,
        outdials,
        callbacks,
        record_commands,
        guides,
        campaigns,
        campaign_reasons,
        campaign_advice,
        targets,
        agents,
        agent_campaigns,
        figures,
        queues,
        dry_runs,
        configuration,
        status,
        events,
    )
    kept = (
        history,
        reports,
        recordings,
        contacts,
        address_book,
        lists,
        list_imports,
        records,
        record_results,
        campaign_ledger,
        do_not_call,
        webhooks,
        keys,
        sessions,
        desk_tokens,
        audit,
    )
    return [resource.api for resource in (*live, *kept)]


def webhooks() -> tuple[dict[str, Any], dict[str, Any]]:
    """The outgoing requests for the document's `webhooks`, and the schemas they refer to."""
    from routing.api.webhook_document import document

    return document()
