"""Calls steered through the REST API on a real PBX, as a CRM system does it: who hears whom, judged by ear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from deploy.lab.call import Call
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer, Policy, Ring
from deploy.lab.recorded import passages
from deploy.lab.rest import Rest, start_api
from deploy.lab.sip import uri_of
from deploy.lab.site import Site, center
from tests.system.center import MUSIC_HZ, Center, tone_of

NUMBERS = ["1001", "1002", "1003"]
PAUSE_S = 2
CUSTOMER_HZ = 2500
TYPED, DIALED = "+1 (201) 555-0123", "+12015550123"
SALES, DEFAULT = "+12015550101", "+12015550100"
RULES = f"""[profiles.default]
record = true
dial = {{ allowed = ["+1"] }}
outdial = true
dial_pad = true
outdial_anis = {{ Sales = "{SALES}" }}
[calls]
recording_pause_s = {PAUSE_S}
[numbers]
country = "1"
[outdial]
entry_point = "main"
default_ani = "{DEFAULT}"
"""
CAD = """[entry_points.help.cad.region]
label = "Region"
[cad.number]
label = "Number"
type = "integer"
"""
ONE, TWO = "a1001", "a1002"


def files() -> dict[str, str]:
    found = center(NUMBERS, ring_timeout_s=5, wrap_up='{ timeout_s = 60, default_reason = "Done" }')
    found["floor.toml"] = found["floor.toml"].replace("[profiles.default]\n", RULES) + CAD
    return found


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    with Site(NUMBERS, files(), pbx=pbx) as running:
        yield running


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    return start_api(site)


class Desk:
    """A caller with agent 1, a second agent who is free, a customer behind the trunk, and the API in between."""

    def __init__(self, site: Site, rest: Rest) -> None:
        self.site, self.rest, self.c = site, rest, Center(site)
        self.customers: list[Call] = []
        self.carrier: Phone
        self.caller: Call
        self.id = ""

    async def open(self) -> None:
        """Telephones without calls; agent 1 is available."""
        pbx = self.site.pbx
        self.carrier = await Phone.create("carrier", pbx.sip, "", CUSTOMER_HZ, pbx.carrier_port)
        self.customer_does(Answer(after=0.3))
        await self.sign_in("1001")

    def customer_does(self, policy: Policy) -> None:
        async def invited(call: Call) -> None:
            self.customers.append(call)
            await policy(call)

        self.carrier.on_invite = invited

    async def sign_in(self, number: str, policy: Policy | None = None) -> None:
        await self.c.agent(number, policy, sign_in=False)
        await self.c.when_free([number])
        await self.rest.post(f"agents/a{number}/sign-in")

    async def talk(self) -> None:
        """A caller whom agent 1 has taken, and agent 2 who is free."""
        self.caller = await self.c.caller()
        self.id = await self.only("connected")
        await self.hear_each_other(self.caller, self.phone("1001"))
        await self.sign_in("1002")

    async def only(self, state: str) -> str:
        """The one live interaction, once it is in that state and the PBX has confirmed it."""
        found: list[Any] = []
        for _ in range(200):
            found = [i for i in (await self.rest.get("interactions"))["items"] if i["is_confirmed"]]
            if [i["state"] for i in found] == [state]:
                return str(found[0]["id"])
            await asyncio.sleep(0.05)
        raise AssertionError([(i["state"], i["offers"]) for i in found])

    async def reaches(self, state: str) -> Any:
        for _ in range(200):
            shown = await self.rest.get(f"interactions/{self.id}")
            if shown["state"] == state and shown["is_confirmed"]:
                return shown
            await asyncio.sleep(0.05)
        raise AssertionError(f"{shown['state']}, not {state}")

    async def do(self, verb: str, by: str = ONE, **body: Any) -> Any:
        return await self.rest.do(self.id, verb, by, **body)

    def phone(self, number: str) -> Call:
        return self.c.calls_of[number]

    async def hear_each_other(self, *calls: Call) -> None:
        for call in calls:
            await call.hears(*(tone_of(other) for other in calls if other is not call))
            await call.hears_not(MUSIC_HZ)

    async def consult(self) -> None:
        await self.do("consults", to={"type": "agent", "id": TWO})
        await self.reaches("consulting")

    async def close(self) -> None:
        await asyncio.gather(*(p.close() for p in (*self.c.callers, self.carrier)), return_exceptions=True)
        await self.c.when(lambda s: not s.interactions, 15)
        for number in self.c.agents:
            for shown in (await self.rest.get(f"agents/a{number}/interactions"))["items"]:
                await self.rest.do(shown["id"], "wrap-up", f"a{number}")
            await self.rest.post(f"agents/a{number}/sign-out")
        await self.c.close()


def play(site: Site, token: str, scene: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    async def evening() -> None:
        async with Rest(site.api_url, token) as rest:
            desk = Desk(site, rest)
            try:
                await asyncio.wait_for(desk.open(), 20)
                await asyncio.wait_for(scene(desk), 50)
            finally:
                await desk.close()

    asyncio.run(evening())


@pytest.mark.req("HOLD-02", "HOLD-03", "HOLD-04")
def test_an_answer_to_hold_and_resume_means_that_it_is_heard(site: Site, token: str) -> None:
    async def scene(d: Desk) -> None:
        await d.talk()
        held = await d.do("hold")
        assert (held["is_confirmed"], held["status"], "end" in held["allowed_actions"]) == (True, "on hold", False)
        await d.caller.hears(MUSIC_HZ)
        await d.phone("1001").quiet()
        assert (await d.do("resume"))["is_confirmed"]
        await d.hear_each_other(d.caller, d.phone("1001"))

    play(site, token, scene)


@pytest.mark.req("HOLD-06", "HOLD-07", "CONF-02", "CONSROLE-07")
def test_consult_toggle_conference_and_hand_over(site: Site, token: str) -> None:
    async def scene(d: Desk) -> None:
        await d.talk()
        await d.consult()
        one, two = d.phone("1001"), d.phone("1002")
        await d.hear_each_other(one, two)
        await d.caller.hears(MUSIC_HZ)
        await d.do("resume")
        await d.hear_each_other(d.caller, one)
        await two.hears(MUSIC_HZ)
        await d.do("consults/current/resume")
        await d.hear_each_other(one, two)
        await d.do("consults/current/conference")
        await d.hear_each_other(d.caller, one, two)
        handed = await d.do("conferences/current/transfer")
        assert [party["agent_id"] for party in handed["parties"]] == [TWO]
        await one.ended()
        await d.hear_each_other(d.caller, two)

    play(site, token, scene)


@pytest.mark.req("CONF-07", "CONFROLE-12")
def test_an_instant_conference_does_not_hold_the_customer(site: Site, token: str) -> None:
    async def scene(d: Desk) -> None:
        await d.talk()
        d.c.set_policy("1002", Answer(after=0.7))
        await d.do("conferences", to={"type": "agent", "id": TWO})
        await d.caller.hears(tone_of(d.phone("1001")))
        await d.reaches("conference")
        await d.hear_each_other(d.caller, d.phone("1001"), d.phone("1002"))
        await d.do("conferences/current/exit", TWO)
        await d.phone("1002").ended()
        await d.hear_each_other(d.caller, d.phone("1001"))

    play(site, token, scene)


@pytest.mark.req("XFER-02", "XFER-11", "EP-03", "EP-07")
@pytest.mark.parametrize("kind", ["agent", "queue", "entry_point"])
def test_a_transfer_reaches_its_target_with_the_call_data(site: Site, token: str, kind: str) -> None:
    async def scene(d: Desk) -> None:
        await d.talk()
        before = await d.rest.get(f"interactions/{d.id}/cad")
        saved = await d.rest.send(
            "PATCH",
            f"interactions/{d.id}/cad?agent_id={ONE}",
            {"number": "42"},
            **{"If-Match": f'"{before["version"]}"'},
        )
        assert saved.status_code == 200, saved.text
        target = TWO if kind == "agent" else "help"
        told = await d.do("transfers", to={"type": kind, "id": target})
        assert "finish_wrap_up" in told["allowed_actions"]
        await d.phone("1001").ended()
        if kind == "agent":
            taker = "1002"
        else:
            await d.caller.hears(MUSIC_HZ)
            assert (await d.rest.do(d.id, "wrap-up", ONE, reason="Done"))["allowed_actions"] == []
            taker = "1003"
            await d.sign_in(taker)
        shown = await d.reaches("connected")
        await d.hear_each_other(d.caller, d.phone(taker))
        assert [party["agent_id"] for party in shown["parties"]] == [f"a{taker}"]
        values = shown["cad"]["variables"]
        assert (values["number"], values["customer_id"]) == ("42", d.caller.phone.user)
        assert d.c.rung["1001"] == 1, "never back to the sender"

    play(site, token, scene)


@pytest.mark.req("XFER-02", "DIAL-02")
def test_a_transfer_to_a_number_joins_customer_and_outside_party(site: Site, token: str) -> None:
    async def scene(d: Desk) -> None:
        await d.talk()
        await d.do("transfers", to={"type": "number", "number": TYPED})
        shown = await d.reaches("connected")
        assert shown["parties"][0]["number"] == DIALED
        await d.phone("1001").ended()
        await d.hear_each_other(d.caller, d.customers[-1])

    play(site, token, scene)


@pytest.mark.req("REC-04", "REC-05", "REC-07")
def test_a_paused_recording_is_silent_until_it_resumes_by_itself(site: Site, token: str) -> None:
    async def scene(d: Desk) -> None:
        await d.talk()
        await asyncio.sleep(1.0)  # real time has to pass in the file
        paused = (await d.do("recording/pause"))["recording"]
        assert (paused["state"], paused["resume_at"] > paused["since"]) == ("paused", True)
        await d.c.when(lambda s: s.interactions[d.id].recording.state.value == "recording", PAUSE_S + 3)
        assert (await d.rest.get(f"interactions/{d.id}"))["recording"]["state"] == "recording"
        await asyncio.sleep(1.5)
        tones = [tone_of(d.caller), tone_of(d.phone("1001"))]
        (first, *_) = (await d.c.state()).interactions[d.id].parties
        await d.do("end")
        await asyncio.gather(d.caller.ended(), d.phone("1001").ended())
        path = site.node.recording(first.recording)
        heard = [p for p in await asyncio.to_thread(passages, path, tones) if p[1] > 0.4]
        assert [set(tones_) for tones_, _ in heard] == [set(tones), set(), set(tones)]
        assert heard[1][1] > PAUSE_S - 0.4

    play(site, token, scene)


@pytest.mark.req("ACT-02")
def test_digits_arrive_at_the_customers_telephone(site: Site, token: str) -> None:
    async def scene(d: Desk) -> None:
        await d.talk()
        await d.do("digits", digits="42#")
        await d.caller.has_digits("42#", within=4)

    play(site, token, scene)


@pytest.mark.req("END-02", "XFER-11")
def test_end_releases_both_and_a_reason_frees_the_agent(site: Site, token: str) -> None:
    async def scene(d: Desk) -> None:
        await d.talk()
        assert (await d.do("end"))["state"] == "ended"
        await asyncio.gather(d.caller.ended(), d.phone("1001").ended())
        assert (await d.rest.get(f"agents/{ONE}"))["state"] == "wrap_up"
        await d.do("wrap-up", reason="Call back")
        await d.c.when_agent("1001", "available")

    play(site, token, scene)


@pytest.mark.req("API-03", "OUT-08", "OUT-12", "OUT-13")
@pytest.mark.parametrize(("ani", "shown"), [(SALES, SALES), (None, DEFAULT)])
def test_the_same_key_sent_three_times_dials_once_with_the_chosen_number(
    site: Site, token: str, ani: str | None, shown: str
) -> None:
    async def scene(d: Desk) -> None:
        body = {"agent_id": ONE, "number": TYPED, "ani": ani}
        key = f"once-{shown}"
        answers = [await d.rest.send("POST", "outdials", body, key) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 202], answers[0].text
        assert answers[0].json() == answers[1].json()
        d.id = answers[0].json()["id"]
        await d.reaches("connected")
        await d.hear_each_other(d.phone("1001"), d.customers[0])
        invite = d.customers[0].invite
        assert invite is not None
        assert shown in uri_of(invite.get("From")).replace("%2B", "+")
        await d.do("end")
        await d.do("wrap-up", reason="Done")
        await d.c.when_free(["1001"])
        again = await d.rest.send("POST", "outdials", body, key)
        assert (again.status_code, again.json()["id"]) == (202, d.id)
        assert (await d.rest.get("interactions"))["items"] == []
        assert (d.c.rung["1001"], len(d.customers)) == (1, 1)

    play(site, token, scene)


@pytest.mark.req("OUT-15")
def test_an_outdial_that_rings_is_given_up(site: Site, token: str) -> None:
    async def scene(d: Desk) -> None:
        d.customer_does(Ring())
        begun = await d.rest.post("outdials", {"agent_id": ONE, "number": TYPED}, 202)
        d.id = begun["id"]
        await d.reaches("calling_customer")
        assert (await d.do("cancel"))["result"] == "cancelled"
        await d.phone("1001").ended()

    play(site, token, scene)
