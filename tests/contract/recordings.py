"""Recordings of the contract suite on a real FreeSWITCH: what is in them, and what is left out of what it sent."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "wire" / "freeswitch" / "contract"
AGAIN = "SWITCHROOM_RECORD_WIRE=1 pytest tests/contract -k freeswitch_recording"
SECRET = "recorded"  # of the replayed FreeSWITCH
PLACE = "/lab"  # instead of the folder of the FreeSWITCH that was recorded

# Left out of events and of `uuid_dump`: what the machine, the build and the clock of the recording were, what codecs
# were used, and most variables. A connector that begins to read one of them needs new recordings.
DROPPED = re.compile(
    r"FreeSWITCH-.*|Core-UUID|Event-(Date|Calling)-.*|Channel-(Read|Write)-.*|Other-Leg-.*|Presence-Call-Direction"
    r"|Channel-(State-Number|Presence-ID|HIT-Dialplan)"
    r"|Caller-(?!Context$|Destination-Number$|Channel-Answered-Time$|Caller-ID-N|Username$).*"
    r"|Conference-(?!Name$).*|(?!Member-ID$)(Video|Floor|See|Speak|Hold|Mute|Talking|Hear|Energy|Current|Old|New)-?.*"
    r"|contact|network-.*|user-agent|rpid|call-id|ping-status|username|profile-name|to-.*|auth-result|presence-.*"
)
KEPT_VARIABLES = re.compile(
    r"SR_.*|(dialed_)?(user|domain)(_name)?|hangup_cause(_q850)?|bridge_uuid|originate_disposition|current_application"
    r"|record_(ms|completion_cause)|detect_(audio|silence)_timeout|last_bridge_hangup_cause|sip_(term_status|hangup_disposition)|proto_specific_hangup_cause"
)
# Of the lists that FreeSWITCH gives as JSON.
KEPT_FIELDS = frozenset("row_count rows uuid direction state reg_user realm conference_name members id".split())


class What(StrEnum):
    """DO, DONE: the test asked something of its lab, and had it. LINK: the connector is in and has subscribed.
    SENT: a command of the connector. CAME: messages of the PBX."""

    DO = "do"
    DONE = "done"
    LINK = "link"
    SENT = "sent"
    CAME = "came"


class Role(StrEnum):
    """Of a connection."""

    EVENTS = "events"
    COMMANDS = "commands"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the PBX. `fields`: of the event in it, or those of a reply beside its length."""

    role: Role
    content_type: str
    fields: dict[str, Any]
    body: str = ""

    @property
    def is_reply(self) -> bool:
        return self.content_type in ("command/reply", "api/response")


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` and `text`: who did what, or the command. `value`: what came of it, an error in a list of its own."""

    at_ms: int
    what: What
    name: str = ""
    text: str = ""
    value: Any = None
    messages: tuple[Message, ...] = ()


@dataclass(slots=True)
class Recording:
    """`ids_from_ms`: what the test's ids began with. `reads`: (whose, what, value) the test looked at, in order."""

    ids_from_ms: int
    subscriptions: dict[str, str] = field(default_factory=dict)
    reads: list[tuple[str, str, Any]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


def path_of(module: str, test: str) -> Path:
    """`test` with its parameters, without the lab's."""
    name = re.sub(r"[^a-z0-9]+", "_", test.removeprefix("test_").lower()).strip("_")
    return FOLDER / module.removeprefix("test_pbx_") / f"{name}.json.gz"


def save(recording: Recording, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text_of_recording(recording).encode("utf-8", "surrogatepass"), 9, mtime=0))


def load(path: Path) -> Recording:
    """Raises AssertionError when there is none."""
    assert path.exists(), f"no recording {path.name}: with a FreeSWITCH, {AGAIN}"
    return recording_of_text(gzip.decompress(path.read_bytes()).decode("utf-8", "surrogatepass"))


def text_of_recording(recording: Recording) -> str:
    entries = [{k: v for k, v in asdict(entry).items() if v not in ("", None, ())} for entry in recording.entries]
    return json.dumps({**asdict(recording), "entries": entries}, ensure_ascii=False, separators=(",", ":"))


def recording_of_text(text: str) -> Recording:
    found = json.loads(text)
    found["reads"] = [tuple(read) for read in found["reads"]]
    found["entries"] = [_entry(entry) for entry in found["entries"]]
    return Recording(**found)


def _entry(found: dict[str, Any]) -> Entry:
    messages = tuple(Message(Role(m.pop("role")), **m) for m in found.pop("messages", ()))
    return Entry(what=What(found.pop("what")), messages=messages, **found)


# ---------------------------------------------------------------------- what is left out


def trimmed_event(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if _is_kept(name)}


def _is_kept(name: str) -> bool:
    if name.startswith("variable_"):
        return KEPT_VARIABLES.fullmatch(name.removeprefix("variable_")) is not None
    return DROPPED.fullmatch(name) is None


def trimmed_answer(command: str, body: str) -> str:
    """The answer to an API command without what nobody reads."""
    if not body.startswith(("{", "[")):
        return body
    found = json.loads(body)
    if command.startswith("api uuid_dump"):
        return json.dumps(trimmed_event(found), ensure_ascii=False)
    return json.dumps(_trimmed(found), ensure_ascii=False)


def _trimmed(found: Any) -> Any:
    if isinstance(found, list):
        return [_trimmed(each) for each in found]
    if isinstance(found, dict):
        return {name: _trimmed(value) for name, value in found.items() if name in KEPT_FIELDS}
    return found
