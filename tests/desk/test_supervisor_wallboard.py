"""The wallboard: queues, agents and campaigns at a glance, for whoever may see them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import g

from deploy.lab.redis import RedisServer
from routing.desk import language
from routing.desk.door import Person
from routing.desk.supervisor import clock
from routing.desk.supervisor.sharing import Shared
from routing.store.errors import StoreUnavailable
from tests.desk.desk_site import AtDesk
from tests.integration.campaign_config import campaign_configuration
from tests.integration.control_site import Site, center
from tests.waiting import wait_until

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def site(redis_server: RedisServer) -> Iterator[Site]:
    config = campaign_configuration(f"t{uuid4().hex[:12]}")
    queues = config.queues | {"help": replace(config.queues["help"], label=EVIL)}
    with center(redis_server, replace(config, queues=queues)) as made:
        yield made


def words(html: str) -> str:
    """The text of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def queue_row(desk: AtDesk, queue: str) -> str:
    html = desk.region("queues", "supervisor")
    found = re.search(rf'<tr id="queue-{queue}">.*?</tr>', html, re.DOTALL)
    assert found
    return words(found[0])


@pytest.mark.req("DESK-02")
def test_who_waits_is_counted_by_queue_with_the_longest_wait_and_the_aim(site: Site) -> None:
    desk = AtDesk(site, "crm")
    assert "aim 80% in 20 s" in queue_row(desk, "help")
    interaction, channel = site.arrive("help")
    site.reaches(interaction, "queued")
    wait_until(lambda: site.get("queues/help")["waiting"] == 1)
    since = site.get("queues/help")["waiting_since"]
    wait_until(lambda: f'data-since="{since}"' in desk.region("queues", "supervisor"))
    assert site.get(f"interactions/{interaction}")["entered_at"] == since
    site.exchange.do(lambda: site.exchange.pbx.hang_up(channel))
    site.reaches(interaction, "ended")
    wait_until(lambda: f'data-since="{since}"' not in desk.region("queues", "supervisor"))


def test_markup_in_a_name_stays_text(site: Site) -> None:
    page = AtDesk(site, "crm").get("/desk/supervisor")
    assert EVIL not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_what_happens_comes_through_the_stream_of_the_wallboard(site: Site) -> None:
    stream = AtDesk(site, "crm").stream("wallboard")
    first = {name for name, _ in (next(stream) for _ in range(6))}
    assert first == {"clock", "status", "centre", "queues", "charts", "campaigns"}
    interaction, channel = site.arrive("help")
    seen: dict[str, str] = {}
    while not {"queues", "charts"} <= seen.keys():
        name, text = next(stream)
        seen[name] = text
    stream.close()
    waiting = {queue["id"]: queue["waiting"] for queue in json.loads(seen["charts"])["queues"]}
    assert waiting == {"sales": 0, "help": 1}
    site.exchange.do(lambda: site.exchange.pbx.hang_up(channel))
    site.reaches(interaction, "ended")


@pytest.mark.req("DESK-02")
def test_a_loaded_campaign_is_shown_with_its_rate_against_the_cap(site: Site) -> None:
    desk = AtDesk(site, "crm")
    assert "Winter" not in desk.region("campaigns", "supervisor")
    site.post("campaigns/winter/load")
    wait_until(lambda: "Winter" in desk.region("campaigns", "supervisor"))
    shown = words(desk.region("campaigns", "supervisor"))
    assert "Loaded" in shown
    assert "cap 3.0% in 30 days" in shown
    site.post("campaigns/winter/stop")


@pytest.mark.req("DESK-02")
def test_a_missing_permission_is_said_in_the_place_of_what_it_would_show(site: Site) -> None:
    desk = AtDesk(site, "campaigns:read-only")
    assert "You do not have the permission for this: agents:read." in desk.region("queues", "supervisor")
    assert "permission" not in desk.region("campaigns", "supervisor")


def test_an_agent_is_shown_his_own_desk(site: Site) -> None:
    AtDesk(site, "anna").get("/desk/supervisor", 303)
    AtDesk(site, "anna").get("/desk/supervisor/agents", 303)


def test_what_takes_long_to_render_leaves_most_of_the_process_to_others(site: Site) -> None:
    now_s = [0.0]

    def render() -> str:
        now_s[0] += 1.0
        return str(now_s[0])

    shared = Shared(render, 0.5, lambda: now_s[0])
    with looked_at_by(site, "crm"):
        assert shared() == "1.0"
        now_s[0] = 3.9
        assert shared() == "1.0"
        now_s[0] = 4.0
        assert shared() == "5.0"


def test_those_who_wait_for_what_cannot_be_had_do_not_ask_one_after_the_other(site: Site) -> None:
    asked: list[float] = []
    now_s = [0.0]

    def render() -> str:
        asked.append(now_s[0])
        now_s[0] += 5.0  # the store does not answer
        raise StoreUnavailable(reason="no answer")

    shared = Shared(render, 0.5, lambda: now_s[0])
    with looked_at_by(site, "crm"):
        for _who in range(30):
            with pytest.raises(StoreUnavailable):
                shared()
        assert asked == [0.0]
        now_s[0] += 5.0
        with pytest.raises(StoreUnavailable):
            shared()
    assert asked == [0.0, 10.0]


def test_the_time_of_the_centre_is_not_that_of_the_reader(site: Site) -> None:
    for first, second in ((clock.zone, language.zone), (language.zone, clock.zone)):
        with looked_at_by(site, "crm", Cookie="switchroom_zone=Asia/Tokyo"):
            told = {first(), second()}
        assert told == {site.front.config().time_zone, "Asia/Tokyo"}


@contextmanager
def looked_at_by(site: Site, who: str, **headers: str) -> Iterator[None]:
    AtDesk(site, who)
    with site.app.test_request_context(headers=headers):
        principal = site.services.authenticator.authenticate(who)
        assert principal
        g.desk_person = Person(principal=principal, session=who, form_token="")
        yield


def test_what_many_look_at_is_rendered_once(site: Site) -> None:
    made: list[int] = []
    now_s = [0.0]

    def render() -> str:
        made.append(1)
        return str(len(made))

    shared = Shared(render, 0.5, lambda: now_s[0])
    AtDesk(site, "crm")
    with site.app.test_request_context(headers={"Accept-Language": "en"}):
        for who, at_s in (("crm", 0.0), ("crm", 0.4), ("plain", 0.4), ("crm", 0.6)):
            now_s[0] = at_s
            principal = site.services.authenticator.authenticate(who)
            assert principal
            g.desk_person = Person(principal=principal, session=who, form_token="")
            told = shared()
            if (who, at_s) == ("crm", 0.4):
                assert told == "1"
    assert len(made) == 3  # others may see less, so they share nothing with him
