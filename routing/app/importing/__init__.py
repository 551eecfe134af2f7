"""Configurations of mod_callcenter and app_queue -> a directory of ours, with word of every key that was not taken."""

from __future__ import annotations

from routing.app.importing.callcenter import read_callcenter
from routing.app.importing.draft import Imported
from routing.app.importing.findings import Fate, Finding, ImportRefused
from routing.app.importing.queues import read_queues
from routing.app.importing.writing import write_directory

__all__ = ["Fate", "Finding", "ImportRefused", "Imported", "read_callcenter", "read_queues", "write_directory"]
