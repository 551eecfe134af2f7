"""Calling a customer from the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.desk.door import TOKEN_HEADER, form_token_of
from routing.desk.words_calls import refusal
from routing.store.sql import migrate
from telephony.simulated.habits import Answers
from tests.desk.agent_site import EVIL, cleared, desk_center, flat
from tests.desk.desk_site import AtDesk
from tests.integration.control_config import ANI, CUSTOMER, OWN_ANI, configuration
from tests.integration.control_site import Site


@pytest.fixture(scope="module")
def shared(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database: Path = tmp_path_factory.mktemp("outdial") / "desk.db"
    migrate.upgrade(f"sqlite:///{database}")
    with desk_center(redis_server, configuration("desk_outdial"), database_url=f"sqlite:///{database}") as made:
        made.post("address-book", {"name": "Carla Rossi", "number": CUSTOMER}, status=201)
        yield made


@pytest.fixture
def site(shared: Site) -> Site:
    cleared(shared)
    return shared


@pytest.fixture
def anna(site: Site) -> AtDesk:
    return AtDesk(site, "anna")


def at_field(desk: AtDesk, **form: str) -> str:
    """What the form of the page itself is answered."""
    headers = {"HX-Request": "true", "HX-Target": "outdial-told", TOKEN_HEADER: form_token_of(desk.who)}
    answer = desk._open("POST", "/desk/agent/outdial", buffered=True, headers=headers, data=form)
    return flat(answer.text)


@pytest.mark.req("OUT-02", "PERM-04")
def test_the_form_is_there_for_whom_the_profile_lets_dial(site: Site, anna: AtDesk) -> None:
    assert 'id="outdial"' in anna.region("outdial")
    assert 'id="outdial"' in AtDesk(site, "emil").region("outdial")
    assert 'id="outdial"' not in AtDesk(site, "dora").region("outdial")
    assert 'id="outdial"' not in AtDesk(site, "cleo").region("outdial")  # the address book alone


@pytest.mark.req("OUT-08", "OUT-09", "OUT-11", "OUT-12")
def test_the_numbers_to_show_are_in_order_and_the_usual_one_comes_first(anna: AtDesk) -> None:
    shown = re.findall(r'<option value="([^"]*)">([^<]*)', anna.region("outdial"))
    assert shown == [("", f"As usual: {ANI}"), (OWN_ANI, f"Alpha: {OWN_ANI}"), (ANI, f"zeta: {ANI}")]


@pytest.mark.req("OUT-08", "OUT-13")
def test_a_call_goes_out_with_the_chosen_number(site: Site, anna: AtDesk) -> None:
    site.outside(CUSTOMER, Answers())
    assert "Your telephone rings first" in anna.post("/desk/agent/outdial", number="+1 (201) 555-0150", ani=OWN_ANI)
    (call,) = site.get("agents/anna")["interactions"]
    site.reaches(call, "connected")
    shown = site.get(f"interactions/{call}")
    assert (shown["ani"], shown["dnis"]) == (OWN_ANI, CUSTOMER)


@pytest.mark.req("DIAL-02")
def test_the_page_says_what_will_be_dialed(anna: AtDesk) -> None:
    assert CUSTOMER in anna.get("/desk/agent/outdial/number?number=%2B1%20(201)%20555-0150")
    assert anna.get(f"/desk/agent/outdial/number?number=%2B{CUSTOMER[1:]}").strip() == ""
    assert "This is a name, not a number." in anna.get("/desk/agent/outdial/number?number=carla")


@pytest.mark.req("DIAL-10", "DIAL-14", "OUT-07")
def test_a_name_is_looked_up_in_the_address_book(anna: AtDesk) -> None:
    html = at_field(anna, number="rossi")
    assert "This is a name, not a number." in html
    assert "Carla Rossi" in html
    assert '"source": "address_book"' in html
    assert "Your telephone rings first" in anna.post(
        "/desk/agent/outdial", number=CUSTOMER, source="address_book", name="Carla Rossi"
    )


@pytest.mark.req("OUT-10", "DIAL-04", "DIAL-12", "DIAL-13")
def test_a_refusal_says_which_rule_it_was(site: Site, anna: AtDesk) -> None:
    assert "A number has at least 3 digits." in at_field(anna, number="12")
    assert "This is no number outside of the organization." in at_field(anna, number="123")
    assert "This is a number of the contact center itself." in at_field(anna, number="7000")
    assert "Your profile does not allow this number." in at_field(anna, number="+442079460001")
    assert site.get("agents/anna")["interactions"] == []


@pytest.mark.req("STATE-11")
def test_who_is_not_at_work_is_told_to_begin(site: Site) -> None:
    assert "Start work first." in at_field(AtDesk(site, "emil"), number=CUSTOMER)


@pytest.mark.req("OUT-01")
def test_elsewhere_on_the_page_a_refusal_is_a_message(site: Site, anna: AtDesk) -> None:
    site.call("anna")
    answer = anna.sent("/desk/agent/outdial", number=CUSTOMER)
    assert answer.headers["HX-Retarget"] == "#messages"
    assert "The agent still has an interaction" in answer.text


@pytest.mark.req("OUT-04", "OUT-05", "OUT-03")
@pytest.mark.parametrize(("code", "whose"), [(26, "The data center"), (27, "Your organization")])
def test_a_limit_of_calls_is_named_with_its_code(code: int, whose: str) -> None:
    text = refusal({"code": "capacity-reached", "reason_code": code})
    assert text.startswith(whose)
    assert f"reason {code}" in text


def test_markup_stays_text(anna: AtDesk) -> None:
    html = at_field(anna, number=EVIL) + at_field(anna, number=CUSTOMER, ani=EVIL[:30])
    html += anna.get("/desk/agent/outdial/number?number=" + EVIL)
    assert "<script" not in html
    assert "<img" not in html
