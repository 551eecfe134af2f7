"""What lives on a FreeSWITCH, read after every connect (SAFE-01)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from routing.core.facts import LegState, PhoneState, SnapshotLeg
from telephony.answers import Answer, Answered
from telephony.freeswitch import snapshot
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.legs import Legs
from telephony.freeswitch.phones import Phones
from telephony.freeswitch.snapshot import Listing, build, leg_of, read_listing, read_recordings, rows
from telephony.legs import Leg, LegKind
from telephony.session import SyncFailed
from tests.waiting import run

pytestmark = pytest.mark.req("SAFE-01")


def dump(uid: str, **changes: str) -> EslEvent:
    """An answered leg that we dialled and that stands in silence, unless said otherwise."""
    usual = {
        "variable_SR_LEG": uid,
        "variable_SR_IID": "int_1",
        "Channel-Name": f"sofia/x/{uid}",
        "Caller-Context": "switchroom-idle",
        "Caller-Destination-Number": "s",
        "Answer-State": "answered",
        "Channel-State": "CS_EXECUTE",
        "Call-Direction": "outbound",
    }
    return EslEvent({**usual, **{name.replace("__", "-"): value for name, value in changes.items()}})


def a_leg(uid: str, **changes: str) -> Leg | None:
    return leg_of(uid, dump(uid, **changes))


def built(channels: Mapping[str, EslEvent], **lists: tuple[tuple[str, str], ...]) -> tuple[Legs, Phones]:
    legs, phones = Legs("p"), Phones()
    phones.watch(["user/1001"])
    listing = Listing(dict(channels), lists.get("conferences", ()), lists.get("registrations", ()))
    build(legs, phones, listing, 7.0)
    return legs, phones


# ---------------------------------------------------------------------- one leg


def test_a_leg_that_we_dialled_is_known_by_its_own_id() -> None:
    assert a_leg("leg_x", variable_SR_RECORD="f") == Leg(
        leg_id="leg_x",
        uid="leg_x",
        kind=LegKind.DIALED,
        interaction_id="int_1",
        channel="sofia/x/leg_x",
        context="switchroom-idle",
        exten="s",
        recording="f",
        is_up=True,
    )


def test_a_call_that_arrived_is_known_by_the_id_of_its_channel() -> None:
    leg = a_leg("u", variable_SR_LEG="leg_u", Caller__Context="switchroom-wait", Caller__Destination__Number="moh")
    assert leg is not None
    assert (leg.leg_id, leg.uid, leg.kind, leg.is_up) == ("leg_u", "u", LegKind.ARRIVED, True)
    assert (leg.context, leg.exten) == ("switchroom-wait", "moh")


@pytest.mark.parametrize("name", ["", "leg_other", "u", "LEG_u", "leg_leg_u"])
def test_a_channel_that_says_it_is_another_one_is_not_ours(name: str) -> None:
    """A variable is inherited by channels that others make from ours."""
    leg = a_leg("u", variable_SR_LEG=name)
    assert (leg is not None) is (name == "u")


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"Answer__State": "ringing"}, LegState.RINGING),
        ({"Answer__State": "early"}, LegState.RINGING),
        ({"Answer__State": "hangup"}, LegState.DIALING),
        ({"Answer__State": "answered", "Caller__Context": "default"}, LegState.DIALING),
        ({"Answer__State": "answered", "Caller__Context": "switchroom-agent"}, LegState.UP),
    ],
)
def test_a_dialled_leg_is_up_when_our_dialplan_has_it(changes: dict[str, str], state: LegState) -> None:
    leg = a_leg("leg_x", **changes)
    assert leg is not None
    assert leg.state is state


# ---------------------------------------------------------------------- company


def pair(one: str, other: str, state: str = "CS_EXCHANGE_MEDIA") -> dict[str, EslEvent]:
    joined = {"Caller__Context": "default", "Channel__State": state}
    return {
        one: dump(one, variable_bridge_uuid=other, **joined),
        other: dump(other, variable_bridge_uuid=one, **(joined | {"Channel__State": "CS_EXECUTE"})),
    }


@pytest.mark.parametrize("state", ["CS_EXCHANGE_MEDIA", "CS_SOFT_EXECUTE", "CS_HIBERNATE", "CS_CONSUME_MEDIA"])
def test_two_that_name_each_other_are_joined_and_answered(state: str) -> None:
    legs, _ = built(pair("leg_a", "leg_b", state))
    assert legs.spots(["leg_a"])["leg_a"].company == {"leg_b"}
    assert [leg.is_up for leg in legs.all()] == [True, True]
    assert legs.last_mate(legs.all()[0]) == legs.all()[1].leg_id


@pytest.mark.req("CONS-14")
def test_who_is_joined_with_a_stranger_was_sent_away() -> None:
    strange = pair("leg_a", "stranger") | pair("leg_b", "leg_c") | {"leg_d": dump("leg_d", Caller__Context="default")}
    strange["stranger"] = dump("stranger", variable_SR_LEG="", variable_bridge_uuid="leg_a")
    legs, _ = built(strange)
    assert [leg.leg_id for leg in legs.sent_away()] == ["leg_a"]


def test_two_that_were_joined_once_are_not_joined_now() -> None:
    legs, _ = built(pair("leg_a", "leg_b", "CS_EXECUTE"))
    assert not legs.spots(["leg_a"])["leg_a"].bridge


def test_one_that_names_another_who_names_a_third_is_alone() -> None:
    channels = pair("leg_a", "leg_b") | {"leg_b": dump("leg_b", variable_bridge_uuid="leg_c")}
    legs, _ = built(channels)
    assert not legs.spots(["leg_a"])["leg_a"].bridge
    lonely, _ = built({"leg_a": dump("leg_a", variable_bridge_uuid="gone", Channel__State="CS_EXCHANGE_MEDIA")})
    assert not lonely.spots(["leg_a"])["leg_a"].bridge


def test_a_stranger_is_company_too() -> None:
    channels = pair("leg_a", "leg_b")
    channels["x"] = EslEvent({**channels.pop("leg_b").headers, "variable_SR_LEG": ""})
    channels["leg_a"] = EslEvent({**channels["leg_a"].headers, "variable_bridge_uuid": "x"})
    legs, _ = built(channels)
    assert legs.spots(["leg_a"])["leg_a"].company == {"x"}


def test_members_of_a_conference_are_in_it_whatever_bridge_they_were_in_before() -> None:
    legs, _ = built(pair("leg_a", "leg_b"), conferences=(("room", "leg_a"), ("room", "leg_b"), ("room", "x")))
    spot = legs.spots(["leg_a"])["leg_a"]
    assert spot.conference == "room"
    assert spot.company == {"leg_b", "x"}
    assert all(leg.is_up for leg in legs.all())


def test_a_snapshot_replaces_everything_and_tells_no_change() -> None:
    legs, phones = Legs("p"), Phones()
    legs.add(Leg(leg_id="old", uid="old", kind=LegKind.DIALED))
    legs.joined("room", "old")
    build(legs, phones, Listing({"leg_x": dump("leg_x")}, (), ()), 7.0)
    assert [(leg.leg_id, leg.known_since) for leg in legs.all()] == [("leg_x", 7.0)]
    assert legs.snapshot() == (SnapshotLeg(leg_id="leg_x", interaction_id="int_1", state=LegState.UP),)
    assert legs.changed == set()


@pytest.mark.req("ROUTE-15")
def test_telephones_are_as_registrations_and_channels_tell() -> None:
    registered = (("1001", "a"),)
    assert built({}, registrations=registered)[1].states == {"user/1001": PhoneState.FREE}
    dialed = {"variable_dialed_user": "1001", "variable_dialed_domain": "a"}
    _, ringing = built({"x": dump("x", Answer__State="ringing", **dialed)}, registrations=registered)
    assert ringing.states == {"user/1001": PhoneState.RINGING}
    _, talking = built({"x": dump("x", **dialed)}, registrations=registered)
    assert talking.states == {"user/1001": PhoneState.BUSY}
    own = {"Call__Direction": "inbound", "Answer__State": "ringing", "variable_user_name": "1001"}
    _, dialing = built({"x": dump("x", variable_domain_name="a", **own)}, registrations=registered)
    assert dialing.states == {"user/1001": PhoneState.BUSY}


# ---------------------------------------------------------------------- reading


class Pbx:
    """Answers with these texts; everything else is refused."""

    def __init__(self, **texts: Any) -> None:
        usual = {
            "show channels as json": '{"row_count":0}',
            "show registrations as json": '{"row_count":0}',
            "conference json_list": "-ERR No active conferences.",
        }
        self.texts: dict[str, str] = usual | texts.pop("lines", {})
        self.asked: list[str] = []

    async def ask(self, line: str) -> Answer:
        self.asked.append(line)
        text = self.texts.get(line)
        if text is None:
            return Answer(Answered.ERROR, "-ERR no reply")
        return Answer(Answered.SUCCESS, text)


@pytest.fixture(autouse=True)
def _no_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "LAG_S", 0.0)


def listing_of(**lines: str) -> Listing:
    return run(read_listing(Pbx(lines={name.replace("_", " "): text for name, text in lines.items()}).ask))


def test_lists_without_a_row_are_empty() -> None:
    assert listing_of() == Listing({}, (), ())
    assert rows('{"row_count":0}') == rows("[]") == rows('{"rows":[]}') == []


def test_every_listed_channel_is_dumped_and_one_that_is_gone_by_then_is_left_out() -> None:
    listed = json.dumps({"row_count": 3, "rows": [{"uuid": "a"}, {"uuid": ""}, {"uuid": "b"}, {}]})
    pbx = Pbx(lines={"show channels as json": listed, "uuid_dump b json": '{"Channel-State":"x","List":["y"]}'})
    found = run(read_listing(pbx.ask))
    assert found.channels == {"b": EslEvent({"Channel-State": "x", "List": '["y"]'})}
    assert [line for line in pbx.asked if "dump" in line] == ["uuid_dump a json", "uuid_dump b json"]


def test_a_long_list_is_asked_for_in_portions_and_completely() -> None:
    uids = [f"u{number}" for number in range(120)]
    listed = json.dumps({"rows": [{"uuid": uid} for uid in uids]})
    dumps = {f"uuid_dump {uid} json": json.dumps({"n": uid}) for uid in uids}
    found = run(read_listing(Pbx(lines={"show channels as json": listed, **dumps}).ask))
    assert {uid: channel.get("n") for uid, channel in found.channels.items()} == {uid: uid for uid in uids}


def test_conferences_and_registrations_are_read() -> None:
    members = [{"uuid": "a", "type": "caller"}, {"type": "recording_node"}]
    conferences = json.dumps([{"conference_name": "room", "members": members}, {"conference_name": "empty"}])
    registrations = json.dumps({"rows": [{"reg_user": "1001", "realm": "a.example", "url": "x"}]})
    found = run(
        read_listing(Pbx(lines={"conference json_list": conferences, "show registrations as json": registrations}).ask)
    )
    assert found.conferences == (("room", "a"),)
    assert found.registrations == (("1001", "a.example"),)


@pytest.mark.parametrize("line", ["show channels as json", "show registrations as json"])
@pytest.mark.parametrize("text", ["", "{", "-USAGE", "0 total.", '{"rows":null}', '{"rows":["x"]}', '{"rows":{}}'])
def test_a_list_that_is_none_fails_the_snapshot_rather_than_lose_every_call(line: str, text: str) -> None:
    with pytest.raises(SyncFailed):
        run(read_listing(Pbx(lines={line: text}).ask))


def test_a_dump_that_is_none_fails_the_snapshot() -> None:
    listed = json.dumps({"rows": [{"uuid": "a"}]})
    with pytest.raises(SyncFailed):
        run(read_listing(Pbx(lines={"show channels as json": listed, "uuid_dump a json": "{"}).ask))


def test_a_refused_list_says_which() -> None:
    pbx = Pbx()
    del pbx.texts["show channels as json"]
    with pytest.raises(SyncFailed, match="show channels as json: -ERR no reply"):
        run(read_listing(pbx.ask))


@pytest.mark.parametrize("text", ["-ERR No active conferences.", "+OK no conferences", ""])
def test_where_no_conference_runs_nobody_is_in_one(text: str) -> None:
    assert run(read_listing(Pbx(lines={"conference json_list": text}).ask)).conferences == ()


@pytest.mark.req("REC-01")
@pytest.mark.parametrize(
    ("own", "folder"),
    [
        (None, "/var/rec/switchroom"),
        ("", "/var/rec/switchroom"),
        ("calls/", "/var/rec/calls"),
        ("/data/calls/", "/data/calls"),
    ],
)
def test_the_folder_for_recordings_is_the_one_that_the_pbx_names(own: str | None, folder: str) -> None:
    lines = {"global_getvar recordings_dir": "/var/rec/\n"} | ({"global_getvar SR_RECORD_DIR": own} if own else {})
    assert run(read_recordings(Pbx(lines=lines).ask)) == folder


def test_without_a_folder_for_recordings_there_is_no_snapshot() -> None:
    with pytest.raises(SyncFailed):
        run(read_recordings(Pbx().ask))
