from __future__ import annotations

import pytest

from tests.req_report import BadRequirements, read_rules


def test_rules_are_read_in_order_and_other_lines_are_not() -> None:
    text = "# T\n\n- **CAD-01** One.\n- plain\n- **A1** Two, **bold**.\n  - **CAD-02** nested\n"
    assert read_rules(text) == {"CAD-01": "One.", "A1": "Two, **bold**."}


def test_an_id_which_is_there_twice_is_an_error() -> None:
    with pytest.raises(BadRequirements, match="A1"):
        read_rules("- **A1** x\n- **A1** y\n")
