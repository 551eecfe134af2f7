"""Log lines: JSON, and nothing in them that names a caller."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from routing.app.logging import MASK, configure, mask_private


@pytest.fixture(autouse=True)
def _default_logging() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_numbers_and_names_are_masked_at_any_depth() -> None:
    line = {
        "event": "call_arrived",
        "ani": "+491701234567",
        "phone": "PJSIP/1001",
        "ani_name": "Carla",
        "detail": {"cad": {"case": "7"}, "legs": [{"dnis": "7001"}, {"leg_id": "l1"}]},
        "phones": ["PJSIP/1001", ""],
        "pin": "12",
        "queue": "sales",
        "number": "12",
    }
    assert mask_private(None, "info", line) == {
        "event": "call_arrived",
        "ani": f"{MASK}67",
        "phone": f"PJSIP/{MASK}01",
        "ani_name": MASK,
        "detail": {"cad": MASK, "legs": [{"dnis": f"{MASK}01"}, {"leg_id": "l1"}]},
        "phones": [f"PJSIP/{MASK}01", ""],
        "pin": MASK,
        "queue": "sales",
        "number": MASK,
    }


def test_a_line_is_one_json_object_with_time_and_level() -> None:
    stream = io.StringIO()
    configure("info", stream)
    log = structlog.get_logger()
    log.debug("not_shown")
    log.warning("link_lost", pbx="ast1", reason="Zoë\r\nforged")
    line = json.loads(stream.getvalue())
    assert stream.getvalue().count("\n") == 1
    assert (line["event"], line["level"], line["pbx"], line["reason"]) == (
        "link_lost",
        "warning",
        "ast1",
        "Zoë\r\nforged",
    )
    assert line["timestamp"].endswith("Z")


def test_a_traceback_is_part_of_its_line() -> None:
    stream = io.StringIO()
    configure("info", stream)
    try:
        raise KeyError("x")
    except KeyError:
        structlog.get_logger().exception("step_failed")
    assert "KeyError: 'x'" in json.loads(stream.getvalue())["exception"]
