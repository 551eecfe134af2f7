"""Recording on a real PBX with the own processes: what is in the files, and pauses that outlive a crash."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from itertools import groupby
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.lab.people import order
from deploy.lab.recorded import passages
from deploy.lab.site import Site, center
from routing.cli.main import app
from routing.core.events import Event, EventType
from routing.core.interaction import Interaction, InteractionState
from routing.core.orders import Hold, Resume, ResumeRecording, SignOut
from routing.core.recording import RecordingState
from tests.system.center import MUSIC_HZ, Center, Pair, tone_of

NUMBERS = ["1001", "1002"]
PAUSE_S = 6  # nobody is in such a hurry on a busy machine
SLACK_S = 0.4
TALK_S = 1.0
S, R = InteractionState, RecordingState


def files() -> dict[str, str]:
    """Agent 1001 is recorded, 1002 is not."""
    found = center(NUMBERS)
    found["floor.toml"] += f"[profiles.recorded]\nrecord = true\n[calls]\nrecording_pause_s = {PAUSE_S}\n"
    found["agents.toml"] = found["agents.toml"].replace('pin = "1001"', 'pin = "1001"\nprofile = "recorded"')
    return found


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    with Site(NUMBERS, files(), pbx=pbx) as running:
        yield running


class Desk:
    """One caller with one agent."""

    def __init__(self, site: Site, number: str) -> None:
        self.site, self.number, self.c = site, number, Center(site)
        self.pair: Pair

    async def begin(self) -> None:
        await self.c.agent(self.number)
        await self.c.when_free([self.number])
        self.pair = await self.c.pair(await self.c.caller())
        await self.pair.hear_each_other()
        (interaction,) = (await self.c.state()).interactions.values()
        self.id, self.file = interaction.id, interaction.recording.file

    async def cli(self, *words: str) -> Any:
        return await asyncio.to_thread(said, self.site, "call", *words, f"a{self.number}")

    async def do(self, kind: type) -> None:
        reply = await order(self.c.store, kind, agent_id=f"a{self.number}", interaction_id=self.id)
        assert reply.code == "ok", reply

    async def reaches(self, is_so: Callable[[Interaction], bool], within: float = 10.0) -> None:
        await self.c.when(lambda s: is_so(s.interactions[self.id]), within)

    async def talk(self, seconds: float = TALK_S) -> None:
        """Real time has to pass in the file."""
        await asyncio.sleep(seconds)

    async def finish(self) -> list[tuple[frozenset[int], float]]:
        """What is in the file of the ended call, transitions left out."""
        await self.pair.caller.hangup()
        await self.pair.agent.ended()
        await self.c.ended()
        path = self.site.node.recording(self.file)
        deadline = time.monotonic() + 5
        while not path.exists() or path.stat().st_size <= 44:
            assert time.monotonic() < deadline, f"no {path}: {[p.name for p in path.parent.glob('*')]}"
            await asyncio.sleep(0.05)
        tones = [tone_of(self.pair.caller), tone_of(self.pair.agent), MUSIC_HZ]
        return joined([p for p in await asyncio.to_thread(passages, path, tones) if p[1] > SLACK_S])

    @property
    def both(self) -> frozenset[int]:
        return frozenset({tone_of(self.pair.caller), tone_of(self.pair.agent)})


def said(site: Site, *words: str) -> Any:
    """The answer of a command line, run in this process: how long a new one takes to start says nothing of a pause."""
    result = CliRunner().invoke(app, [*words, "--json"], env=site.environment)
    assert result.exit_code == 0, result.output
    return json.loads(result.output) if result.output.strip() else None


def joined(found: list[tuple[frozenset[int], float]]) -> list[tuple[frozenset[int], float]]:
    """What sounds alike on both sides of a transition, as one passage."""
    groups = groupby(found, key=lambda passage: passage[0])
    return [(tones, sum(seconds for _, seconds in group)) for tones, group in groups]


def play(site: Site, scene: Callable[[Desk], Coroutine[Any, Any, None]], number: str = "1001") -> None:
    async def evening() -> None:
        desk = Desk(site, number)
        try:
            await asyncio.wait_for(desk.begin(), 30)
            await asyncio.wait_for(scene(desk), 60)
        finally:
            await asyncio.gather(*(p.close() for p in desk.c.callers), return_exceptions=True)
            await desk.c.when(lambda s: not s.interactions, 15)
            await order(desk.c.store, SignOut, agent_id=f"a{number}")
            await desk.c.close()

    asyncio.run(evening())


async def told(desk: Desk) -> list[Event]:
    kinds = (EventType.RECORDING_STARTED, EventType.RECORDING_PAUSED, EventType.RECORDING_RESUMED)
    events = await desk.c.events(*kinds, EventType.RECORDING_STOPPED)
    return [event for event in events if event.interaction_id == desk.id]


async def audit(desk: Desk) -> list[tuple[str, str, object]]:
    return [(e.type.value, e.agent_id, e.values["how"]) for e in await told(desk)]


@pytest.mark.req("REC-01", "REC-02", "REC-03", "REC-06", "REC-07", "REC-08")
def test_a_call_is_recorded_with_both_voices_and_silence_where_it_was_paused(site: Site) -> None:
    async def scene(desk: Desk) -> None:
        await desk.talk()
        await desk.cli("pause-recording")
        (row,) = await asyncio.to_thread(said, site, "calls")
        assert row["recording"] == "paused"
        await desk.talk()
        await desk.cli("resume-recording")
        await desk.talk(PAUSE_S + 1)
        found = await desk.finish()
        assert [tones for tones, _ in found] == [desk.both, frozenset(), desk.both], found
        assert TALK_S - SLACK_S < found[1][1] < PAUSE_S
        assert await audit(desk) == [
            ("recording.started", "a1001", "automatic"),
            ("recording.paused", "a1001", "manual"),
            ("recording.resumed", "a1001", "manual"),
            ("recording.stopped", "a1001", "automatic"),
        ]

    play(site, scene)


@pytest.mark.req("REC-04", "REC-05")
def test_a_pause_ends_by_itself_although_every_engine_was_killed_during_it(site: Site) -> None:
    async def scene(desk: Desk) -> None:
        await desk.talk()
        await desk.cli("pause-recording")
        for name in ("engine", "standby", "connector"):
            site.kill(name)
        await desk.talk(0.5)
        for name in ("engine", "standby", "connector"):
            site.start_process(name)
        await desk.reaches(lambda i: i.recording.state is R.RECORDING, 40)
        _, pause, end = await told(desk)
        assert end.at_ms - pause.at_ms > (PAUSE_S - SLACK_S) * 1000
        await desk.talk(2)
        await desk.pair.hear_each_other()
        found = await desk.finish()
        assert [tones for tones, _ in found] == [desk.both, frozenset(), desk.both], found
        assert found[1][1] > PAUSE_S - SLACK_S
        assert (await audit(desk))[1:3] == [
            ("recording.paused", "a1001", "manual"),
            ("recording.resumed", "a1001", "automatic"),
        ]

    play(site, scene)


@pytest.mark.req("REC-03")
def test_hold_music_is_not_recorded_and_the_time_line_goes_on(site: Site) -> None:
    async def scene(desk: Desk) -> None:
        await desk.talk()
        await desk.do(Hold)
        await desk.reaches(lambda i: i.state is S.HELD and i.rooms_reached == i.rooms_version)
        await desk.pair.caller.hears(MUSIC_HZ)
        await desk.talk()
        await desk.do(Resume)
        await desk.pair.hear_each_other()
        await desk.talk()
        found = await desk.finish()
        assert [tones for tones, _ in found] == [desk.both, frozenset(), desk.both], found

    play(site, scene)


@pytest.mark.req("REC-01", "REC-03")
def test_an_agent_who_is_not_recorded_has_no_file_and_nothing_to_pause(site: Site) -> None:
    async def scene(desk: Desk) -> None:
        reply = await order(desk.c.store, ResumeRecording, agent_id="a1002", interaction_id=desk.id)
        assert reply.code == "action-not-allowed"
        assert desk.file == ""
        await desk.talk()
        directory = site.node.recording("none").parent
        assert not [p for p in directory.glob("*") if desk.id in p.name]

    play(site, scene, "1002")
