"""Retention: recordings, history and audit are deleted when their time is over (OPS-07).

Safe to be stopped at any moment and to run twice: a file is deleted before its row says so, and what was missed is
found again by the next run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

import structlog
from sqlalchemy import Connection

from routing.app.settings import RetentionSettings
from routing.store.sql import campaign_expiry, campaign_reserves, expiry, report_marks
from routing.store.sql.database import Database
from routing.store.sql.expiry import OldRecording

log = structlog.get_logger()

DAY_MS = 24 * 3600 * 1000
BATCH = 200
AUDIT_BATCH = 1000
ROWS_BATCH = 1000
Delete = Callable[[Connection, str, int, int, int], int]
SUFFIX = ".wav"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """What one run has deleted. `failed_files` could not be deleted and will be tried again. `campaign_rows`: attempts,
    results, answers of guides.
    """

    files: int = 0
    failed_files: int = 0
    interactions: int = 0
    audit_entries: int = 0
    campaign_rows: int = 0
    ledger_rows: int = 0
    report_rows: int = 0


def retire(
    database: Database, tenant: str, rules: RetentionSettings, recordings_directory: str, now_ms: int
) -> Retired:
    """Delete what is older than `rules` allow, in short transactions. Raises StoreUnavailable, StoreRefused.

    Without `recordings_directory` the files stay with the PBX, and whoever keeps them deletes them: then the history
    goes when it is due, and its recordings are forgotten with it.
    """
    files = failed = interactions = entries = 0
    days = [d for d in (rules.recording_days, rules.history_days) if d is not None]
    if days and recordings_directory:
        files, failed = _files(database, tenant, recordings_directory, (now_ms - min(days) * DAY_MS, now_ms))
    if rules.history_days is not None:
        before_ms = now_ms - rules.history_days * DAY_MS
        with database.begin() as connection:
            # First: what reports were made from goes, their figures stay.
            report_marks.freeze(connection, tenant, before_ms)
        if not recordings_directory:
            _forget_files(database, tenant, before_ms, now_ms)
        interactions = _all(
            database, lambda connection: expiry.delete_interactions(connection, tenant, before_ms, now_ms, BATCH)
        )
        with database.begin() as connection:
            expiry.delete_unread(connection, tenant, before_ms)
            expiry.delete_changes(connection, tenant, before_ms)
    if rules.audit_days is not None:
        before_audit_ms = now_ms - rules.audit_days * DAY_MS
        entries = _all(
            database, lambda connection: expiry.delete_audit(connection, tenant, before_audit_ms, now_ms, AUDIT_BATCH)
        )
    retired = Retired(
        files=files,
        failed_files=failed,
        interactions=interactions,
        audit_entries=entries,
        **_campaigns_and_reports(database, tenant, rules, now_ms),
    )
    if retired != Retired():
        log.info("retention_done", tenant=tenant, **asdict(retired))
    return retired


def _campaigns_and_reports(database: Database, tenant: str, rules: RetentionSettings, now_ms: int) -> dict[str, int]:
    with database.begin() as connection:
        campaign_reserves.forget(connection, tenant, now_ms)
        if rules.report_days is not None:  # first: what is deleted is not computed anew
            report_marks.freeze(connection, tenant, now_ms - rules.report_days * DAY_MS)
    steps: tuple[tuple[str, int | None, Delete], ...] = (
        ("campaign_rows", rules.campaign_days, campaign_expiry.delete_attempts),
        ("ledger_rows", rules.ledger_days, campaign_expiry.delete_ledger),
        ("report_rows", rules.report_days, campaign_expiry.delete_reports),
    )
    done: dict[str, int] = {}
    for name, days, delete in steps:
        if days is not None:
            work = partial(_portion, delete, tenant, (now_ms - days * DAY_MS, now_ms))
            done[name] = _all(database, work)
    return done


def _portion(delete: Delete, tenant: str, times: tuple[int, int], connection: Connection) -> int:
    return delete(connection, tenant, *times, ROWS_BATCH)


def _all(database: Database, work: Callable[[Connection], int]) -> int:
    """One portion per transaction, until there is none left."""
    total = 0
    while True:
        with database.begin() as connection:
            done = work(connection)
        total += done
        if not done:
            return total


def _files(database: Database, tenant: str, directory: str, times: tuple[int, int]) -> tuple[int, int]:
    """Delete the files of calls from before the first of the two times; (deleted or missing, failed)."""
    before_ms, now_ms = times
    try:
        root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        log.error("recordings_unreachable", tenant=tenant, directory=directory, reason=error.strerror)
        return 0, 0
    done, failed, after = 0, 0, ""
    try:
        while True:
            with database.read() as connection:
                found = expiry.old_recordings(connection, tenant, before_ms, BATCH, after)
            if not found:
                return done, failed
            if not after and not os.listdir(root):  # noqa: PTH208 - of the directory that is open
                # More likely a disk that is not mounted than one without a single file: forget none of them.
                log.error("recordings_unreachable", tenant=tenant, directory=directory, reason="it is empty")
                return 0, 0
            gone = [(old, was_there) for old in found if (was_there := _unlink(root, tenant, old)) is not None]
            with database.begin() as connection:
                for old, was_there in gone:
                    expiry.mark_deleted(connection, tenant, old, now_ms, was_there=was_there)
            done, failed, after = done + len(gone), failed + len(found) - len(gone), found[-1].file
    finally:
        os.close(root)


def _unlink(root: int, tenant: str, old: OldRecording) -> bool | None:
    """Whether the file was there; None: it still is.

    A name that is not one of ours is no path into the directory, so there is nothing to delete. Of a link the link
    is deleted and not what it leads to.
    """
    if not _NAME.fullmatch(old.file):
        log.error("recording_name_bad", tenant=tenant, file=old.file[:64])
        return False
    try:
        os.unlink(f"{old.file}{SUFFIX}", dir_fd=root)
    except FileNotFoundError:
        return False
    except OSError as error:
        log.error("recording_not_deleted", tenant=tenant, file=old.file, reason=error.strerror)
        return None
    return True


def _forget_files(database: Database, tenant: str, before_ms: int, now_ms: int) -> None:
    while True:
        with database.begin() as connection:
            found = expiry.old_recordings(connection, tenant, before_ms, BATCH)
            for old in found:
                expiry.mark_deleted(connection, tenant, old, now_ms, was_there=False)
        if not found:
            return
