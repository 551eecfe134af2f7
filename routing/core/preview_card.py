"""What an agent sees of a record before anything is dialed: of the campaign, and of the contact (PREV-03..05)."""

from __future__ import annotations

from dataclasses import replace

from routing.core.cad import MASK
from routing.core.campaign_rules import Campaign, RecordField
from routing.core.config import Config
from routing.core.interaction import Interaction
from routing.core.record import RecordLive

# Of a campaign that says nothing about it: all that there is (PREV-04).
CASE = (
    RecordField(name="label", label="Campaign"),
    RecordField(name="description", label="Description"),
    RecordField(name="number", label="Number"),
    RecordField(name="origin", label="Origin"),
)

CALLBACK, PERSONAL = "callback", "personal callback"


def origin_of(record: RecordLive) -> str:
    """Where it comes from: empty: the list (CBS-10)."""
    due = record.card.callback
    if due is None:
        return ""
    return PERSONAL if due.agent_id else CALLBACK


def told(config: Config, interaction: Interaction, record: RecordLive) -> dict[str, object]:
    """The card for events and replies: what becomes secure call data is masked there, too (SAFE-06)."""
    campaign = config.campaigns.get(record.card.campaign)
    hidden = secure_columns(config, campaign) if campaign else frozenset(record.card.data)
    data = {name: MASK if name in hidden and value else value for name, value in record.card.data.items()}
    return card(campaign, interaction, replace(record, card=replace(record.card, data=data)))


def secure_columns(config: Config, campaign: Campaign) -> frozenset[str]:
    """Columns of the list whose values become secure call data."""
    return frozenset(name for name, variable in config.cad_of(campaign.entry_point).items() if variable.secure)


def card(campaign: Campaign | None, interaction: Interaction, record: RecordLive) -> dict[str, object]:
    """In clear text; `campaign`: None when it is not configured any more."""
    call, known = interaction.campaign, record.card
    case = {
        "label": campaign.label if campaign else known.campaign,
        "description": campaign.description if campaign else "",
        "number": interaction.dnis,
        "origin": call.origin if call else "",
    }
    shown = campaign.record_fields if campaign else ()
    return {
        "campaign": known.campaign,
        "record_id": known.id,
        "claim": known.claim,
        "name": known.name,
        "origin": case["origin"],
        "case": _form((campaign.case_fields if campaign else ()) or CASE, case),
        "record": _form(shown, {"name": known.name} | known.data),
        "numbers": [{"number": n.number, "kind": n.kind} for n in known.numbers if n.number not in known.blocked],
        "next_number": interaction.dnis,
        "deadline_ms": (call.deadline_ms if call else 0) or None,
        "dial_at_ms": (call.dial_at_ms if call else 0) or None,
    }


def _form(fields: tuple[RecordField, ...], values: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": f.name, "label": f.label, "value": values.get(f.name, "")} for f in fields]
