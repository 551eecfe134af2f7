"""What goes onto the event socket: nothing from outside gets out of its place (SAFE-03)."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routing.core.commands import DialLeg, SetRecording
from routing.core.recording import RecordingState
from telephony.answers import OnAnswer
from telephony.freeswitch import actions
from telephony.freeswitch.actions import MAX_VALUE_BYTES, EslAction, Job, one_word
from telephony.freeswitch.codec import command_line
from telephony.freeswitch.settling import Settling
from telephony.freeswitch.wire import REMEMBERED, EslWire
from telephony.legs import Leg, LegKind
from telephony.safety import CONTROL, UnsafeAction, plain
from tests.unit.freeswitch_twin import by_blanks, cleaned, dialed

pytestmark = pytest.mark.req("SAFE-03")
HOSTILE = [
    "it's",
    "\\",
    "\\'",
    " a  b ",
    "''",
    '"x"',
    "a\\sb",
    "\\n",
    "^^:a:b",
    "${system(id)}",
    "a,b=c}",
    "x\n\napi shutdown",
    "ä 'ö",
    "a\\ ' b",
]
texts = st.text(max_size=60) | st.text("\\' ntrs\"^$%{},=;|&", max_size=30)


def dial(**fields: object) -> DialLeg:
    usual = {"id": "c", "pbx": "p", "leg_id": "leg_1", "interaction_id": "int_1", "phone": "user/1001"}
    return DialLeg(**{**usual, "timeout_s": 20, **fields})  # type: ignore[arg-type]


def test_the_twin_splits_as_freeswitch_does() -> None:
    assert by_blanks("a 'b c' d\\se", 5) == ["a", "b c", "d e"]
    assert by_blanks("a b  c d ", 3) == ["a", "b", "c d"]
    assert cleaned(" 'a ' ") == "a "
    assert cleaned("it's") == "it's"
    assert dialed("{a='x y',b='',c=\\,}user/1") == ({"a": "x y", "c": ","}, "user/1")


@given(texts)
@pytest.mark.parametrize("words", [3, 5])
def test_a_text_comes_out_as_it_went_in(words: int, text: str) -> None:
    given_text = CONTROL.sub(" ", text.encode("utf-8", "replace").decode())
    assert by_blanks(f"u name {one_word(given_text)}", words)[2:] == ([given_text] if given_text else [])


@given(texts)
@example(" ")
@example("a\\")
def test_a_variable_of_any_text_is_one_line_and_one_value(value: str) -> None:
    line = command_line(actions.set_variable("leg_1", "SR_CAD_x", value).line)
    words = by_blanks(line.removeprefix("uuid_setvar "), 3)
    stored = plain(value, MAX_VALUE_BYTES)
    assert words == ["leg_1", "SR_CAD_x", *([stored] if stored else [])]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_stored_as_it_is_but_for_control_characters(value: str) -> None:
    line = actions.set_variable("leg_1", "SR_CAD_x", value).line
    assert by_blanks(line, 4)[3] == CONTROL.sub(" ", value)


def test_a_value_that_is_too_long_is_refused_and_the_longest_is_sent() -> None:
    with pytest.raises(UnsafeAction):
        actions.set_variable("leg_1", "SR_X", "ä" * (MAX_VALUE_BYTES // 2 + 1))
    longest = actions.set_variable("leg_1", "SR_X", "'" * MAX_VALUE_BYTES).line
    assert by_blanks(command_line(longest), 4)[3] == "'" * MAX_VALUE_BYTES


def test_no_value_unsets_the_variable() -> None:
    assert actions.set_variable("leg_1", "SR_LEG", "").line == "uuid_setvar leg_1 SR_LEG"


@pytest.mark.parametrize("name", ["A=1,B", "A B", "", "SHELL(x)", "1A", "A\r\nB", "${X}", "A'B", "x" * 90])
def test_a_variable_name_of_another_shape_is_refused(name: str) -> None:
    with pytest.raises(UnsafeAction):
        actions.set_variable("leg_1", name, "x")


# ---------------------------------------------------------------------- dialling


def variables_of(order: DialLeg) -> dict[str, str]:
    line = actions.originate(order).line
    words = by_blanks(line.removeprefix("originate "), 10)
    found, phone = dialed(words[0])
    assert [phone, *words[1:]] == [order.phone, "s", "XML", "switchroom-agent"]
    return found


OWN = {
    "origination_uuid": "leg_1",
    "SR_LEG": "leg_1",
    "SR_IID": "int_1",
    "originate_timeout": "22",
    "ignore_early_media": "true",
    "hangup_after_bridge": "false",
    "transfer_after_bridge": "s:XML:switchroom-idle",
    "force_transfer_context": "switchroom-none",
    "outbound_redirect_fatal": "true",
}


def test_a_carrier_may_send_a_call_elsewhere_and_a_telephone_may_not() -> None:
    assert "outbound_redirect_fatal" not in variables_of(dial(phone="sofia/gateway/trunk/12015550100"))
    assert variables_of(dial(phone="sofia/internal/1001@10.0.0.1"))["outbound_redirect_fatal"] == "true"


@given(name=texts, number=texts, value=texts)
@example(name="Anna', x='y", number="+1 (201) 555-0100", value="v")
@example(name="a}{b", number="1,2", value="}")
def test_no_name_or_number_adds_a_variable_or_another_telephone(name: str, number: str, value: str) -> None:
    order = dial(caller_name=name, caller_number=number, variables={"SR_CAD_x": value})
    found = variables_of(order)
    shown = {key: found.pop(key) for key in list(found) if key.startswith("origination_caller_id_")}
    assert found == OWN
    assert re.fullmatch(r"[0-9+*#]{0,32}", shown.get("origination_caller_id_number", ""))
    assert not set(shown.get("origination_caller_id_name", "")) & set("{}[]<>,|'\"\\$=^;:%")
    assert len(shown.get("origination_caller_id_name", "").encode()) <= 80
    assert "SR_CAD" not in actions.originate(order).line


def test_what_a_telephone_shows_is_what_was_ordered() -> None:
    found = variables_of(dial(caller_name="Zoë Müller-Lüdenscheidt & Co. (Ost)", caller_number="+1 201-555-0100"))
    assert found["origination_caller_id_name"] == "Zoë Müller-Lüdenscheidt & Co. (Ost)"
    assert found["origination_caller_id_number"] == "+12015550100"
    unnamed = variables_of(dial(caller_name="$$", caller_number="+12015550100"))
    assert unnamed["origination_caller_id_name"] == "+12015550100"


def test_a_dialled_leg_has_our_id_as_channel_and_job_and_rings_a_little_longer_than_asked() -> None:
    job = actions.originate(dial(timeout_s=0))
    assert job.id == "leg_1"
    assert "originate_timeout='3'" in job.line
    assert "SR_RECORD" not in job.line
    assert "SR_RECORD='int_1-leg_1'" in actions.originate(dial(recording="int_1-leg_1")).line


@pytest.mark.parametrize(
    "phone",
    [
        "user/1&user/2",
        "user/1,user/2",
        "user/1|user/2",
        "user/1 x",
        "user/",
        "1001",
        "user/${X}",
        "{a=b}user/1",
        "user/[a=b]1",
        "user/1'",
        "user/1\n",
        "User/1",
        "user/1:_:user/2",
        "user/1:_:user/2,",
        "user/1\\",
        "sofia/a/b/c/d/e",
        "&park()",
        "user/%41",
    ],
)
def test_a_dial_string_of_another_shape_is_refused(phone: str) -> None:
    with pytest.raises(UnsafeAction):
        actions.originate(dial(phone=phone))
    with pytest.raises(UnsafeAction):
        actions.ring_for(dial(phone=phone), "uuid")


@pytest.mark.parametrize(
    "field",
    [{"leg_id": "a b"}, {"leg_id": "a,b=c"}, {"interaction_id": "}"}, {"recording": "../x"}, {"recording": "a b"}],
)
def test_an_id_or_a_file_name_of_another_shape_is_refused(field: dict[str, str]) -> None:
    with pytest.raises(UnsafeAction):
        actions.originate(dial(**field))


@given(name=texts, number=texts)
def test_what_a_waiting_leg_rings_is_the_same_and_expands_to_nothing(name: str, number: str) -> None:
    """The argument of an application: FreeSWITCH expands `${...}`, `$1` and `\\` in it."""
    order = dial(caller_name=name, caller_number=number)
    action = actions.ring_for(order, "caller")
    assert f"originate {action.dial} s XML switchroom-agent" == actions.originate(order).line
    assert not set(action.dial) & set("$\\%\r\n")
    assert (action.uuid, action.leg_id) == ("caller", "leg_1")


# ---------------------------------------------------------------------- moving, recording, digits


@pytest.mark.parametrize("uuid", ["", "a b", "a\nb", "a;b", "x" * 121, "${x}", "a'"])
def test_a_channel_of_another_shape_is_never_named(uuid: str) -> None:
    for make in (
        lambda: actions.hang_up(uuid, 16),
        lambda: actions.transfer([uuid], "switchroom-wait", "moh"),
        lambda: actions.bridge("a", uuid),
        lambda: actions.bridge(uuid, "a"),
        lambda: actions.set_variable(uuid, "A", "b"),
        lambda: actions.record(uuid, "start", "/x"),
        lambda: actions.play_digit(uuid, "1"),
        lambda: actions.ring_for(dial(), uuid),
        lambda: actions.tried(uuid),
    ):
        with pytest.raises(UnsafeAction):
            make()


@pytest.mark.parametrize(("context", "exten"), [("a b", "s"), ("a", "b c"), ("a", ""), ("a", "b XML c"), ("a", "x'")])
def test_a_place_of_another_shape_is_never_named(context: str, exten: str) -> None:
    with pytest.raises(UnsafeAction):
        actions.transfer(["u"], context, exten)


def test_one_leg_is_moved_alone_and_two_of_a_bridge_together() -> None:
    assert actions.transfer(["u"], "switchroom-wait", "moh").line == "uuid_transfer u moh XML switchroom-wait"
    two = actions.transfer(["u", "v"], "switchroom-room", "r")
    assert (two.line, two.moves) == ("uuid_transfer u -both r XML switchroom-room", ("u", "v"))
    joined = actions.bridge("u", "v")
    assert (joined.line, joined.moves) == ("uuid_bridge u v", ("u", "v"))


@pytest.mark.parametrize(("cause", "name"), [(16, "NORMAL_CLEARING"), (26, "LOSE_RACE"), (17, "NORMAL_CLEARING")])
def test_a_telephone_shows_no_missed_call_when_it_was_answered_elsewhere(cause: int, name: str) -> None:
    assert actions.hang_up("u", cause).line == f"uuid_kill u {name}"


@pytest.mark.parametrize(
    ("digit", "is_one"), [("1", True), ("#", True), ("D", True), ("E", False), ("12", False), ("", False)]
)
def test_one_digit_is_played_and_nothing_else(digit: str, is_one: bool) -> None:
    if is_one:
        assert actions.play_digit("u", digit).line == f"uuid_send_dtmf u {digit}@100"
    else:
        with pytest.raises(UnsafeAction):
            actions.play_digit("u", digit)


class _Nobody:
    def send(self, action: EslAction, on_answer: OnAnswer) -> None:
        raise AssertionError(f"nothing is to be sent, but {action}")


def a_wire(folder: str) -> EslWire:
    wire = EslWire(Settling(_Nobody(), lambda: 0.0))
    wire.recordings = folder
    return wire


@given(st.text(min_size=1, max_size=40).filter(lambda text: not CONTROL.search(text) and not text.endswith("\ud800")))
def test_a_recording_is_put_into_the_folder_whatever_it_is_called(folder: str) -> None:
    try:
        folder.encode()
    except UnicodeEncodeError:
        return
    leg = Leg(leg_id="leg_1", uid="leg_1", kind=LegKind.DIALED, recording="int_1-leg_1")
    line = a_wire(folder).start_recording(leg).line
    assert by_blanks(line, 6) == ["uuid_record", "leg_1", "start", f"{folder}/int_1-leg_1.wav"]


@pytest.mark.parametrize("bad", ["a\nb", "", "x" * 1001, "a\x7f"])
def test_a_path_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(UnsafeAction):
        actions.record("u", "start", bad)


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "a b", "", ".x"])
def test_a_file_never_leaves_the_folder(name: str) -> None:
    with pytest.raises(UnsafeAction):
        a_wire("/rec").path_of(name)


@pytest.mark.req("REC-02")
@pytest.mark.parametrize(
    ("state", "verb"),
    [(RecordingState.RECORDING, "unmask"), (RecordingState.PAUSED, "mask"), (RecordingState.OFF, "stop")],
)
def test_a_recording_is_steered_by_its_own_path(state: RecordingState, verb: str) -> None:
    order = SetRecording(id="c", pbx="p", leg_id="leg_1", file="f1", state=state)
    leg = Leg(leg_id="leg_1", uid="leg_1", kind=LegKind.DIALED)
    assert a_wire("/rec").record(leg, order).line == f"uuid_record leg_1 {verb} /rec/f1.wav"


def test_variables_whose_channels_never_come_are_not_kept_for_ever() -> None:
    wire = a_wire("/rec")
    for number in range(REMEMBERED + 1):
        wire.originate(dial(leg_id=f"leg_{number}", variables={"SR_CAD_a": "b"}))
    assert wire.variables_of("leg_0") == {}
    assert wire.variables_of(f"leg_{REMEMBERED}") == {"SR_CAD_a": "b"}


def test_the_variables_of_an_order_are_given_out_once() -> None:
    wire = a_wire("/rec")
    job = wire.originate(dial(variables={"SR_CAD_a": "b"}))
    assert isinstance(job, Job)
    assert "SR_CAD" not in job.line
    assert wire.variables_of("leg_1") == {"SR_CAD_a": "b"}
    assert wire.variables_of("leg_1") == {}
    wire.originate(dial(variables={"SR_CAD_a": "b"}))
    wire.clear()
    assert wire.variables_of("leg_1") == {}
