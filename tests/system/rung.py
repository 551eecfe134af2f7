"""Telephones that nobody takes up, and the order in which they ring."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.lab.call import Call
from deploy.lab.policies import Policy, Ring
from tests.system.center import Center
from tests.waiting import until


class Rung:
    """`order`: who rang, since the last caller."""

    def __init__(self, center: Center, numbers: Sequence[str]) -> None:
        self._center, self._numbers = center, numbers
        self.order: list[str] = []

    async def telephones(self) -> None:
        for number in self._numbers:
            await self._center.agent(number, Ring(), sign_in=False)
            self._center.agents[number].on_invite = self._policy(number)

    def _policy(self, number: str) -> Policy:
        async def invited(call: Call) -> None:
            self.order.append(number)
            call.ringing()

        return invited

    async def by(self, caller: Call, count: int) -> list[str]:
        """The first `count` who ring for this caller, who then hangs up."""
        del self.order[:]
        await until(lambda: len(self.order) >= count, 40.0)
        found = self.order[:count]
        await caller.hangup()
        return found
