"""A list in a database, files put into it by hand, and an importer in this process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from sqlalchemy import select

from routing.app.clock import ManualClock
from routing.app.lists.spec import ImportKind, ImportSpec, spec_to
from routing.app.settings import ListSettings
from routing.core.campaign_rules import Campaign, DialMode
from routing.core.config import Config, Numbers
from routing.store.sql import import_jobs
from routing.store.sql.campaign_tables import records
from routing.store.sql.database import Database
from routing.store.sql.do_not_call import Mark, mark
from routing.store.sql.import_jobs import Import, Line, NewImport
from routing.store.sql.import_lists import RecordList, create_list
from workers.imports import Importer, ImporterSettings

CAMPAIGN, LIST = "spring", "lst_1"
RULES = Numbers(country="1")
_numbers = count(1)


def configuration(tenant: str) -> Config:
    campaign = Campaign(id=CAMPAIGN, label="Spring", mode=DialMode.PREVIEW, queue="sales", ani="+12025550100")
    return Config(tenant=tenant, numbers=RULES, campaigns={CAMPAIGN: campaign})


@dataclass(slots=True)
class ImportSite:
    """The database may be shared: each site has a tenant of its own."""

    database: Database
    tenant: str = field(default_factory=lambda: f"lists{next(_numbers)}")
    clock: ManualClock = field(default_factory=ManualClock)
    config: Config = field(init=False)
    settings: ImporterSettings = field(default_factory=lambda: ImporterSettings(retry_s=0.01, portion_rows=100))

    def __post_init__(self) -> None:
        self.config = configuration(self.tenant)
        made = RecordList(id=LIST, campaign=CAMPAIGN, name="March", time_zone="", created_by="test", created_at_ms=1)
        with self.database.begin() as connection:
            create_list(connection, self.tenant, made)

    def importer(self) -> Importer:
        return Importer(self.tenant, self.database, self.clock, lambda: self.config, self.settings)

    def upload(self, *pieces: bytes, campaign: str = CAMPAIGN, **spec: Any) -> str:
        """A whole file that waits; its id."""
        id_, made = f"imp_{next(_numbers):06}", ImportSpec(**spec)
        is_list = made.kind is ImportKind.RECORDS
        new = NewImport(
            id=id_,
            kind=made.kind.value,
            spec=spec_to(made),
            upload="u",
            created_by="test",
            campaign=campaign,
            list_id=LIST if is_list else "",
        )
        with self.database.begin() as connection:
            import_jobs.begin_upload(connection, self.tenant, new, self.clock.now_ms())
            for part, piece in enumerate(pieces):
                import_jobs.add_part(connection, self.tenant, (id_, "u"), part, piece, self.clock.now_ms())
            import_jobs.end_upload(connection, self.tenant, (id_, "u"), self.clock.now_ms())
        return id_

    def done(self, text: str | bytes, **spec: Any) -> Import:
        """A file that has been imported, or has failed."""
        id_ = self.upload(text.encode() if isinstance(text, str) else text, **spec)
        while self.importer().run_one():
            pass
        return self.found(id_)

    def found(self, import_id: str) -> Import:
        with self.database.read() as connection:
            return import_jobs.get_import(connection, self.tenant, import_id)

    def report(self, import_id: str) -> list[Line]:
        with self.database.read() as connection:
            return [line for _place, line in import_jobs.report_of(connection, self.tenant, import_id, -1, 10_000)]

    def refused(self, found: Import) -> list[tuple[int, str]]:
        """Lines that were refused, and why."""
        return [(line.line, line.reason) for line in self.report(found.id) if not line.is_taken]

    def records(self) -> list[dict[str, Any]]:
        """In the order of the list."""
        query = select(records).where(records.c.tenant == self.tenant).order_by(records.c.list_order, records.c.id)
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def numbers(self) -> list[list[str]]:
        return [[number["number"] for number in row["numbers"]] for row in self.records()]

    def mark(self, *numbers: str, campaign: str = "") -> None:
        for number in numbers:
            given = Mark(number="", campaign=campaign, written=number, note="", marked_by="test", marked_at_ms=1)
            with self.database.begin() as connection:
                mark(connection, self.tenant, given, RULES)

    def change(self, record_id: str, **values: Any) -> None:
        with self.database.begin() as connection:
            connection.execute(records.update().where(records.c.id == record_id).values(values))

    def keep(self, **settings: Any) -> None:
        self.settings = replace(self.settings, lists=ListSettings(**settings))


def csv_of(header: str, lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in (header, *lines))
