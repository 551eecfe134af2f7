"""The laboratory itself: a real Asterisk, real calls, a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest

from deploy.lab.asterisk import MUSIC_HZ, Asterisk
from deploy.lab.phones import Phones
from deploy.lab.redis import RedisServer
from deploy.lab.sip import Message, write_response
from deploy.lab.sipp import Sipp
from deploy.lab.softphone import Phone, RegistrationRefused, Reject, Ring
from tests.waiting import run

DIALPLAN = """
[from-trunk]
exten => 7001,1,Answer()
 same => n,MusicOnHold(default)
exten => 7002,1,Answer()
 same => n,Echo()
exten => 7003,1,Set(CONNECTEDLINE(num)=${CALLERID(num)})
 same => n,Dial(PJSIP/1001,10)
exten => 7004,1,Dial(PJSIP/4420@trunk,10)
exten => 7005,1,Answer()
 same => n,ConfBridge(room)
[from-agent]
exten => _1XXX,1,Dial(PJSIP/${EXTEN},10)
"""


@pytest.fixture(scope="module")
def pbx() -> Iterator[Asterisk]:
    with Asterisk(agents=("1001", "1002"), dialplan=DIALPLAN) as asterisk:
        yield asterisk


def test_a_caller_hears_the_music_of_a_real_asterisk(pbx: Asterisk) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            caller = await phones.caller("491701234", 1100)
            call = await caller.dial("7001")
            await call.answered()
            await call.hears(MUSIC_HZ)
            await call.hangup()

    run(scenario())


def test_a_registered_phone_rings_answers_and_both_hear_each_other(pbx: Asterisk) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            one, two = await phones.agent("1001", 700), await phones.agent("1002", 900)
            outgoing = await one.dial("1002")
            incoming = await two.next_call()
            await outgoing.answered()
            await outgoing.hears(900)
            await incoming.hears(700)
            await outgoing.hold()
            await incoming.hears(MUSIC_HZ)
            await incoming.hears_not(700)
            await outgoing.unhold()
            await incoming.hears(700)
            await incoming.hangup()
            await outgoing.ended()
            assert (outgoing.by, outgoing.cause) == ("remote", 16)

    run(scenario())


def test_digits_travel_both_ways(pbx: Asterisk) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            call = await (await phones.caller("491701234", 1100)).dial("7002")
            await call.answered()
            await call.hears(1100)
            await call.dtmf("42*")
            await call.has_digits("42*")

    run(scenario())


def test_a_phone_rejects_and_a_caller_gives_up(pbx: Asterisk) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            one, two = await phones.agent("1001", 700), await phones.agent("1002", 900)
            two.on_invite = Reject(486)
            busy = await one.dial("1002")
            await busy.ended()
            assert (busy.code, busy.cause) == (486, 17)
            await two.next_call()
            two.on_invite = Ring()
            abandoned = await one.dial("1002")
            await abandoned.ringing_seen()
            ringing = await two.next_call()
            await abandoned.hangup()
            await ringing.ended()
            assert (ringing.by, abandoned.code) == ("remote-cancel", 487)

    run(scenario())


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("491701234", "<sip:491701234@127.0.0.1>"),
        ("+491701234", "<sip:+491701234@127.0.0.1>"),
        ("49%0d%0aEvent:%20X", "<sip:0@127.0.0.1>"),
        ("alice", "<sip:127.0.0.1>"),
    ],
)
def test_the_trunk_passes_on_only_the_digits_of_a_caller(pbx: Asterisk, user: str, shown: str) -> None:
    async def scenario() -> str:
        async with Phones(pbx) as phones:
            one, caller = await phones.agent("1001", 700), await phones.caller(user)
            await caller.dial("7003")
            call = await one.next_call()
            assert call.invite
            return call.invite.get("From")

    assert run(scenario()).partition(";")[0] == shown


def test_calls_leave_through_the_carrier(pbx: Asterisk) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            carrier, caller = await phones.carrier(1300), await phones.caller("491701234", 1100)
            call = await caller.dial("7004")
            await call.answered()
            await call.hears(1300)
            far_end = await carrier.next_call()
            assert far_end.invite
            assert far_end.invite.start.startswith("INVITE sip:4420@")

    run(scenario())


def test_a_conference_mixes_everybody(pbx: Asterisk) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            tones = (500, 700, 1100)
            calls = [await (await phones.caller(f"49{tone}", tone)).dial("7005") for tone in tones]
            for tone, call in zip(tones, calls, strict=True):
                await call.answered()
                await call.hears(*(other for other in tones if other != tone), within=8)

    run(scenario())


def test_asterisk_boots_without_a_complaint(pbx: Asterisk) -> None:
    complaints = [line for line in pbx.boot_messages.splitlines() if "WARNING" in line or "ERROR" in line]
    assert complaints == []


def test_a_wrong_password_is_refused(pbx: Asterisk) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            phone = await phones.agent("1001", register=False)
            phone.password = "wrong"
            with pytest.raises(RegistrationRefused):
                await phone.register()

    run(scenario())


class Registrar(asyncio.DatagramProtocol):
    """Says yes to everybody."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[str] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        request = Message.parse(data)
        self.seen.put_nowait(f"{request.method} {request.get('Expires')}")
        self._transport.sendto(write_response(request, 200, "r"), addr)


def test_a_registration_is_renewed_before_it_is_over() -> None:
    async def scenario() -> None:
        registrar = Registrar()
        door, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: registrar, ("127.0.0.1", 0))
        phone = await Phone.create("1001", server=door.get_extra_info("sockname"))
        try:
            await phone.stay_registered(expires=1)
            for _ in range(3):
                assert await asyncio.wait_for(registrar.seen.get(), 5) == "REGISTER 1"
        finally:
            await phone.close()
            door.close()

    run(scenario())


def test_sipp_loads_the_pbx(pbx: Asterisk) -> None:
    with Sipp.callers(pbx.sip, "7002", rate=20, calls=20, hold_ms=300) as load:
        assert load.wait(20) == 0
        assert load.counts().succeeded == 20


def test_two_asterisks_live_side_by_side_and_survive_a_crash(pbx: Asterisk) -> None:
    with Asterisk(dialplan=DIALPLAN) as other:
        assert other.sip != pbx.sip
        other.kill()
        assert not other.is_running
        other.start()
        assert "0 active calls" in other.cli("core show channels count")
        other.freeze()
    assert not other.is_running
    assert not other.directory.exists()


@pytest.mark.parametrize("unix_socket", [False, True])
def test_redis_keeps_its_data_over_a_crash(unix_socket: bool) -> None:
    with RedisServer(appendfsync="always", unix_socket=unix_socket) as server:
        assert server.command("SET", "key", "value") == b"+OK"
        server.kill()
        assert not server.is_running
        assert server.command("PING") == b""
        server.start()
        assert server.command("STRLEN", "key") == b":5"
        server.restart()
        assert server.command("STRLEN", "key") == b":5"
