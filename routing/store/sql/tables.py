"""Every table, for migrations and checks: importing this module fills `metadata`."""

from __future__ import annotations

from routing.store.sql import (
    access_tables,
    campaign_tables,
    contact_tables,
    do_not_call_tables,
    history_tables,
    import_tables,
    report_tables,
    webhook_tables,
)
from routing.store.sql.meta import metadata

__all__ = [
    "access_tables",
    "campaign_tables",
    "contact_tables",
    "do_not_call_tables",
    "history_tables",
    "import_tables",
    "metadata",
    "report_tables",
    "webhook_tables",
]
