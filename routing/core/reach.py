"""Which telephones a PBX can ring: its own, and over a trunk those of another one. Pure, from the configuration.

An interaction lives on the PBX of its customer's leg and every leg of it is dialed there; so an agent of another PBX
takes part where a trunk leads to that PBX, and nowhere else.
"""

from __future__ import annotations

from typing import Protocol

from routing.core.config import Config
from routing.core.declarations import Requirement


class Telephone(Protocol):
    """An agent's or a supervisor's, in the configuration."""

    @property
    def pbx(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def extension(self) -> str: ...


# In matching, what a caller's PBX reaches is a requirement as any skill is; no skill of the configuration begins so.
MARK = "@"


def is_in_reach(config: Config, from_pbx: str, of_pbx: str) -> bool:
    """Whether calls on `from_pbx` can ring telephones of `of_pbx`."""
    pbx = config.pbxs.get(from_pbx)
    return from_pbx == of_pbx or (pbx is not None and bool(pbx.trunks.get(of_pbx)))


def dial_string(config: Config, from_pbx: str, agent: Telephone) -> str:
    """How `from_pbx` rings this telephone; empty where it is out of reach."""
    if from_pbx == agent.pbx:
        return agent.phone
    pbx = config.pbxs.get(from_pbx)
    template = pbx.trunks.get(agent.pbx, "") if pbx else ""
    return template.replace("{number}", number_of(agent))


def number_of(agent: Telephone) -> str:
    """The number under which other PBXs dial this telephone: the one that is given, else that of its address.

    `PJSIP/1001`, `user/1001@pbx.example` and `sofia/gateway/branch/1001` -> `1001`.
    """
    if agent.extension:
        return agent.extension
    user = agent.phone.rpartition("/")[2].removeprefix("sip:")
    return user.partition("@")[0] or user


class Reach:
    """What the callers of each PBX ask for and the agents of each PBX have, so that those meet who can.

    PBXs that reach the same agents share a requirement, named by what they reach (`@ast1,fs1`); callers who reach every
    agent that there is have none. So a full mesh of trunks costs matching nothing, and nothing else decides about the
    order of calls and agents.
    """

    def __init__(self, config: Config) -> None:
        staffed = sorted({agent.pbx for agent in config.agents.values()})
        self._needed: dict[str, Requirement] = {}
        self._given: dict[str, dict[str, int]] = {pbx: {} for pbx in staffed}
        for pbx in config.pbxs:
            reached = [other for other in staffed if is_in_reach(config, pbx, other)]
            if reached == staffed:
                continue
            name = MARK + ",".join(reached)
            self._needed[pbx] = ((name, 1),)
            for other in reached:
                self._given[other][name] = 1

    def required(self, requires: Requirement, pbx: str) -> Requirement:
        """What a call on this PBX asks of an agent, besides what its queue does."""
        needed = self._needed.get(pbx)
        return tuple(sorted((*requires, *needed))) if needed else requires

    def skilled(self, skills: Requirement, pbx: str) -> Requirement:
        """What an agent of this PBX has, besides his skills."""
        given = self._given.get(pbx)
        return tuple(sorted((*skills, *given.items()))) if given else skills
