"""What is installed is whole: of the source tree here, of the built wheel in `deploy/test wheel`."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGES = ("routing", "telephony", "dialplan", "workers", "deploy.lab")


def modules() -> Iterator[str]:
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield name
        yield from (found.name for found in pkgutil.walk_packages(package.__path__, f"{name}."))


def test_every_module_can_be_imported() -> None:
    # The environment of the migrations is a script that Alembic runs in a context of its own.
    found = [name for name in modules() if not name.endswith(".migrations.env")]
    assert {"routing.api.application", "routing.cli.main", "workers.recorder", "workers.webhooks"} <= set(found)
    for name in found:
        importlib.import_module(name)


def test_the_migrations_are_there_and_lead_to_one_head() -> None:
    from routing.store.sql import migrate

    assert re.fullmatch(r"\d{4}\w*", migrate.head())


def test_the_scripts_that_redis_runs_are_there() -> None:
    folder = files("routing.store") / "lua"
    assert {"commit.lua", "append_once.lua", "reserve_key.lua"} <= {entry.name for entry in folder.iterdir()}


def test_the_dialplan_for_integrators_is_there() -> None:
    assert "[switchroom]" in (files("dialplan.asterisk") / "switchroom.conf").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["js/swagger-ui-bundle.js", "css/swagger-ui.css"])
def test_the_page_of_the_api_has_its_files_without_the_internet(name: str) -> None:
    found = find_spec("flask_openapi3_swagger")
    assert found
    assert found.origin
    assert (Path(found.origin).parent / "templates" / "swagger" / name).stat().st_size > 10_000
