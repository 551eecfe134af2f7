"""The dialplan's sign of life stands for an engine that leads, not for a connector alone (FLOW-04)."""

from __future__ import annotations

import time

import pytest

from deploy.lab.site import Site, center
from tests.waiting import wait_until

BEAT_S = 5.0


def beat(site: Site) -> int:
    """Epoch seconds of the last sign of life, 0 before the first."""
    return int(site.node.variable("SR_BEAT") or 0)


@pytest.mark.req("FLOW-04")
def test_the_dialplan_hears_nothing_more_when_no_engine_leads_and_again_when_one_does(pbx: str) -> None:
    with Site(["1001"], center(["1001"]), pbx=pbx) as site:
        wait_until(lambda: beat(site) > 0, 20)
        site.kill("engine")
        site.kill("standby")
        wait_until(lambda: "engine_missed" in site.log("connector"), 10)
        last = beat(site)
        wait_until(lambda: time.time() > last + 2 * BEAT_S, 3 * BEAT_S)
        assert beat(site) == last
        site.start_process("engine")
        wait_until(lambda: beat(site) > last, 15)
