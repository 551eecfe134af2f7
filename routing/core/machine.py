"""What becomes of a call when it is known whether a person or an answering machine has answered it."""

from __future__ import annotations

from routing.core.facts import MachineDetected
from routing.core.world import World


def detected(world: World, fact: MachineDetected) -> None:
    """The verdict on a leg; nobody asks for one yet."""
