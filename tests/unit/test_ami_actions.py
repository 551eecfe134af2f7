"""What goes onto the manager interface: nothing from outside gets out of its header (SAFE-03)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.commands import DialLeg, KeyInput, PlayPrompts, RecordMessage
from telephony.asterisk import actions
from telephony.asterisk.actions import MAX_LINE_BYTES, MAX_PROMPTS
from telephony.safety import UnsafeAction, plain, sound, word


def dial(**fields: object) -> DialLeg:
    given = {
        "id": "c",
        "pbx": "p",
        "leg_id": "leg_1",
        "interaction_id": "int_1",
        "phone": "PJSIP/1001",
        "timeout_s": 20,
    }
    return DialLeg(**{**given, **fields})  # type: ignore[arg-type]


def lines(fields: dict[str, str | list[str]]) -> list[str]:
    return [f"{k}: {x}" for k, v in fields.items() for x in ([v] if isinstance(v, str) else v)]


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\0b", "x" * (MAX_LINE_BYTES + 1), "\U0001f600" * 251])
def test_a_value_with_a_line_end_or_too_long_is_refused(bad: str) -> None:
    with pytest.raises(UnsafeAction):
        actions.checked({"Action": "Setvar", "Value": bad})
    with pytest.raises(UnsafeAction):
        actions.checked({"Action": "Originate", "Variable": ["A=1", bad]})


@pytest.mark.parametrize("bad", ["", "A:B", "A\r\nB", "A\0"])
def test_a_header_name_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(UnsafeAction):
        actions.checked({bad: "x"})


@pytest.mark.req("SAFE-03")
@given(name=st.text(max_size=200), number=st.text(max_size=100), value=st.text(max_size=100))
def test_no_text_makes_a_second_line_or_header_of_a_dialling(name: str, number: str, value: str) -> None:
    fields = actions.originate(dial(caller_name=name, caller_number=number, variables={"SR_CAD_x": value}))
    for line in lines(fields):
        assert not set(line) & set("\r\n\0\x85\u2028\u2029")
        assert len(line.encode()) <= MAX_LINE_BYTES
    shown = str(fields["CallerID"])
    assert shown.count("<") == shown.count(">") == 1
    assert shown.count('"') in (0, 2)
    assert len(fields["Variable"]) == 4


def test_commas_and_quotes_in_a_variable_are_escaped_so_that_it_stays_one() -> None:
    assert actions.assignment("A", 'x,y"(z)\\') == 'A=x\\,y\\"\\(z\\)\\\\'


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize(
    "phone",
    ["PJSIP/1&PJSIP/2", "PJSIP/1,30", "Local/x@y/n|z", "PJSIP/\r\n", "PJSIP/", "1001", "PJSIP/${X}", "PJSIP/a b"],
)
def test_a_dial_string_of_another_shape_is_refused(phone: str) -> None:
    with pytest.raises(UnsafeAction):
        actions.originate(dial(phone=phone))


@pytest.mark.parametrize("name", ["A=1,B", "A B", "", "SHELL(x)", "1A", "A\r\nB"])
def test_a_variable_name_of_another_shape_is_refused(name: str) -> None:
    with pytest.raises(UnsafeAction):
        actions.set_variable("chan", name, "x")
    with pytest.raises(UnsafeAction):
        actions.assignment(name, "x")


def test_the_own_variables_of_a_leg_cannot_be_replaced() -> None:
    variables = actions.originate(dial(variables={"SR_LEG": "other", "__SR_IID": "x", "TRANSFER_CONTEXT": "y"}))[
        "Variable"
    ]
    assert variables == ["SR_LEG=leg_1", "__SR_IID=int_1", "TRANSFER_CONTEXT=switchroom-none"]


@pytest.mark.parametrize("name", ["", "h", "a b", "a,b", "${X}", "a\r\nb", "x" * 79, "-a"])
def test_an_extension_of_our_contexts_is_a_plain_word(name: str) -> None:
    with pytest.raises(UnsafeAction):
        word(name)


def test_bridge_gets_what_it_is_given_and_redirect_moves_two_at_once() -> None:
    assert actions.bridge("PJSIP/a-1", "PJSIP/b-2")["Channel2"] == "PJSIP/b-2"
    two = actions.redirect(["u1", "u2"], "switchroom-room", "r")
    assert (two["ExtraChannel"], two["ExtraExten"]) == ("u2", "r")


def test_text_is_cut_at_a_whole_character() -> None:
    assert plain("ä" * 10, 5) == "ää"
    assert plain("a\r\nb\x00c\x1b") == "a  b c "


def prompts(*names: str, **fields: object) -> PlayPrompts:
    given = {"id": "cmd_1", "pbx": "p", "leg_id": "leg_1", "interaction_id": "int_1", "prompts": names}
    return PlayPrompts(**{**given, **fields})  # type: ignore[arg-type]


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "a&b",
        "a,b",
        "a b",
        "a|b",
        "a;b",
        "${X}",
        "../a",
        "/a/../b",
        "a/.b",
        "-a",
        "a//b",
        "a/",
        "a\r\nb",
        "http:x",
    ],
)
def test_a_prompt_of_another_shape_is_refused(name: str) -> None:
    with pytest.raises(UnsafeAction):
        actions.play("u1", prompts("digits/3", name), "default")


@pytest.mark.parametrize("name", ["digits/3", "/srv/prompts-1.2/de/welcome_2", "vm-theperson", "/a+b/-x", "x" * 500])
def test_a_path_or_the_name_of_a_sound_is_taken_as_it_is(name: str) -> None:
    sent = actions.play("u1", prompts(name), "default")
    assert {"Action": "Setvar", "Channel": "u1", "Variable": "SR_PROMPT_1", "Value": sound(name)} in sent


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize(
    ("order", "place"),
    [
        (prompts("a", language="e,n"), "default"),
        (prompts("a", language="${X}"), "default"),
        (prompts("a", id="c,1"), "default"),
        (prompts("a"), "a,b"),
        (prompts(*(["a"] * (MAX_PROMPTS + 1))), "default"),
    ],
)
def test_nothing_else_of_an_order_to_play_gets_further_either(order: PlayPrompts, place: str) -> None:
    with pytest.raises(UnsafeAction):
        actions.play("u1", order, place)


def test_the_name_of_the_order_is_there_first_and_the_way_to_it_comes_last() -> None:
    keys = KeyInput(max_digits=1, timeout_ms=0, next_ms=1)
    sent = actions.play("u1", prompts("a", keys=keys), "default")
    assert (sent[0]["Variable"], sent[0]["Value"]) == ("SR_ASK", "cmd_1")
    values = {action["Variable"]: action["Value"] for action in sent[:-1]}
    assert (values["SR_KEY_FIRST_S"], values["SR_KEY_NEXT_S"]) == ("0.001", "0.001")
    assert (sent[-1]["Action"], sent[-1]["Context"], sent[-1]["Exten"]) == ("Redirect", "switchroom-prompt", "default")
    without = {action["Variable"]: action["Value"] for action in actions.play("u1", prompts("a"), "default")[:-1]}
    assert without["SR_KEYS"] == "0", "those of an order before it must not count"


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize("file", ["", "a/b", "../a", "a b", "a,b", "${X}", "h"])
def test_a_message_of_another_name_is_refused(file: str) -> None:
    order = RecordMessage(id="c", pbx="p", leg_id="l", interaction_id="i", file=file, max_s=9, silence_s=2)
    with pytest.raises(UnsafeAction):
        actions.record_message("u1", order, "default")
