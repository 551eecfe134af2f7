"""What came of a record, through the API: dispositions and answers of the guide, from a real engine and recorder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from tests.integration.campaign_site import campaign_center, enlist, hand_over, recorded, talking
from tests.integration.control_site import Site, checked


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    """`spring` runs, anna has joined, and has the first of two records."""
    with campaign_center(redis_server, tenant(), tmp_path) as made:
        for action in ("load", "start"):
            made.post(f"campaigns/spring/{action}")
        made.post("agents/anna/campaigns/spring/join", {}, "anna")
        enlist(made, 1, 2)
        hand_over(made)
        yield made


@pytest.mark.req("DISP-03", "GUIDE-04")
def test_dispositions_and_answers_of_a_record_are_kept_with_who_gave_them(site: Site) -> None:
    id_ = talking(site)
    site.put(f"interactions/{id_}/dispositions", {"codes": ["later"]}, "anna")
    site.put(f"interactions/{id_}/dispositions", {"codes": ["sold"]}, "anna")
    site.post(f"interactions/{id_}/guide", {"answers": {"insured": "yes"}}, "anna")
    site.post(f"interactions/{id_}/guide", {"answers": {"insured": "no"}}, "anna")
    site.post(f"interactions/{id_}/guide", {"submit": True}, "anna")
    recorded(site)
    found = site.get("records/rec_1/results")
    given = [(each["codes"], each["agent_id"], each["interaction_id"]) for each in found["dispositions"]]
    assert given == [(["sold"], "anna", id_), (["later"], "anna", id_)]
    assert (found["dispositions"][0]["do_not_call"], found["dispositions"][0]["number"]) == (False, "+12015550101")
    (guide,) = found["guides"]
    assert (guide["answers"], guide["is_complete"], guide["interaction_id"]) == ({"insured": "no"}, True, id_)
    assert site.get("records/rec_2/results") == {"dispositions": [], "guides": []}
    site.get("records/nobody/results", status=404)
    checked(site.send("GET", "records/rec_1/results", "anna"), 403)
