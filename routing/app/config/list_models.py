"""The table of the files that says how lists are imported."""

from __future__ import annotations

from pydantic import Field

from routing.app.config.scalars import Table


class ListsTable(Table):
    """Import of lists. Read at the start of the processes that take and import them."""

    upload_mb: int = Field(default=512, ge=1, le=65_536, description="Largest file that is taken, in MiB")
    report_rows: int = Field(
        default=10_000, ge=0, le=1_000_000, description="Refused rows of a file that its report names; all are counted"
    )
    keep_days: int = Field(default=90, ge=1, le=3650, description="Days that an import and its report stay known")
