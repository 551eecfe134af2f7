"""`api`: the processes of the REST API."""

from __future__ import annotations

import os
import sys

from routing.app.cad_keys import codecs_of
from routing.cli.db_commands import DatabaseOption, database_url
from routing.cli.session import Session, command


@command
def api_command(session: Session, database: DatabaseOption = None) -> None:
    """Run the REST API: as many processes as the table api says, on its port. It serves every tenant of this Redis."""
    codecs_of(session.server)  # refused here rather than by each process
    told = {
        "SWITCHROOM_REDIS": session.redis,
        "SWITCHROOM_TENANT": session.tenant,
        "SWITCHROOM_CONFIG": str(session.config) if session.config else None,
        "SWITCHROOM_DATABASE": database_url(session.server, database),
    }
    environment = os.environ | {name: value for name, value in told.items() if value is not None}
    # A program of its own with the same pid: gevent must patch what blocks before anything is imported.
    os.execve(sys.executable, [sys.executable, "-m", "routing.api.server"], environment)  # noqa: S606
