"""Calls from another PBX of the same site to a telephone, through a real Asterisk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.lab.asterisk import Asterisk
from deploy.lab.phones import Phones
from deploy.lab.policies import Answer, Reject
from tests.waiting import run

CALLER = "12015550100"
DIALPLAN = """
[from-trunk]
exten => _88X!,1,Goto(switchroom-trunk,${EXTEN:2},1)
"""


@pytest.fixture(scope="module")
def pbx() -> Iterator[Asterisk]:
    with Asterisk(agents=("1001", "1002"), dialplan=DIALPLAN) as asterisk:
        yield asterisk


@pytest.mark.parametrize(("code", "told"), [(486, 486), (480, 480), (404, 404), (603, 403)])  # 403: rejected, too
def test_another_pbx_of_the_site_is_told_why_a_telephone_did_not_answer(pbx: Asterisk, code: int, told: int) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            phone = await phones.agent("1001")
            phone.on_invite = Reject(code)
            call = await (await phones.caller(CALLER)).dial("881001")
            await call.ended()
            assert call.code == told

    run(scenario())


def test_another_pbx_rings_and_reaches_a_telephone_which_sees_the_caller(pbx: Asterisk) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            phone = await phones.agent("1001", 700)
            phone.on_invite = Answer(0.5)
            call = await (await phones.caller(CALLER, 1100)).dial("881001")
            await call.ringing_seen()
            rung = await phone.next_call()
            await call.answered()
            assert CALLER in rung.remote_uri
            await call.hears(700)
            await rung.hears(1100)
            await rung.hangup()
            await call.ended()
            assert (call.by, call.cause) == ("remote", 16)

    run(scenario())


@pytest.mark.parametrize("number", ["1002", "1999"])
def test_another_pbx_is_told_that_a_telephone_is_not_there(pbx: Asterisk, number: str) -> None:
    async def scenario() -> None:
        async with Phones(pbx) as phones:
            call = await (await phones.caller(CALLER)).dial(f"88{number}")
            await call.ended()
            assert call.code in (404, 480, 503)

    run(scenario())
