"""Keys of the deadlines that the core sets.

A key says what is due; the deadline itself is an absolute time in the state.
"""

from __future__ import annotations

from enum import StrEnum


class Due(StrEnum):
    """`OFFER`: an offer rings out. `RELAX`: the next relaxation step. `WAIT`: maximum wait. `SKIP`: a skip is over.

    `WRAP_UP`: wrap-up is over. `ROOMS`: ask again for rooms that the PBX refused. `RECORDING`: a pause is over.
    `RECORDER`: ask again for what the PBX refused to do with a recording.
    """

    OFFER = "offer"
    RELAX = "relax"
    WAIT = "wait"
    SKIP = "skip"
    WRAP_UP = "wrap_up"
    ROOMS = "rooms"
    RECORDING = "recording"
    RECORDER = "recorder"


def key(due: Due, interaction_id: str, agent_id: str = "") -> str:
    """`due:interaction:agent`; ids hold no colon."""
    return f"{due.value}:{interaction_id}:{agent_id}"


def parse(text: str) -> tuple[Due, str, str]:
    """The inverse of `key`. Raises ValueError for anything else."""
    due, interaction_id, agent_id = text.split(":")
    return Due(due), interaction_id, agent_id
