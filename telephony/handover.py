"""What dialplans say when they hand a call over or an agent dials a feature code, alike on every PBX. Pure."""

from __future__ import annotations

import re

MAX_NAMES = 500
# A longer value is not taken over: an Asterisk dialplan could not even send it.
MAX_CAD_BYTES = 1024
FEATURES = frozenset({"sign_in", "sign_out", "available", "idle", "wrap_up_done"})
# The option which names the CAD whose values were too long.
TOO_LONG = "cad_too_long"

_SEPARATORS = re.compile("[&,]")


def options_of(text: str) -> dict[str, str]:
    """`priority=7&requires=german:5+vip:1` as a dictionary; a plus stands for a comma, which ends an argument there."""
    pairs = (part.partition("=") for part in _SEPARATORS.split(text) if part)
    return {name: value.replace("+", ",") for name, separator, value in pairs if separator and name}
