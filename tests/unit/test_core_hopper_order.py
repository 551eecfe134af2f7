"""The order in which records of a hopper are worked: by priority, then as the list has them."""

from __future__ import annotations

import pytest

from tests.unit.campaign_line import Line, card

IDS = ("rec_z", "rec_a", "rec_m")  # ids of one import say nothing of its order


@pytest.mark.req("CAMP-01")
def test_records_that_come_together_are_worked_in_the_order_of_their_list() -> None:
    line = Line(records=[card(id_, f"+1201555010{n}") for n, id_ in enumerate(IDS)])
    line.d.advance(1)
    line.add(card("rec_0", "+12015550110"), card("rec_1", "+12015550111", priority=6))
    ready = [record.id for record in line.d.world.hoppers.ready("spring")]
    assert ready == ["rec_1", *IDS, "rec_0"]
