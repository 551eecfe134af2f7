"""Kill -9 of whatever is not the engine, again and again, under calls and a CRM at work: nothing is lost or doubled.

The PBX's own log and the engine's memory say what happened; history, webhooks and the event stream must say the same.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from standardwebhooks import Webhook

from deploy.lab.postgres import PostgresServer
from deploy.lab.site import Site, center
from routing.core.events import Event
from routing.core.interaction import Interaction, OfferEnd
from routing.store.sql.database import Database
from routing.store.sql.history import list_interactions
from routing.store.sql.history_tables import recorder_positions
from routing.store.sql.interaction_history import Record, interaction_history
from routing.store.sql.paging import PageOf
from tests.integration.receiver import Got, Receiver, Reply
from tests.system.api_storm import DIALPLANS, FILES, NUMBERS, PLANS, Storm


@pytest.fixture(params=sorted(PLANS))
def storm(request: pytest.FixtureRequest, pbx: str) -> Iterator[Storm]:
    name = str(request.param)
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        postgres = stack.enter_context(PostgresServer()) if name == "postgresql" else None
        files = center(NUMBERS) | FILES
        if postgres:
            files["database.toml"] = f'server.database_url = "{postgres.create_database("history")}"\n'
        site = stack.enter_context(Site(NUMBERS, files, pbx=pbx, dialplan=DIALPLANS, supervised=True))
        url = postgres.url("history") if postgres else f"sqlite:///{site.config}/switchroom.db"
        chance = Random(20)
        fails = Random(7)
        receiver.answer = lambda _got: Reply(500 if fails.random() < 0.03 else 204)
        yield Storm(site, PLANS[name], url, postgres, receiver, chance)


@pytest.mark.alone
@pytest.mark.timeout(400)
@pytest.mark.req("SAFE-01", "API-03", "API-06", "API-07")
def test_nothing_is_lost_or_doubled_when_processes_are_killed_under_load(storm: Storm) -> None:
    asyncio.run(asyncio.wait_for(storm.play(), 300))
    assert sorted(storm.struck) == sorted(storm.plan.victims)
    assert storm.crm.faults == []
    check_history(storm)
    check_writes(storm)
    check_repeats(storm)
    check_webhooks(storm)
    check_stream(storm)


def records(storm: Storm) -> dict[str, Record]:
    """Everything that history holds."""
    database, tenant = Database.at(storm.database_url), storm.site.tenant
    with database.read() as connection:
        page = list_interactions(connection, tenant, page=PageOf(limit=200))
        ids = [summary.id for summary in page.items]
        while page.next_cursor:
            page = list_interactions(connection, tenant, page=PageOf(cursor=page.next_cursor, limit=200))
            ids += [summary.id for summary in page.items]
        found = {id_: interaction_history(connection, tenant, id_) for id_ in ids}
        assert len(ids) == len(found)
        (position,) = connection.execute(recorder_positions.select()).all()
        assert (position.recorded_events, position.lost_events) == (len(storm.told), 0)
    database.close()
    return found


def check_history(storm: Storm) -> None:
    """One row per call that the PBX had, with the result it told the PBX, and with everybody who had a part in it."""
    found = records(storm)
    gone = storm.site.node.logged("gone=([^=\n]*)=([^=\n]*)=")
    assert Counter(id_ for id_, _result in gone) == Counter(found.keys())
    assert {id_: record.interaction.result for id_, record in found.items()} == dict(gone)
    for call in storm.ended:
        assert shown(found[call.id]) == known(call), call.id


def known(call: Interaction) -> Any:
    """As the engine remembers the call."""
    owners = [o.agent_id for o in call.past_offers if o.end is OfferEnd.ANSWERED]
    offers = [(o.agent_id, o.end.value) for o in call.past_offers]
    return call.result, call.ended_by, call.ani, call.entered_at_ms, call.ended_at_ms, owners, offers, True


def shown(record: Record) -> Any:
    """The same from history."""
    it = record.interaction
    owners = [leg.agent_id for leg in record.legs if leg.role == "owner"]
    offers = [(offer.agent_id, offer.outcome) for offer in record.offers]
    has_ended = [leg.role for leg in record.legs].count("customer") == 1 and all(leg.left_at_ms for leg in record.legs)
    return it.result, it.ended_by, it.ani, it.entered_at_ms, it.ended_at_ms, owners, offers, has_ended


def check_writes(storm: Storm) -> None:
    """What was answered with 2xx is there once, whatever it took; what was not is there once or not at all."""
    found, crm = records(storm), storm.crm
    count: dict[str, Callable[[Record, str], int]] = {
        "notes": lambda record, text: [note.text for note in record.notes].count(text),
        "cad": lambda record, value: [v.changes.get("customer_id") for v in record.cad_versions].count(value),
        "hold": lambda record, _: len(record.holds),
    }
    for kind, times in count.items():
        writes = crm.of(kind)
        assert sum(write.is_done for write in writes) > 30, (kind, len(writes))
        for write in writes:
            happened = times(found[write.interaction_id], write.value)
            assert happened in ((1,) if write.is_done else (0, 1) if write.is_unsure else (0,)), (write, happened)
    assert sum(len(record.notes) for record in found.values()) <= len(crm.of("notes"))


def check_repeats(storm: Storm) -> None:
    """On the call that lasted all the time every note was taken in the end, also those whose connection broke."""
    notes = [note for note in storm.crm.of("notes") if note.interaction_id == storm.long_call]
    assert [note for note in notes if not note.is_done] == []
    assert any(note.cuts for note in notes), "no connection broke under a request"


def check_webhooks(storm: Storm) -> None:
    """Every event that was wanted came, under one id and with one body however often, signed with the secret."""
    wanted = {s.position for s in storm.told if isinstance(s.event, Event) and s.event.type.startswith("interaction.")}
    came = {(json.loads(got.body)["data"]["id"], got.id, got.body) for got in storm.receiver.got}
    assert Counter(position for position, _id, _body in came) == Counter(wanted)
    assert len({id_ for _position, id_, _body in came}) == len(wanted)
    for got in storm.receiver.got:
        assert is_signed(got, storm.secret)


def is_signed(got: Got, secret: str) -> bool:
    at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    return Webhook(secret).sign(got.id, at, got.body.decode()) in got.headers["webhook-signature"].split(" ")


def check_stream(storm: Storm) -> None:
    """The CRM saw every event once and in order, and no gap, however often its stream broke."""
    assert [event["id"] for event in storm.crm.events] == [stored.position for stored in storm.told]
    assert storm.crm.breaks > 0
