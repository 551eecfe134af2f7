"""A column of a list that becomes secure call data is masked in events and replies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.cad import MASK
from routing.core.campaign_rules import RecordField
from routing.core.declarations import CadVariable
from routing.core.events import EventType
from tests.unit.campaign_line import ANNA, Line, campaign, centre

SHOWN = (RecordField(name="reach", label="Best time"), RecordField(name="secret", label="Card"))


@pytest.mark.req("SAFE-06", "PREV-05")
def test_what_becomes_secure_call_data_is_masked_where_a_record_is_told() -> None:
    config = centre(campaign(record_fields=SHOWN))
    line = Line(replace(config, cad=(CadVariable(name="secret", label="Card", secure=True),)))
    line.get(ANNA)
    fields = {field["name"]: field["value"] for field in line.told(EventType.RECORD_SHOWN).values["record"]}  # type: ignore[attr-defined]
    assert fields == {"reach": "mornings", "secret": MASK}
    assert line.interaction.cad["secret"] == "x", "its agent has it"
