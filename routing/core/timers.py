"""Keys of the deadlines that the core sets.

A key says what is due; the deadline itself is an absolute time in the state.
"""

from __future__ import annotations

from enum import StrEnum


class Due(StrEnum):
    """`OFFER`: an offer rings out. `RELAX`: the next relaxation step. `WAIT`: maximum wait. `SKIP`: a skip is over.

    `WRAP_UP`: wrap-up is over. `ROOMS`: ask again for rooms that the PBX refused. `RECORDING`: a pause is over.
    `RECORDER`: ask again for what the PBX refused to do with a recording. `LOOK_UP`: the answer is late.
    `PROMPT`: prompts or a message that nothing was heard of. `ANNOUNCE`: the next announcement; `PREFER`: the wait for
    the preferred agent is over. `MARK`: tell the leg of who waits his place anew. `CALLBACK`: a callback's rest is
    over; `EXPIRE`: it is given up. Of campaigns: `PREVIEW`: a record before an agent is dialed, or taken away;
    `CHECK` (of a record's id): the do-not-call answer is late; `REACHED`: an answered call has had its time without an
    agent; `MACHINE`: the verdict is late; `DROP`: the message has had its time; `DUE_CALLBACK` (of a record's id): a
    personal callback has waited long enough for its agent. `SUPERVISE`: a supervisor's telephone has rung long enough.
    """

    OFFER = "offer"
    RELAX = "relax"
    WAIT = "wait"
    SKIP = "skip"
    WRAP_UP = "wrap_up"
    ROOMS = "rooms"
    RECORDING = "recording"
    RECORDER = "recorder"
    LOOK_UP = "look_up"
    PROMPT = "prompt"
    ANNOUNCE = "announce"
    PREFER = "prefer"
    MARK = "mark"
    CALLBACK = "callback"
    EXPIRE = "expire"
    PREVIEW = "preview"
    CHECK = "check"
    REACHED = "reached"
    MACHINE = "machine"
    DROP = "drop"
    DUE_CALLBACK = "due_callback"
    SUPERVISE = "supervise"


# Deadlines of a wait in a queue; none of them outlives it.
OF_A_WAIT = (Due.RELAX, Due.WAIT, Due.ANNOUNCE, Due.PREFER, Due.MARK)


def key(due: Due, interaction_id: str, agent_id: str = "") -> str:
    """`due:interaction:agent`; ids hold no colon."""
    return f"{due.value}:{interaction_id}:{agent_id}"


def parse(text: str) -> tuple[Due, str, str]:
    """The inverse of `key`. Raises ValueError for anything else."""
    due, interaction_id, agent_id = text.split(":")
    return Due(due), interaction_id, agent_id
