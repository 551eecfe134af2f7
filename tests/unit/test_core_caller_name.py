"""What a caller says he is called is text of a stranger, which stands on the pages of agents and supervisors."""

from __future__ import annotations

import pytest

from routing.core.arrivals import caller_name


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Carla Adams", "Carla Adams"),
        ("  Carla\r\n Adams\t", "Carla Adams"),
        ("\u202e3410 555 102 1+\u202c", "3410 555 102 1+"),
        ("Car\u200bla\ufeff", "Carla"),
        ("\u2066Ada\u2069\x00\x1b[31m", "Ada [31m"),
        ("محمد \u200f", "محمد"),
        ("क्\u200dष 👩\u200d🚀", "क्\u200dष 👩\u200d🚀"),
        ("N" * 5000, "N" * 128),
        ("", ""),
    ],
)
def test_a_callers_name_is_one_short_line_without_what_is_not_seen(written: str, shown: str) -> None:
    assert caller_name(written) == shown
