"""`/v1/recordings`: files of one directory, for those who may, each access told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.api.recording_files import Missing, locate
from routing.core.orders import EndInteraction, FinishWrapUp, PauseRecording, SignIn, SignOut
from routing.store.sql.database import Database
from tests.integration.history_site import Site, center

SOUND = b"RIFF" + bytes(range(256)) * 40


@pytest.fixture
def site(redis_server: RedisServer, database: Database, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "calls").mkdir()
    with center(redis_server, database, tenant(), tmp_path / "calls") as made:
        yield made


def ended_call(site: Site) -> tuple[str, str]:
    """Ids of a recorded call and of its recording."""
    call = site.call()
    site.ask(PauseRecording, agent_id="anna", interaction_id=call)
    site.ask(EndInteraction, agent_id="anna", interaction_id=call)
    site.ask(FinishWrapUp, agent_id="anna", reason="done")
    site.record()
    (recording,) = site.json(f"recordings?interaction_id={call}")["items"]
    return call, recording["id"]


def kept(site: Site, recording: str) -> Path:
    file = site.recordings / f"{recording}.wav"
    file.write_bytes(SOUND)
    return file


@pytest.mark.req("REC-08")
def test_a_recordings_pauses_are_told_with_who_and_when(site: Site) -> None:
    call, recording = ended_call(site)
    told = site.json(f"recordings/{recording}")
    assert (told["interaction_id"], told["agent_id"], told["deleted_at"]) == (call, "anna", None)
    assert [(m["kind"], m["by"], m["how"]) for m in told["marks"]] == [("paused", "agent:anna", "manual")]
    assert told["started_at"] <= told["marks"][0]["at"] <= told["stopped_at"]


@pytest.mark.req("OPS-07")
def test_the_file_is_sent_as_a_whole_or_in_ranges(site: Site) -> None:
    _call, recording = ended_call(site)
    kept(site, recording)
    path = f"recordings/{recording}/file"
    whole = site.get(path)
    assert (whole.status_code, whole.mimetype, whole.data) == (200, "audio/wav", SOUND)
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = site.get(path, Range="bytes=4-259")
    assert (part.status_code, part.data) == (206, SOUND[4:260])
    assert part.headers["Content-Range"] == f"bytes 4-259/{len(SOUND)}"
    end = site.get(path, Range="bytes=-10")
    assert end.data == SOUND[-10:]
    beyond = site.get(path, Range=f"bytes={len(SOUND)}-")
    assert (beyond.status_code, beyond.json["code"]) == (416, "range-not-satisfiable")  # type: ignore[index]
    assert beyond.headers["Content-Range"] == f"bytes */{len(SOUND)}"


@pytest.mark.req("OPS-07")
def test_each_access_to_a_file_is_audited_and_needs_its_scope(site: Site) -> None:
    call, recording = ended_call(site)
    kept(site, recording)
    path = f"recordings/{recording}/file"
    for who, status in (("poor", 403), ("stranger", 404), ("ben", 404), ("anna", 200), ("crm", 200)):
        assert site.get(path, who).status_code == status, who
    items = site.json(f"audit?subject=recording:{recording}&interaction_id={call}")["items"]
    assert sorted((e["actor"], e["action"], e["outcome"]) for e in items) == [
        ("agent:anna", "recording.read", "ok"),
        ("key:crm", "recording.read", "ok"),
    ]
    assert site.get(f"recordings?interaction_id={call}", "ben").status_code == 404
    assert site.send("DELETE", f"recordings/{recording}", "anna").status_code == 403


@pytest.mark.req("OPS-07")
def test_a_deleted_file_is_gone_and_it_is_known_who_deleted_it(site: Site) -> None:
    _call, recording = ended_call(site)
    file = kept(site, recording)
    assert site.send("DELETE", f"recordings/{recording}", "stranger").status_code == 404
    assert file.exists()
    assert site.send("DELETE", f"recordings/{recording}").status_code == 204
    assert not file.exists()
    told = site.json(f"recordings/{recording}")
    assert told["deleted_at"] is not None
    assert len(told["marks"]) == 1
    gone = site.get(f"recordings/{recording}/file")
    assert (gone.status_code, gone.json["code"]) == (404, "recording-elsewhere")  # type: ignore[index]
    assert gone.json["deleted_at"] == told["deleted_at"]  # type: ignore[index]
    assert site.send("DELETE", f"recordings/{recording}").status_code == 404
    items = site.json(f"audit?action=recording.deleted&subject=recording:{recording}")["items"]
    assert [e["actor"] for e in items] == ["key:crm"]


def test_a_file_that_the_pbx_keeps_is_said_to_be_elsewhere(site: Site) -> None:
    _call, recording = ended_call(site)
    answer = site.get(f"recordings/{recording}/file")
    assert (answer.status_code, answer.json["code"]) == (404, "recording-elsewhere")  # type: ignore[index]
    assert site.send("DELETE", f"recordings/{recording}").status_code == 404
    assert site.json(f"recordings/{recording}")["deleted_at"] is None, "nobody claims that it was deleted"


def test_a_running_recording_is_neither_sent_nor_deleted(site: Site) -> None:
    call = site.call()
    site.record()
    (recording,) = site.json(f"recordings?interaction_id={call}")["items"]
    file = kept(site, recording["id"])
    for method, path in (("GET", f"recordings/{recording['id']}/file"), ("DELETE", f"recordings/{recording['id']}")):
        answer = site.send(method, path)
        assert (answer.status_code, answer.json["code"]) == (409, "recording-running")  # type: ignore[index]
    assert file.exists()


def test_an_agent_hears_recordings_of_customers_whom_he_has_had_himself(site: Site) -> None:
    _call, recording = ended_call(site)
    kept(site, recording)
    assert site.get(f"recordings/{recording}/file", "ben").status_code == 404
    site.ask(SignOut, agent_id="anna")
    site.ask(SignIn, agent_id="ben")
    site.call("ben")
    site.record()
    assert site.get(f"recordings/{recording}/file", "ben").status_code == 200


@pytest.mark.req("OPS-07")
def test_no_name_leads_out_of_the_directory(tmp_path: Path) -> None:
    root, outside = tmp_path / "calls", tmp_path / "secret.wav"
    root.mkdir()
    outside.write_bytes(SOUND)
    (root / "good.wav").write_bytes(SOUND)
    (root / "link.wav").symlink_to(outside)
    (root / "secret.wav").symlink_to(outside)
    (root / "folder.wav").mkdir()
    os.mkfifo(root / "pipe.wav")
    assert locate(str(root), "good") == root / "good.wav"
    for name in (
        "../secret",
        "secret",
        "link",
        "folder",
        "pipe",
        "",
        ".",
        "..",
        "/etc/passwd",
        "good.wav",
        "a/b",
        "good\0",
        "x" * 999,
    ):
        assert isinstance(locate(str(root), name), Missing), name
    assert isinstance(locate("", "good"), Missing)
    assert isinstance(locate(str(tmp_path / "none"), "good"), Missing)


@pytest.mark.req("OPS-07")
@pytest.mark.parametrize("name", ["..%2Fsecret", "..%2f..%2fetc%2fpasswd", "%2e%2e", "x%00", "x" * 300])
def test_no_path_of_a_request_leads_out_of_the_directory(site: Site, name: str) -> None:
    (site.recordings.parent / "secret.wav").write_bytes(SOUND)
    answer = site.get(f"recordings/{name}/file")
    assert answer.status_code in (400, 404, 422)
    assert SOUND not in answer.data
