"""Life around the player of `deploy/demo --stay`: callers, campaigns with lists, contacts, colleagues who work."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from deploy.lab.answerers import Answerers
from deploy.lab.call import Call
from deploy.lab.people import AgentAtWork, Caller, Floor, Habits, order
from deploy.lab.policies import Ring
from deploy.lab.site import ROOT, Site
from routing.core.agent import EngagementState
from routing.core.interaction import Interaction
from routing.core.orders import Dispose, JoinCampaign, MarkDone
from routing.core.world import WorldState
from routing.store.port import Store

PLAYER = "anna"
LISTS = ROOT / "deploy" / "example" / "lists"
PREDICTIVE, PREVIEW = "renewal", "check_up"
NUMBERS = ("7001", "7003", "7001", "7002")
GAP_S = 16.0  # between two callers
CUSTOMERS = 700  # on the list of the campaign that dials by itself
TALK_S = (15.0, 40.0)
# Last four digits of its numbers, as deploy.lab.answerers has them, by how often they occur.
ENDS, WEIGHTS = ("0", "1", "2", "8", "9"), (62, 12, 18, 4, 4)
FIRST = ("Ada", "Boris", "Carmen", "Daniel", "Elif", "Frank", "Gita", "Henrik", "Ines", "Jonas", "Karin", "Liam")
LAST = ("Abbott", "Berg", "Chen", "Diaz", "Eriksen", "Fuchs", "Greco", "Hughes", "Ito", "Jensen", "Kaya", "Lopez")
CONTACTS = (
    ("C-0142", "Carl Bishop", "+12015550142", "carl.bishop@example.com"),
    ("C-0123", "Carla Adams", "+12015550123", "carla.adams@example.com"),
    ("C-0131", "Bruno Costa", "+12015550131", "bruno.costa@example.com"),
    ("C-0148", "Fatima Haddad", "+12015550148", "fatima.haddad@example.com"),
)
BOOK = (
    ("Router workshop", "+12015550190"),
    ("Night watch", "+12015550191"),
    ("Translator, Polish", "+12015550192"),
)


def noon_zone(now: datetime) -> str:
    """The zone in which it is about noon, so that a campaign may call whenever the demo is started."""
    east = 12 - now.hour
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


def customers(count: int, chance: random.Random) -> str:
    """A list as CSV; what each customer does with a call stands in his number."""
    rows = ["id,name,phone,contract"]
    ends = chance.choices(ENDS, WEIGHTS, k=count)
    for at, (end, rest) in enumerate(zip(ends, chance.sample(range(200, 1000), count), strict=True)):
        name = f"{FIRST[at % len(FIRST)]} {LAST[at // len(FIRST) % len(LAST)]}"
        rows.append(f"R-{at:04},{name},+1 201 555 {end}{rest:03},{chance.choice(('Home 16', 'Home 50', 'Office 100'))}")
    return "\n".join(rows) + "\n"


class Player(AgentAtWork):
    """Rings long enough to be looked at, and lets each fourth caller ring in vain."""

    answer_s = 5.0

    def __init__(self, other: AgentAtWork) -> None:
        super().__init__(other.id, other.phone, other.store, other.habits)
        self._offers = itertools.count(1)

    async def _invited(self, call: Call) -> None:
        call.ringing()
        if await self._is_offered_a_caller() and next(self._offers) % 4 == 0:
            await Ring()(call)
            return
        await asyncio.sleep(self.answer_s)
        call.answer()

    async def _is_offered_a_caller(self) -> bool:
        state, _ = await self.store.load()
        if state is None or self.id not in state.agents:
            return False
        offered = [
            state.interactions[e.interaction_id].kind
            for e in state.agents[self.id].engagements.values()
            if e.state is EngagementState.OFFERED and e.interaction_id in state.interactions
        ]
        return "inbound" in offered


class Guest(Caller):
    """Talks to the player for as long as she likes, to her colleagues as long as he has to."""

    def __init__(self, site: Site, number: str, ani: str, store: Store) -> None:
        super().__init__(site, number, ani, Habits(talk_s=TALK_S))
        self._store = store

    async def _talk(self, call: Call) -> None:
        while True:
            try:
                await super()._talk(call)
                return
            except TimeoutError:
                if not await self._is_with_the_player():
                    raise

    async def _is_with_the_player(self) -> bool:
        state, _ = await self._store.load()
        mine = [i for i in state.interactions.values() if i.ani == self.story.ani] if state else []
        return any(party.agent_id == PLAYER for one in mine for party in one.parties)


class Bustle:
    """From `open` to `close`; `open` returns when the campaigns run."""

    def __init__(self, site: Site, floor: Floor, store: Store) -> None:
        self._site, self._floor, self._store = site, floor, store
        self._answerers = Answerers(site.pbx)
        self._tasks: list[asyncio.Task[None]] = []
        self._until: dict[str, float] = {}
        self._chance = random.Random(11)

    async def open(self, access: Mapping[str, str]) -> None:
        """`access`: variables with an API key that may everything."""
        await self._answerers.start()
        if PLAYER in self._floor.people:
            self._floor.people[PLAYER] = Player(self._floor.people[PLAYER])
        await self._tell_who_is_who(access)
        await asyncio.to_thread(self._begin_campaigns)
        for agent_id in self._colleagues:
            await order(self._store, JoinCampaign, agent_id=agent_id, campaign=PREDICTIVE)
        self._tasks = [asyncio.create_task(work) for work in (self._call_in(), self._work_campaign())]

    @property
    def _colleagues(self) -> list[str]:
        """Those who work the campaign that dials by itself; the others take calls."""
        return [agent_id for agent_id in ("dan", "eva", "finn") if agent_id in self._floor.people]

    async def _tell_who_is_who(self, access: Mapping[str, str]) -> None:
        headers = {"Authorization": f"Bearer {access['SWITCHROOM_API_KEY']}"}
        async with httpx.AsyncClient(base_url=f"{self._site.api_url}/v1", headers=headers, trust_env=False) as api:
            for external_id, name, number, mail in CONTACTS:
                channels = [{"kind": "phone", "value": number}, {"kind": "email", "value": mail}]
                await self._add(api, "contacts", {"name": name, "external_id": external_id, "channels": channels})
            for name, number in BOOK:
                await self._add(api, "address-book", {"name": name, "number": number})

    async def _add(self, api: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> None:
        (await api.post(path, json=body, headers={"Idempotency-Key": uuid4().hex})).raise_for_status()

    def _begin_campaigns(self) -> None:
        dialed = self._site.directory / f"{PREDICTIVE}.csv"
        dialed.write_text(customers(CUSTOMERS, self._chance), encoding="utf-8")
        zone = noon_zone(datetime.now(UTC))
        for campaign, file in ((PREVIEW, LISTS / f"{PREVIEW}.csv"), (PREDICTIVE, dialed)):
            self._import(campaign, file, zone)
            self._site.switchroom("campaign", "load", campaign)
            self._site.switchroom("campaign", "start", campaign)

    def _import(self, campaign: str, file: Path, zone: str) -> None:
        self._site.switchroom("list", "import", str(file), "--campaign", campaign, "--time-zone", zone)

    async def _call_in(self) -> None:
        calls: set[asyncio.Task[object]] = set()
        try:
            for n in itertools.count():
                ani = CONTACTS[n // 6 % len(CONTACTS)][2] if n % 6 == 0 else f"+1201555{200 + n % 700:04d}"
                call: asyncio.Task[object] = asyncio.create_task(
                    Guest(self._site, NUMBERS[n % len(NUMBERS)], ani, self._store).live()
                )
                calls.add(call)
                call.add_done_callback(calls.discard)
                await asyncio.sleep(GAP_S)
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def _work_campaign(self) -> None:
        """Colleagues end their talks with contacts, with a result, after a while; all others end by the caller."""
        while True:
            with suppress(TimeoutError, OSError):
                state, _ = await self._store.load()
                for agent_id, talk in self._talks(state) if state else ():
                    await self._end(agent_id, talk)
            await asyncio.sleep(0.5)

    def _talks(self, state: WorldState) -> list[tuple[str, Interaction]]:
        found = (
            (agent_id, state.interactions.get(engagement.interaction_id))
            for agent_id in self._colleagues
            for engagement in state.agents[agent_id].engagements.values()
            if engagement.state is EngagementState.CONNECTED
        )
        return [(agent_id, talk) for agent_id, talk in found if talk and talk.kind == "campaign"]

    async def _end(self, agent_id: str, talk: Interaction) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s < self._until.setdefault(talk.id, now_s + self._chance.uniform(*TALK_S)):
            return
        code = self._chance.choice(("renewed", "renewed", "ends"))
        await order(self._store, Dispose, agent_id=agent_id, interaction_id=talk.id, codes=(code,))
        await order(self._store, MarkDone, agent_id=agent_id, interaction_id=talk.id, wrap_up_reason="Done")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._answerers.close()
