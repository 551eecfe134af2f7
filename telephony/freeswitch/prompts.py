"""Prompts and messages: what our dialplan is asked for, and what it says when it is through. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.core.commands import GREETING_MS, RECORDED, DetectMachine, KeyInput, PlayPrompts, RecordMessage
from telephony.freeswitch import detection
from telephony.freeswitch.codec import EslEvent
from telephony.runs import Heard
from telephony.safety import language, leg_name, sound, word

# Where a package of sounds has English ones.
ENGLISH = "en/us/callie"
# Global variables of the PBX.
SETTINGS = ("SR_SOUNDS", "sound_prefix", "sounds_dir")
PLAYED = frozenset({"FILE PLAYED", "success", "timeout", "failure"})
SILENCE_ENDED = frozenset({"success-silence", "no-input-timeout"})
MAX_DIGITS = 99
MAX_MS = 9_999_999


@dataclass(frozen=True, slots=True)
class Sounds:
    """What the PBX has: its own sounds, `folders` by language in small letters and `base` for all others; and
    `recordings`.
    """

    base: str = f"/usr/share/freeswitch/sounds/{ENGLISH}"
    folders: dict[str, str] = field(default_factory=dict)
    recordings: str = ""

    @classmethod
    def of(cls, settings: Mapping[str, str], recordings: str = "") -> Sounds:
        """From SETTINGS of the PBX. SR_SOUNDS: `de:/srv/sounds/de,pt_br:/srv/sounds/brazil`."""
        folder = settings.get("sounds_dir", "").rstrip("/")
        base = settings.get("sound_prefix", "").rstrip("/")
        if base in ("", folder):  # which is what it is where nobody has set it
            base = f"{folder}/{ENGLISH}" if folder else cls().base
        pairs = (pair.partition(":") for pair in settings.get("SR_SOUNDS", "").split(","))
        folders = {name.strip().lower(): path.strip().rstrip("/") for name, _, path in pairs if path.strip()}
        return cls(base, folders, recordings)

    def path(self, name: str, spoken: str) -> str:
        """The file of a prompt. FreeSWITCH itself looks into the folder of the rate, `8000`. Raises UnsafeAction."""
        if name.startswith(RECORDED):
            return f"{sound(self.recordings)}/{word(name.removeprefix(RECORDED))}.wav"
        name, spoken = sound(name), language(spoken).lower().replace("-", "_")
        if name.startswith("/"):
            return f"{name}.wav"
        folder = self.folders.get(spoken) or self.folders.get(spoken.partition("_")[0]) or self.base
        return f"{sound(folder)}/{name}.wav"


def prompt(order: PlayPrompts, sounds: Sounds) -> str:
    """SR_ASK of `switchroom-prompt`. Raises UnsafeAction."""
    files = [sounds.path(name, order.language) for name in order.prompts]
    # Several get a quarter of a second of silence ahead of them.
    played = f"file_string://{'!'.join(files)}" if len(files) > 1 else "".join(files)
    nothing = "silence_stream://20" if order.keys is None else "silence"
    return f"{leg_name(order.id)};{_keys(order.keys)};{played or nothing}"


def _keys(keys: KeyInput | None) -> str:
    if keys is None:
        return "0;0;0;none"
    times = ";".join(str(min(max(1, ms), MAX_MS)) for ms in (keys.timeout_ms, keys.next_ms))
    return f"{min(keys.max_digits, MAX_DIGITS)};{times};{'none' if keys.max_digits == 1 else '#'}"


def after(order: PlayPrompts) -> str:
    """SR_AFTER of `switchroom-prompt`, with the order's id: what another one left behind counts for nothing."""
    return f"{leg_name(order.id)};{detection.frames(min(order.after_silence_ms, GREETING_MS))};{GREETING_MS}"


def listening(order: DetectMachine) -> str:
    """SR_ASK of `switchroom-machine`."""
    return f"{leg_name(order.id)};{detection.measures(order)}"


def message(order: RecordMessage) -> str:
    """SR_ASK of `switchroom-message`. Raises UnsafeAction."""
    return f"{leg_name(order.id)};{min(order.max_s, 99_999)};{min(order.silence_s * 1000, MAX_MS)}"


def heard(event: EslEvent) -> Heard:
    """From `switchroom::heard`."""
    command_id, how = event.get("Order"), event.get("variable_SR_HEARD")
    if how == "listened":
        return Heard(command_id=command_id, verdict=detection.verdict(event))
    if how == "recording":
        return Heard(command_id=command_id, duration_ms=_said_ms(event))
    return Heard(command_id=command_id, has_played=how in PLAYED, digits=event.get("variable_SR_KEYS"))


def _said_ms(event: EslEvent) -> int:
    """Of the recording, without the silence that ended it."""
    whole = event.get("variable_record_ms")
    silence = event.get("variable_SR_ASK").rpartition(";")[2]
    is_silence = event.get("variable_record_completion_cause") in SILENCE_ENDED and silence.isdecimal()
    return max(0, (int(whole) if whole.isdecimal() else 0) - (int(silence) if is_silence else 0))
