"""A call over a real PBX under `switchroom up`: the recorder has written down what was heard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from deploy.lab.people import order
from deploy.lab.site import Site, center
from routing.core.orders import FinishWrapUp, Hold, PauseRecording, Resume, ResumeRecording
from routing.store.sql.database import Database
from routing.store.sql.history import HistoryFilter, View, agent_history, list_interactions, number_to_call
from routing.store.sql.interaction_history import Record, interaction_history
from tests.system.center import Center
from tests.waiting import until

NUMBER, AGENT = "1001", "a1001"


def files() -> dict[str, str]:
    found = center([NUMBER], wrap_up="{ timeout_s = 60 }")
    found["floor.toml"] += "[calls]\nrecording_pause_s = 30\n"
    found["floor.toml"] = found["floor.toml"].replace("[profiles.default]", "[profiles.default]\nrecord = true")
    return found


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    with Site([NUMBER], files(), supervised=True, pbx=pbx) as running:
        yield running


@pytest.mark.req("HIST-01", "HIST-02", "REC-08")
def test_a_whole_call_is_in_the_history_once_it_is_wrapped_up(site: Site) -> None:
    database = Database.at(f"sqlite:///{site.config}/switchroom.db")

    def record(interaction_id: str) -> Record:
        with database.read() as connection:
            return interaction_history(connection, site.tenant, interaction_id)

    def ended() -> list[str]:
        with database.read() as connection:
            found = list_interactions(connection, site.tenant, HistoryFilter(result="answered"))
        return [summary.id for summary in found.items]

    def listed() -> list[str]:
        with database.read() as connection:
            return [c.interaction_id for c in agent_history(connection, site.tenant, AGENT, View.CALLS).items]

    async def play() -> None:
        c = Center(site)
        await c.agent(NUMBER)
        await c.when_free([NUMBER])
        pair = await c.pair(await c.caller())
        await pair.hear_each_other()
        (interaction,) = (await c.state()).interactions.values()
        for kind in (Hold, Resume, PauseRecording, ResumeRecording):
            reply = await order(c.store, kind, agent_id=AGENT, interaction_id=interaction.id)
            assert reply.code == "ok", reply
            await c.when(lambda s: all(i.rooms_reached == i.rooms_version for i in s.interactions.values()))
        await pair.caller.hangup()
        await c.when_agent(NUMBER, "wrap_up")
        await until(lambda: ended() == [interaction.id], within=10)
        assert listed() == []
        assert (await order(c.store, FinishWrapUp, agent_id=AGENT, reason="Done")).code == "ok"
        await until(lambda: listed() == [interaction.id], within=10)
        check(record(interaction.id), interaction.recording.file)
        with database.read() as connection:
            number = number_to_call(connection, site.tenant, AGENT, interaction.id)
        assert number == pair.caller.phone.user
        assert site.node.recording(interaction.recording.file).exists()
        await c.close()

    asyncio.run(asyncio.wait_for(play(), 50))
    database.close()


def check(record: Record, file: str) -> None:
    assert (record.interaction.result, record.interaction.ended_by) == ("answered", "customer")
    assert [(o.agent_id, o.outcome) for o in record.offers] == [(AGENT, "answered")]
    assert {(leg.role, leg.agent_id) for leg in record.legs} == {("customer", None), ("owner", AGENT)}
    (hold,) = record.holds
    assert hold.resumed_at_ms is not None
    assert 0 < hold.resumed_at_ms - hold.held_at_ms < 5000
    (recording,) = record.recordings
    assert recording.file == file
    assert [(m.kind, m.by, m.how) for m in recording.marks] == [
        ("paused", "lab", "manual"),
        ("resumed", "lab", "manual"),
    ]
