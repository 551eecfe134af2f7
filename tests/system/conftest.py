"""The PBX is a parameter: a test that takes `pbx`, or a site made of it, runs on each."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", params=["asterisk", pytest.param("freeswitch", marks=pytest.mark.freeswitch)])
def pbx(request: pytest.FixtureRequest) -> str:
    """The kind of a site's PBX."""
    return str(request.param)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name.startswith("test_freeswitch_"):
            item.add_marker(pytest.mark.freeswitch)
