"""What FreeSWITCH's dialplan is asked to play and to record, and what it says about it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dialplan
from routing.core.commands import KeyInput, PlayPrompts, RecordMessage
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.prompts import Sounds, heard, message, prompt
from telephony.runs import Heard
from telephony.safety import UnsafeAction

DIALPLAN = Path(dialplan.__file__).parent / "freeswitch" / "switchroom.xml"
SOUNDS = Sounds.of(
    {
        "sounds_dir": "/usr/share/freeswitch/sounds",
        "sound_prefix": "/usr/share/freeswitch/sounds/en/us/callie",
        "SR_SOUNDS": "de:/srv/sounds/de/, pt_BR:/srv/sounds/brazil",
    },
    "/var/lib/freeswitch/recordings/switchroom",
)


def play(*prompts: str, language: str = "en", keys: KeyInput | None = None) -> PlayPrompts:
    return PlayPrompts(
        id="cmd_1", pbx="pbx1", leg_id="leg_1", interaction_id="int_1", prompts=prompts, language=language, keys=keys
    )


def taken(context: str, extension: str, question: str) -> tuple[str, ...] | None:
    """What that extension of the real dialplan reads out of the question; None: it is not its own."""
    (place,) = (c for c in ET.parse(DIALPLAN).iter("context") if c.get("name") == context)
    (found,) = (e for e in place.iter("extension") if e.get("name") == extension)
    (condition,) = found.iter("condition")
    match = re.search(condition.get("expression", ""), f"default;{question}")
    return match.groups() if match else None


def test_a_prompt_is_a_wav_file_and_several_are_one_string() -> None:
    assert taken("switchroom-prompt", "sounds", prompt(play("/srv/hello"), SOUNDS)) == (
        "default",
        "cmd_1",
        "/srv/hello.wav",
    )
    several = prompt(play("/srv/hello", "/srv/menu"), SOUNDS)
    assert taken("switchroom-prompt", "sounds", several) == (
        "default",
        "cmd_1",
        "file_string:///srv/hello.wav!/srv/menu.wav",
    )


@pytest.mark.parametrize(
    ("language", "file"),
    [
        ("en", "/usr/share/freeswitch/sounds/en/us/callie/digits/3.wav"),
        ("de", "/srv/sounds/de/digits/3.wav"),
        ("de_AT", "/srv/sounds/de/digits/3.wav"),
        ("pt-BR", "/srv/sounds/brazil/digits/3.wav"),
        ("fr", "/usr/share/freeswitch/sounds/en/us/callie/digits/3.wav"),
    ],
)
def test_the_pbxs_own_sounds_come_from_the_folder_of_the_language(language: str, file: str) -> None:
    assert prompt(play("digits/3", language=language), SOUNDS).endswith(f";{file}")


def test_a_message_is_played_from_where_it_was_recorded() -> None:
    asked = prompt(play("recording:int_1-msg_1"), SOUNDS)
    assert asked.endswith(";/var/lib/freeswitch/recordings/switchroom/int_1-msg_1.wav")
    for file in ("../x", "a/b", "a b", ""):
        with pytest.raises(UnsafeAction):
            prompt(play(f"recording:{file}"), SOUNDS)


def test_without_settings_the_package_of_english_sounds_is_looked_into() -> None:
    assert Sounds.of({}).path("digits/3", "en") == "/usr/share/freeswitch/sounds/en/us/callie/digits/3.wav"
    unset = {"sounds_dir": "/opt/s", "sound_prefix": "/opt/s"}
    assert Sounds.of(unset).path("digits/3", "en") == "/opt/s/en/us/callie/digits/3.wav"
    assert Sounds.of({"sounds_dir": "/opt/s"}).path("digits/3", "en") == "/opt/s/en/us/callie/digits/3.wav"


def test_a_single_digit_may_be_any_and_several_end_with_a_hash() -> None:
    one = prompt(play("/srv/menu", keys=KeyInput(max_digits=1, timeout_ms=5000, next_ms=2000)), SOUNDS)
    assert taken("switchroom-prompt", "keys", one) == (
        "default",
        "cmd_1",
        "1",
        "5000",
        "2000",
        "none",
        "/srv/menu.wav",
    )
    assert taken("switchroom-prompt", "sounds", one) is None
    several = prompt(play(keys=KeyInput(max_digits=16, timeout_ms=0, next_ms=99_999_999)), SOUNDS)
    assert taken("switchroom-prompt", "keys", several) == ("default", "cmd_1", "16", "1", "9999999", "#", "silence")


def test_nothing_to_play_and_no_digits_wanted_is_over_at_once() -> None:
    asked = prompt(play(), SOUNDS)
    assert taken("switchroom-prompt", "sounds", asked) == ("default", "cmd_1", "silence_stream://20")


def test_a_message_says_how_long_it_may_be() -> None:
    order = RecordMessage(
        id="cmd_1", pbx="pbx1", leg_id="leg_1", interaction_id="int_1", file="msg_1", max_s=120, silence_s=4
    )
    assert taken("switchroom-message", "message", message(order)) == ("default", "cmd_1", "120", "4000")


@pytest.mark.req("SAFE-03")
@given(st.text(max_size=40) | st.text("${}();!/.+a'\\ \n", max_size=20))
def test_no_name_of_a_prompt_gets_out_of_its_place(name: str) -> None:
    """Whatever is let through is read by the dialplan as this one file, and holds nothing that FreeSWITCH expands."""
    try:
        asked = prompt(play(f"/srv/{name}"), SOUNDS)
    except UnsafeAction:
        return
    assert taken("switchroom-prompt", "sounds", asked) == ("default", "cmd_1", f"/srv/{name}.wav")
    assert not set("$!;, '\\\n") & set(name)


@pytest.mark.req("SAFE-03")
@pytest.mark.parametrize("language", ["en$", "../etc", "", "en us"])
def test_a_language_that_is_none_is_refused(language: str) -> None:
    with pytest.raises(UnsafeAction):
        prompt(play("digits/1", language=language), SOUNDS)


def event(**fields: str) -> EslEvent:
    return EslEvent({"Order": "cmd_1", **{f"variable_{name}": value for name, value in fields.items()}})


@pytest.mark.parametrize(
    ("how", "has_played"),
    [
        ("FILE PLAYED", True),
        ("FILE NOT FOUND", False),
        ("PLAYBACK ERROR", False),
        ("success", True),
        ("timeout", True),
        ("failure", True),
        ("", False),
    ],
)
def test_prompts_that_were_not_found_have_not_played(how: str, has_played: bool) -> None:
    found = heard(event(SR_HEARD=how, SR_KEYS="42"))
    assert found == Heard(command_id="cmd_1", has_played=has_played, digits="42")


@pytest.mark.parametrize(
    ("cause", "said_ms"), [("success-silence", 2500), ("no-input-timeout", 2500), ("success-maxtime", 5500), ("", 5500)]
)
def test_the_silence_that_ends_a_message_is_not_part_of_it(cause: str, said_ms: int) -> None:
    told = event(SR_HEARD="recording", SR_ASK="cmd_1;60;3000", record_ms="5500", record_completion_cause=cause)
    assert heard(told) == Heard(command_id="cmd_1", duration_ms=said_ms)
