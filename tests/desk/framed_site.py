"""A centre whose desk is framed by a CRM of another site: what tests of that share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from deploy.lab.redis import RedisServer
from routing.api.principal import Scope
from routing.app.settings import ApiSettings, DeskSettings
from telephony.simulated.habits import Answers
from tests.desk.browser import served
from tests.desk.crm_page import certificate, crm_server, tls
from tests.desk.live_doors import LiveDoors, live_doors
from tests.integration.control_config import CUSTOMER, configuration
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Framing:
    """`desk`, `crm`, `portal`, `evil`: origins; the last one may not hold the desk. `key` may open frames."""

    live: LiveDoors
    desk: str
    port: int
    key: str

    @property
    def crm(self) -> str:
        return f"https://crm.example:{self.port}"

    @property
    def evil(self) -> str:
        return f"https://evil.example:{self.port}"

    @property
    def portal(self) -> str:
        return f"https://portal.example:{self.port}"

    def address(self, agent_id: str = "anna", *origins: str) -> str:
        """As the CRM's server gets it."""
        real, port = self.desk.replace("desk.example", "127.0.0.1"), self.desk.rpartition(":")[2]
        headers = {"Authorization": f"Bearer {self.key}", "Host": f"desk.example:{port}"}
        body = {"agent_id": agent_id, "origins": origins}
        answer = httpx.post(f"{real}/v1/desk-tokens", json=body, headers=headers, verify=False, trust_env=False)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["url"])

    def rests(self) -> None:
        """Anna is available and has no call."""
        site, everything = self.live.site, self.live.doors.key(tenant=self.live.tenant)
        pbx = site.exchange.pbx
        for channel in [*pbx.channels.values()]:
            site.exchange.do(partial(pbx.hang_up, channel))
        wait_until(lambda: not pbx.channels)
        for call in site.get("agents/anna/interactions", everything)["items"]:
            site.reaches(call["id"], "ended")
            if site.call_data(call["id"]).parties:
                site.do(call["id"], "wrap-up", everything, agent_id="anna", reason="done")
        if self.state() == "logged_out":
            site.sign_in("anna")
        site.free("anna")

    def idles(self) -> None:
        """Somebody else has made anna idle."""
        everything = self.live.doors.key(tenant=self.live.tenant)
        self.live.site.put("agents/anna/state", {"state": "idle", "reason": "break"}, everything)

    def ends_session(self) -> None:
        """Of everybody, as when nobody has used it for `api.session_s`."""
        redis = self.live.doors.services.redis
        for kept in redis.keys("sr:session:*"):
            redis.delete(kept)

    def state(self) -> str:
        """Anna's, as everybody sees it."""
        return str(self.live.site.front.load().agents["anna"].shown_state)


@contextmanager
def framed_center(redis: RedisServer, directory: Path, tenant: str) -> Iterator[Framing]:
    file = certificate(directory)
    with crm_server(file) as port:
        origins = (f"https://crm.example:{port}", f"https://portal.example:{port}")
        api = ApiSettings(desk=DeskSettings(frame_origins=origins))
        with (
            live_doors(redis, configuration(tenant), directory, api) as live,
            served(live.site, tls(file)) as desk,
        ):
            live.site.outside(CUSTOMER, Answers())
            yield Framing(live, desk, port, live.doors.key(Scope.DESK_EMBED, tenant=live.tenant))
