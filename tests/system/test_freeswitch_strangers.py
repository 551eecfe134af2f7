"""What strangers, telephones and other PBXs bring to a real FreeSWITCH (SAFE-03)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from deploy.lab.esl import Seen
from deploy.lab.freeswitch import FreeSwitch
from deploy.lab.policies import Answer, Reject
from tests.system.freeswitch_calls import (
    ACCEPTED_HZ,
    CALLER,
    DIALPLAN,
    REFUSED_HZ,
    VOICES,
    Lines,
    needs_freeswitch,
    play,
)

pytestmark = needs_freeswitch
OURS = "SR_ENTRY SR_OPTIONS SR_DNIS SR_RESULT SR_LEFT SR_BACK SR_IID SR_CAD_customer_id SR_CAD_note".split()

# A site that trusts one way in: other PBXs of its own call 88NUMBER here.
TRUNK = r"""
  <extension name="from-another-pbx">
    <condition field="destination_number" expression="^88([0-9]+)$">
      <action application="transfer" data="$1 XML switchroom-trunk"/>
    </condition>
  </extension>
</context>
<context name="fallback">"""


@pytest.fixture(scope="module")
def pbx() -> Iterator[FreeSwitch]:
    text = DIALPLAN.replace('</context>\n<context name="fallback">', TRUNK)
    with FreeSwitch(agents=("1001", "1002"), dialplan=text) as running:
        yield running


async def called(lines: Lines, name: str, *headers: str, user: str = CALLER) -> Seen:
    """A hand-over by a caller with this display name."""
    caller = await lines.phones.caller(quote(user, safe="+"), 1100)
    since = len(lines.esl.seen)
    shown = f'P-Asserted-Identity: "{name}" <sip:{quote(user, safe="+")}@127.0.0.1>'
    call = await caller.dial("7001", [shown, *headers])
    arrived = await lines.esl.wait(lambda e: e.name == "switchroom::call", since=since)
    await call.answered()
    return arrived


def ours(event: Seen) -> dict[str, str]:
    return {name: event[f"variable_{name}"] for name in OURS}


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize(
    "evil",
    [
        "${system(touch OWNED)}",
        "%24{system(touch%20OWNED)}",
        "$%0a{system(touch OWNED)}",
        "$%5c{system(touch OWNED)}",
        "%5c%5c${system(touch OWNED)}",
        "$${system(touch OWNED)}",
        "$${${system(touch OWNED)}}",
        "${${system(touch OWNED)}}",
    ],
)
def test_nothing_of_a_callers_name_is_run(pbx: FreeSwitch, evil: str, tmp_path: Path) -> None:
    async def scenario(lines: Lines) -> None:
        owned = tmp_path / "owned"
        arrived = await called(lines, evil.replace("OWNED", str(owned)))
        for place in ("moh switchroom-wait", "s switchroom-idle", "abc switchroom-room", "9 switchroom-none"):
            await lines.move(arrived.uuid, place)
        await lines.mark(arrived.uuid, SR_RESULT="full")
        await lines.esl.api(f"uuid_transfer {arrived.uuid} s XML switchroom-return")
        back = await lines.esl.wait(lambda e: e.name == "lab::back")
        assert not owned.exists()
        assert "${" not in back["variable_SR_ANI_NAME"] + back["Caller-Caller-ID-Name"]

    play(pbx, scenario)


@pytest.mark.req("SAFE-03")
def test_a_name_arrives_without_its_control_characters_and_changes_nothing_else(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        plain = await called(lines, "Zoë, 100 ; a=b {x} Ca$h $5")
        assert plain["variable_SR_ANI_NAME"] == "Zoë, 100 ; a=b {x} Ca$h $5"
        forged = "Zo%0aSR_RESULT=answered%0d%0aEvent-Name: CHANNEL_HANGUP%0a%0a%00%01%7f end"
        arrived = await called(lines, forged)
        name = arrived["variable_SR_ANI_NAME"]
        assert name.startswith("Zo")
        assert name == arrived["Caller-Caller-ID-Name"]
        assert all(ord(letter) >= 32 and letter != "\x7f" for letter in name)
        assert ours(arrived) == ours(plain)

    play(pbx, scenario)


@pytest.mark.req("SAFE-03")
def test_headers_named_like_our_variables_change_none(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        plain = await called(lines, "Zoe")
        headers = [
            f"{prefix}{name}: forged"
            for name in (*OURS, "SR_LEG", "SR_PHONE", "user_name", "transfer_after_bridge", "SR_BEAT")
            for prefix in ("X-", "P-", "", "variable_")
        ]
        arrived = await called(lines, "Zoe", *headers)
        assert ours(arrived) == ours(plain)
        assert arrived["variable_SR_LEG"] == f"leg_{arrived.uuid}"
        assert "forged" not in [v for k, v in arrived.headers.items() if not k.startswith("variable_sip_")]

    play(pbx, scenario)


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize("user", ["49\r\n\r\nEvent-Name: X", "${system(id)}", "49,b&c=d;e", "'49' {a=b}"])
def test_only_digits_of_a_callers_number_go_on(pbx: FreeSwitch, user: str) -> None:
    async def scenario(lines: Lines) -> None:
        arrived = await called(lines, "Zoe", user=user)
        expected = "49" if "49" in user else ""
        assert (arrived["variable_SR_ANI"], arrived["Caller-Caller-ID-Number"]) == (expected, expected)

    play(pbx, scenario)


@pytest.mark.parametrize(
    ("dialled", "code", "digits"),
    [
        ("*611234", "sign_in", "1234"),
        ("*62", "sign_out", ""),
        ("*63", "available", ""),
        ("*6412", "idle", "12"),
        ("*64", "idle", ""),
        ("*65", "wrap_up_done", ""),
    ],
)
def test_a_feature_code_names_the_telephone_and_hears_the_answer(
    pbx: FreeSwitch, dialled: str, code: str, digits: str
) -> None:
    async def scenario(lines: Lines) -> None:
        phone = await lines.phones.agent("1001")
        for answer, tone in (("accepted", ACCEPTED_HZ), ("refused", REFUSED_HZ)):
            since = len(lines.esl.seen)
            call = await phone.dial(dialled)
            event = await lines.esl.wait(lambda e: e.name == "switchroom::feature", since=since)
            told = (event["variable_SR_PHONE"], event["variable_SR_CODE"], event["variable_SR_DIGITS"])
            assert told == ("user/1001", code, digits)
            await lines.esl.api(f"uuid_transfer {event.uuid} {answer} XML switchroom-feature")
            await call.hears(tone)
            await call.ended()

    play(pbx, scenario)


def test_sign_in_without_a_pin_asks_for_it_and_nobody_answering_is_a_refusal(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call = await (await lines.phones.agent("1001")).dial("*61")
        await call.hears(350)
        await call.dtmf("4321#")
        event = await lines.esl.wait(lambda e: e.name == "switchroom::feature")
        assert (event["variable_SR_CODE"], event["variable_SR_DIGITS"]) == ("sign_in", "4321")
        await call.hears(REFUSED_HZ, within=4.5)
        await call.ended()

    play(pbx, scenario)


def test_a_telephone_without_its_password_dials_no_feature_code(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        stranger = await lines.phones.caller("1001")
        call = await stranger.dial("*62", ["X-user_name: 1001", "P-Asserted-Identity: <sip:1001@127.0.0.1>"])
        await call.ended()
        another = await (await lines.phones.caller(CALLER)).dial("*62", ["P-Asserted-Identity: <sip:1001@127.0.0.1>"])
        await another.ended()
        assert not [e for e in lines.esl.seen if e.name == "switchroom::feature"]

    play(pbx, scenario)


def test_a_feature_code_in_a_careless_context_is_refused_to_strangers(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        call, arrived = await lines.call_in()
        await lines.esl.api(f"uuid_transfer {arrived.uuid} *62 XML switchroom-features")
        await call.hears(480)
        await call.ended()
        assert not [e for e in lines.esl.seen if e.name == "switchroom::feature"]

    play(pbx, scenario)


@pytest.mark.parametrize("code", [486, 603, 480, 404])
def test_another_pbx_of_the_site_is_told_why_a_telephone_did_not_answer(pbx: FreeSwitch, code: int) -> None:
    async def scenario(lines: Lines) -> None:
        phone = await lines.phones.agent("1001")
        phone.on_invite = Reject(code)
        call = await (await lines.phones.caller(CALLER)).dial("881001")
        await call.ended()
        assert call.code == code

    play(pbx, scenario)


def test_another_pbx_rings_and_reaches_a_telephone_which_sees_the_caller(pbx: FreeSwitch) -> None:
    async def scenario(lines: Lines) -> None:
        phone = await lines.phones.agent("1001", VOICES["1001"])
        phone.on_invite = Answer(0.5)
        call = await (await lines.phones.caller(CALLER, 1100)).dial("881001")
        await call.ringing_seen()
        rung = await phone.next_call()
        await call.answered()
        assert CALLER in rung.remote_uri
        await call.hears(VOICES["1001"])
        await rung.hears(1100)
        await rung.hangup()
        await call.ended()
        assert (call.by, call.cause) == ("remote", 16)

    play(pbx, scenario)


@pytest.mark.parametrize("number", ["1002", "1999"])
def test_another_pbx_is_told_that_a_telephone_is_not_there(pbx: FreeSwitch, number: str) -> None:
    async def scenario(lines: Lines) -> None:
        call = await (await lines.phones.caller(CALLER)).dial(f"88{number}")
        await call.ended()
        assert call.code in (404, 480)

    play(pbx, scenario)
