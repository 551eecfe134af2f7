"""A campaign on a real PBX that runs, with its agents' telephones and desks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from deploy.lab.campaign import CAMPAIGN, CampaignSite, Desks
from deploy.lab.people import order
from deploy.lab.policies import Answer
from routing.core.campaign import CampaignTrigger
from routing.core.orders import ControlCampaign, JoinCampaign
from tests.system.center import Center


@asynccontextmanager
async def staffed(site: CampaignSite, agents: Sequence[str]) -> AsyncIterator[tuple[Center, Desks]]:
    """A running campaign whose agents have joined, with their telephones and desks."""
    center_ = Center(site)
    desks = Desks(center_.store)
    try:
        for number in agents:
            await center_.agent(number, Answer(after=0.05))
        await center_.when_free(agents)
        for action in (CampaignTrigger.LOAD, CampaignTrigger.START):
            reply = await order(center_.store, ControlCampaign, campaign=CAMPAIGN, action=action)
            assert reply.code == "ok", reply
        for number in agents:
            reply = await order(center_.store, JoinCampaign, campaign=CAMPAIGN, agent_id=f"a{number}")
            assert reply.code == "ok", reply
        task = asyncio.create_task(desks.run())
        try:
            yield center_, desks
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    finally:
        await center_.close()
