"""The laboratory's FreeSWITCH itself: telephones, callers, the trunk, and the ways it can break."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.freeswitch import MUSIC_HZ, FreeSwitch
from deploy.lab.phones import Phones
from deploy.lab.process import ProcessFailed
from deploy.lab.programs import FreeSwitchNotInstalled, find_freeswitch
from deploy.lab.softphone import RegistrationRefused
from tests.system.freeswitch_calls import CALLER, needs_freeswitch
from tests.waiting import run, wait_until

DIALPLAN = r"""
<context name="from-trunk">
  <extension name="music">
    <condition field="destination_number" expression="^7001$">
      <action application="answer"/>
      <action application="endless_playback" data="local_stream://moh"/>
    </condition>
  </extension>
  <extension name="echo">
    <condition field="destination_number" expression="^7002$">
      <action application="answer"/>
      <action application="echo"/>
    </condition>
  </extension>
  <extension name="agent">
    <condition field="destination_number" expression="^7003$">
      <action application="bridge" data="user/1001"/>
    </condition>
  </extension>
  <extension name="outside">
    <condition field="destination_number" expression="^7004$">
      <action application="bridge" data="sofia/gateway/trunk/+12015550123"/>
    </condition>
  </extension>
</context>
<context name="from-agent">
  <extension name="colleague">
    <condition field="destination_number" expression="^(1\d\d\d)$">
      <action application="bridge" data="user/$1"/>
    </condition>
  </extension>
</context>
"""


@pytest.fixture(scope="module")
def pbx() -> Iterator[FreeSwitch]:
    with FreeSwitch(agents=("1001", "1002"), dialplan=DIALPLAN) as freeswitch:
        yield freeswitch


def test_without_a_freeswitch_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWITCHROOM_FREESWITCH", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FreeSwitchNotInstalled, match="SWITCHROOM_FREESWITCH"):
        find_freeswitch()


@needs_freeswitch
def test_a_caller_hears_the_music_of_a_real_freeswitch(pbx: FreeSwitch) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            call = await (await phones.caller(CALLER, 1100)).dial("7001")
            await call.answered()
            await call.hears(MUSIC_HZ)
            await call.hangup()

    run(scenario())


@needs_freeswitch
def test_registered_telephones_call_each_other_and_hold(pbx: FreeSwitch) -> None:
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
            await outgoing.unhold()
            await incoming.hears(700)
            await incoming.hangup()
            await outgoing.ended()
            assert (outgoing.by, outgoing.cause) == ("remote", 16)

    run(scenario())


@needs_freeswitch
def test_callers_reach_agents_and_the_trunk_leads_outside(pbx: FreeSwitch) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            agent, carrier = await phones.agent("1001", 700), await phones.carrier(1300)
            caller = await phones.caller(CALLER, 1100)
            for number, tone, phone in (("7003", 700, agent), ("7004", 1300, carrier)):
                call = await caller.dial(number)
                rung = await phone.next_call()
                await call.answered()
                await call.hears(tone)
                await rung.hears(1100)
                await call.hangup()
                await rung.ended()

    run(scenario())


@needs_freeswitch
def test_digits_travel_both_ways(pbx: FreeSwitch) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            call = await (await phones.caller(CALLER, 1100)).dial("7002")
            await call.answered()
            await call.hears(1100)
            agent = await phones.agent("1001", 700)
            talk = await (await phones.caller(CALLER, 1100)).dial("7003")
            rung = await agent.next_call()
            await talk.answered()
            await talk.dtmf("42*")
            await rung.has_digits("42*")

    run(scenario())


@needs_freeswitch
def test_nobody_is_an_agent_without_the_password(pbx: FreeSwitch) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            impostor = await phones.caller("1001")
            with pytest.raises(RegistrationRefused):
                await impostor.register()
            impostor.password = "wrong"
            with pytest.raises(RegistrationRefused):
                await impostor.register()
            call = await impostor.dial("1002")
            await call.ended()
            assert call.code in (403, 407)

    run(scenario())


@needs_freeswitch
def test_a_dialplan_is_replaced_while_it_runs_and_a_faulty_one_is_told(pbx: FreeSwitch) -> None:
    async def call_fails() -> None:
        async with Phones(pbx) as phones:
            call = await (await phones.caller(CALLER)).dial("7001")
            await call.ended()
            assert call.code == 404

    try:
        pbx.set_dialplan('<context name="from-trunk"/>')
        run(call_fails())
        with pytest.raises(ProcessFailed):
            pbx.set_dialplan("<context></extension>")
    finally:
        pbx.set_dialplan(DIALPLAN)


@needs_freeswitch
def test_a_crash_and_a_restart_keep_the_ports_and_the_telephones() -> None:
    async def registered(pbx: FreeSwitch) -> None:
        async with Phones(pbx) as phones:
            agent = await phones.agent("1001", 700)
            pbx.kill()
            pbx.start()
            call = await (await phones.caller(CALLER, 1100)).dial("7003")
            await agent.next_call()
            await call.answered()
            await call.hears(700)

    with FreeSwitch(agents=("1001",), dialplan=DIALPLAN) as pbx:
        before, pid = pbx.sip, pbx.pid
        run(registered(pbx))
        pbx.restart()
        assert pbx.sip == before
        assert pbx.pid != pid
        pbx.freeze()
        with pytest.raises(OSError, match="timed out"):
            pbx.cli("status", timeout=0.3)
        pbx.thaw()
        assert "is ready" in pbx.cli("status")


@needs_freeswitch
def test_it_starts_quickly_and_leaves_nothing_behind(tmp_path: Path) -> None:
    pbx = FreeSwitch(agents=("1001",))
    started = time.monotonic()
    with pbx:
        assert time.monotonic() - started < 15.0  # 1.6 s when the machine has nothing else to do
        text = Path(f"/proc/{pbx.pid}/maps").read_text() + "".join(
            str(link.readlink()) for link in Path(f"/proc/{pbx.pid}/fd").iterdir() if link.is_symlink()
        )
        assert str(pbx.directory) in text
        directory = pbx.directory
        pid = pbx.pid
    assert not directory.exists()
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
