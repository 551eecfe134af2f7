"""Who may see and send what, and that text of others never becomes code."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from deploy.lab.redis import RedisServer
from routing.app.settings import ApiSettings
from routing.desk import site as desk_site
from routing.desk.door import COOKIE, TOKEN_HEADER, form_token_of
from routing.store.sql import migrate
from tests.desk.desk_site import AtDesk
from tests.desk.markup import Strict, in_template
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center

TEMPLATES = sorted((Path(desk_site.__file__).parent / "templates").rglob("*.html"))
SCRIPTS = sorted((Path(desk_site.__file__).parent / "static").glob("*.js"))
# What asks nobody who he is; whatever is added here is open to the world.
OPEN = {
    "desk.static",
    "desk.sign_in",
    "desk.sign_in_page",
    "desk.sign_in_elsewhere",
    "desk.sign_in_ended",
    "desk.open_frame",
    "desk.choose_language",
    "desk.choose_theme",
    "desk.own_style",
}
AGENT_STREAM = "desk.agent_stream"
EVIL = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{7*7}}"


@pytest.fixture(scope="module")
def site(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path_factory.mktemp('security')}/desk.db"
    migrate.upgrade(url)
    with center(redis_server, configuration("desk_security"), database_url=url) as made:
        AtDesk(made, "anna")
        yield made
    made.services.database.close()


def rules(site: Site, method: str) -> list[Rule]:
    return [rule for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith("desk.") and method in _of(rule)]


def _of(rule: Rule) -> set[str]:
    return rule.methods or set()


def address(rule: Rule) -> str:
    """With something for every argument."""
    return re.sub(r"<[^>]*>", "x", rule.rule)


def client(site: Site, who: str = "") -> FlaskClient:
    made = site.app.test_client()
    if who:
        made.set_cookie(COOKIE, who)
    return made


# ------------------------------------------------------------------ no code in pages


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_code_or_lets_text_become_code(template: Path) -> None:
    assert in_template(template.read_text()) == []


@pytest.mark.parametrize(
    "bad",
    [
        "<p onclick='x'>",
        "<p style='color:red'>",
        "<style>p{}</style>",
        "<script>x</script>",
        "<script type=module>x</script>",
        "<button hx-on:click='x'>",
        "<form hx-vals='js:{a: 1}'>",
        "<form hx-trigger='click[ctrlKey]'>",
        "<a href=' javascript:x'>",
        "<img src='https:x' onload=x>",
        "<base href='/'>",
        "<p>{{ name|safe }}</p>",
        "{% autoescape false %}",
    ],
)
def test_the_search_for_code_finds_it(bad: str) -> None:
    assert in_template(bad)
    assert not in_template("<p class='{{ a }}' data-on='b'>{{ text }}</p><script src='/a.js'></script>")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_code_or_markup_of_text(script: Path) -> None:
    assert not re.search(
        r"\beval\(|new Function|\.innerHTML\s*=|outerHTML\s*=|insertAdjacentHTML|document\.write", script.read_text()
    )


@pytest.mark.parametrize("who", ["anna", "crm"])
def test_every_page_is_free_of_code_and_has_its_policy(site: Site, who: str) -> None:
    seen = 0
    for rule in rules(site, "GET"):
        if rule.arguments or "/stream/" in rule.rule:
            continue
        answer = client(site, who).get(rule.rule, buffered=True)
        assert answer.status_code < 500, f"{rule.rule}: {answer.text}"
        check_headers(answer)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            seen += 1
            assert Strict(answer.text).found == [], rule.rule
            assert answer.headers["Cache-Control"] == "no-store"
    assert seen >= 2


def check_headers(answer: Any) -> None:
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["form-action"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]


def test_what_a_caller_brings_stays_text(site: Site) -> None:
    call = site.call(case=EVIL[:40])
    saved = site.save(call, {"case": EVIL[:40]})
    assert saved.status_code == 200, saved.text
    site.post(f"interactions/{call}/notes", {"text": EVIL}, "anna")
    text = AtDesk(site, "anna").get("/desk/agent")
    page = Strict(text)
    assert page.found == []
    assert [about for tag, about in page.tags if tag == "img" and about.get("src") == "x"] == []
    assert EVIL[:40] in unescape(text)  # it is there, as text
    assert EVIL[:40] not in text
    site.do(call, "end")
    site.reaches(call, "ended")


def test_a_name_that_is_refused_comes_back_as_text(site: Site) -> None:
    page = client(site).get("/desk/sign-in", query_string={"next": f"/desk/{EVIL}"}).text
    assert Strict(page).found == []
    page = client(site).get(f"/desk/{EVIL}").text
    assert Strict(page).found == []


BAD_IDS = ("a%0D%0AX-Evil:%201", "a%0Ab", "%00", "%E2%80%AE", "..", "9" * 500)
BAD_VALUES = ("a\r\nX-Evil: 1", "9999-12-31", "\u202e", "9" * 500, "²")
FIELDS = (
    "from",
    "to",
    "cursor",
    "q",
    "sort",
    "queue",
    "number",
    "key",
    "version",
    "state",
    "name",
    "text",
    "do",
    "date",
)


@pytest.mark.parametrize("who", ["anna", "crm"])
def test_nothing_that_is_sent_makes_the_server_fail_or_write_a_header(site: Site, who: str) -> None:
    sent = {TOKEN_HEADER: form_token_of(who), "Sec-Fetch-Site": "same-origin"}
    for method in ("GET", "POST"):
        for rule in rules(site, method):
            if rule.endpoint in OPEN or "/stream/" in rule.rule or "sign-out" in rule.rule:
                continue
            paths = [re.sub(r"<[^>]*>", bad, rule.rule) for bad in BAD_IDS] if rule.arguments else []
            asked: list[tuple[str, dict[str, str]]] = [(path, {}) for path in paths]
            for path, fields in asked + [(address(rule), dict.fromkeys(FIELDS, bad)) for bad in BAD_VALUES]:
                part: dict[str, Any] = {"query_string" if method == "GET" else "data": fields}
                answer = client(site, who).open(path, method=method, headers=sent, buffered=True, **part)
                assert answer.status_code not in (500, 501), f"{method} {path} {fields}: {answer.text}"
                assert "X-Evil" not in answer.headers
                check_headers(answer)


# ------------------------------------------------------------------ who may see and send


def test_nothing_but_the_ways_in_is_open_to_who_is_not_signed_in(site: Site) -> None:
    asked = {rule.endpoint: rule for method in ("GET", "POST") for rule in rules(site, method)}
    for endpoint, rule in asked.items():
        method = "GET" if "GET" in _of(rule) else "POST"
        answer = client(site).open(address(rule), method=method, buffered=True)
        is_refused = answer.status_code == 303 and answer.location.startswith("/desk/sign-in")
        assert is_refused != (endpoint in OPEN), f"{endpoint}: {answer.status}"


def test_every_command_is_refused_without_the_token_of_the_page_and_from_another_site(site: Site) -> None:
    before = site.everything()
    commands = [rule for rule in rules(site, "POST") if rule.endpoint not in OPEN]
    assert len(commands) > 3
    for rule in commands:
        part = {"HX-Request": "true"}
        without = client(site, "anna").post(address(rule), headers=part)
        assert without.headers.get("X-Desk-Problem") == "forbidden", rule.rule
        foreign = part | {TOKEN_HEADER: form_token_of("anna"), "Sec-Fetch-Site": "cross-site"}
        assert client(site, "anna").post(address(rule), headers=foreign).headers["X-Desk-Problem"] == "forbidden"
    assert site.everything() == before


def test_a_command_of_another_method_does_not_exist(site: Site) -> None:
    for rule in rules(site, "POST"):
        if "GET" not in _of(rule) and not any(r.rule == rule.rule for r in rules(site, "GET")):
            answer = client(site, "anna").get(address(rule))
            assert answer.status_code in (404, 405), f"{rule.rule}: {answer.status}"


def test_an_unknown_address_and_a_wrong_method_are_pages_here_and_json_in_the_api(site: Site) -> None:
    for path in ("/desk/nothing", "/desk/agent/", "/desk/static/nothing.js", "/desk/static/../site.py"):
        answer = client(site, "anna").get(path)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
        assert 'data-code="not-found"' in answer.text
        check_headers(answer)
    wrong = client(site, "anna").delete("/desk/agent")
    assert (wrong.status_code, wrong.mimetype) == (405, "text/html")
    assert "GET" in wrong.headers["Allow"]
    assert (
        client(site).get("/v1/nothing", headers={"Authorization": "Bearer crm"}).mimetype == "application/problem+json"
    )
    assert client(site).get("/deskless").mimetype == "application/problem+json"


def test_a_fault_of_the_server_is_a_page_that_tells_nothing_of_its_inside(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise RuntimeError("the secret of the inside")

    monkeypatch.setitem(site.app.view_functions, "desk.home", broken)
    answer = client(site, "anna").get("/desk/")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert "secret" not in answer.text
    check_headers(answer)


@pytest.mark.parametrize(
    ("who", "elsewhere"),
    [
        ("anna", ["/desk/supervisor", "/desk/supervisor/agents"]),
        ("crm", ["/desk/agent", "/desk/agent/work/callbacks", "/desk/call?number=1"]),
    ],
)
def test_who_opens_a_page_of_another_role_is_led_to_his_own(site: Site, who: str, elsewhere: list[str]) -> None:
    for path in elsewhere:
        answer = client(site, who).get(path)
        assert answer.location == {"anna": "/desk/agent", "crm": "/desk/supervisor"}[who]
        part = client(site, who).get(path, headers={"HX-Request": "true"})
        assert part.headers["X-Desk-Problem"] == "forbidden"


def test_commands_and_the_stream_of_another_role_are_refused(site: Site) -> None:
    token = {TOKEN_HEADER: form_token_of("crm"), "Sec-Fetch-Site": "same-origin"}
    assert client(site, "crm").post("/desk/agent/state", headers=token).status_code == 403
    assert client(site, "crm").get("/desk/stream/agent").status_code == 403
    of_supervisors = [rule for rule in rules(site, "GET") if "/stream/" in rule.rule and rule.endpoint != AGENT_STREAM]
    assert len(of_supervisors) > 5
    for rule in of_supervisors:
        answer = client(site, "anna").get(address(rule))
        assert answer.status_code == 403, rule.rule
        answer.close()
    for path, who in (("/desk/stream/agent", "anna"), ("/desk/stream/calls", "crm")):
        answer = client(site, who).get(path)
        assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
        answer.close()


def test_nobody_has_more_streams_open_than_the_settings_allow(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.services, "api", ApiSettings(event_streams=2))
    opened = [client(site, who).get("/desk/stream/agent") for who in ("ben", "anna", "anna")]
    assert [answer.status_code for answer in opened] == [200] * 3
    assert client(site, "anna").get("/desk/stream/agent").status_code == 429
    opened.pop().close()
    opened.append(client(site, "anna").get("/desk/stream/agent"))
    assert opened[-1].status_code == 200
    for answer in reversed(opened):
        answer.close()


# ------------------------------------------------------------------ static files


def static_of(site: Site, page: str, who: str) -> list[str]:
    found = Strict(client(site, who).get(page).text).tags
    links = [about.get("href") for tag, about in found if tag == "link"]
    sources = [about.get("src") for tag, about in found if tag in ("script", "img")]
    return [name for name in links + sources if name and name.startswith("/desk/static/")]


@pytest.mark.parametrize(("page", "who"), [("/desk/agent", "anna"), ("/desk/supervisor", "crm")])
def test_the_first_load_of_a_page_is_small(site: Site, page: str, who: str) -> None:
    zipped = {"Accept-Encoding": "gzip"}
    names = set(static_of(site, page, who))
    assert len(names) > 5
    sizes = {name: len(client(site).get(name, headers=zipped, buffered=True).data) for name in names}
    total = sum(sizes.values()) + len(client(site, who).get(page).data)
    assert total < 200_000, sizes


def test_a_static_file_is_kept_by_its_version_and_sent_compressed(site: Site) -> None:
    name = next(one for one in static_of(site, "/desk/agent", "anna") if "htmx.min.js" in one)
    plain = client(site).get(name, buffered=True)
    zipped = client(site).get(name, headers={"Accept-Encoding": "gzip, br"}, buffered=True)
    assert plain.headers["Cache-Control"] == zipped.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in zipped.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert len(zipped.data) < len(plain.data) / 2
    assert int(zipped.headers["Content-Length"]) == len(zipped.data)
    assert gzip.decompress(zipped.data) == plain.data
    assert client(site).get(name.partition("?")[0], buffered=True).headers["Cache-Control"] == "no-cache"
    assert client(site).get(name.partition("?")[0] + "?v=other", buffered=True).headers["Cache-Control"] == "no-cache"
    assert plain.mimetype == "text/javascript"
