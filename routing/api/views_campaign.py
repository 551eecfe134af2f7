"""The campaign's side of a call, and the card of its record, for the one who asks (PREV-03..05, PREV-16).

A record's column that fills a secure variable of its call's data is masked as that variable is.
"""

from __future__ import annotations

from typing import Any

from routing.api.times import rfc3339
from routing.core import preview_card
from routing.core.cad import MASK
from routing.core.campaign import CampaignCall
from routing.core.campaign_rules import Campaign
from routing.core.config import Config
from routing.core.guard import profile_of
from routing.core.interaction import Interaction
from routing.core.record import PlannedCallback, RecordLive


def campaign_call_view(
    config: Config, interaction: Interaction, record: RecordLive | None, *, may_see_secure: bool
) -> dict[str, Any] | None:
    """`CampaignCallOut`; None of any other call."""
    call = interaction.campaign
    if call is None:
        return None
    campaign = config.campaigns.get(call.campaign)
    card = record_card(config, interaction, record, may_see_secure=may_see_secure) if record else None
    return _call(call, campaign) | _choices(campaign) | {"card": card}


def _call(call: CampaignCall, campaign: Campaign | None) -> dict[str, Any]:
    same = ("name", "origin", "number", "number_kind", "ani", "attempt", "is_dropped")
    times = ("dialed_at", "reached_at", "dial_at", "deadline_at", "accepted_at")
    at_ms = {name: getattr(call, "deadline_ms" if name == "deadline_at" else f"{name}_ms") for name in times}
    return {
        "id": call.campaign,
        "label": campaign.label if campaign else call.campaign,
        "mode": call.mode.value,
        "record_id": call.record_id or None,
        "agent_id": call.agent_id or None,
        **{name: getattr(call, name) for name in same},
        **{name: rfc3339(value or None) for name, value in at_ms.items()},
        "verdict": call.verdict.value,
        "result": call.result.value if call.result else None,
    }


def _choices(campaign: Campaign | None) -> dict[str, Any]:
    return {
        "dispositions": dispositions_of(campaign) if campaign else [],
        "require_disposition": bool(campaign and campaign.require_disposition),
        "single_disposition": bool(campaign and campaign.single_disposition),
        "has_guide": bool(campaign and campaign.guide),
        "responses": len(campaign.responses) if campaign else 0,
    }


def dispositions_of(campaign: Campaign) -> list[dict[str, Any]]:
    """What agents may choose, in the configured order (DISP-01)."""
    names = ("code", "label", "closes", "do_not_call")
    return [{name: getattr(one, name) for name in names} for one in campaign.dispositions]


def record_card(
    config: Config, interaction: Interaction, record: RecordLive, *, may_see_secure: bool
) -> dict[str, Any]:
    """`RecordCardOut`."""
    known, campaign = record.card, config.campaigns.get(record.card.campaign)
    shown: dict[str, Any] = preview_card.card(campaign, interaction, record)
    hidden = preview_card.secure_columns(config, campaign) if campaign and not may_see_secure else frozenset()
    same, profile = ("name", "external_id", "list_id", "priority", "attempts"), profile_of(config, record.agent_id)
    return {
        "record_id": known.id,
        "state": record.state.value,
        **{name: getattr(known, name) for name in same},
        "contact_id": known.contact_id or None,
        "case": shown["case"],
        "record": [_masked(field, hidden) for field in shown["record"]],
        "numbers": _numbers(record),
        "codes": list(record.codes),
        "do_not_call": record.do_not_call,
        "callback": planned_view(record.callback),
        "guide_done": record.guide_done,
        "other_number": bool(profile and profile.other_number),
        "personal_callback": bool(profile and profile.reschedule_personal),
    }


def _masked(field: dict[str, str], hidden: frozenset[str]) -> dict[str, str]:
    return field | {"value": MASK} if field["name"] in hidden and field["value"] else field


def _numbers(record: RecordLive) -> list[dict[str, Any]]:
    names = ("number", "kind", "zone", "attempts", "attempts_today")
    turn = record.card.next_number
    return [
        {name: getattr(number, name) for name in names} | {"is_next": place == turn}
        for place, number in enumerate(record.card.numbers)
    ]


def planned_view(planned: PlannedCallback | None) -> dict[str, Any] | None:
    """`PlannedCallbackOut`."""
    if planned is None:
        return None
    names = ("zone", "number", "number_kind", "is_personal")
    return {"at": rfc3339(planned.at_ms)} | {name: getattr(planned, name) for name in names}
