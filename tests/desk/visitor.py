"""A browser without scripts at the real doors: it keeps cookies, and sends forms as a page of the desk does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient

from routing.api.auth_people import Session, Way
from routing.desk.cookies import COOKIE, SECURE_COOKIE
from routing.desk.door import form_token_of
from tests.desk.served_pages import with_pages
from tests.integration.api_people import PASSWORD, Doors

SECURE, PLAIN = "https://desk.example", "http://127.0.0.1"


@dataclass(slots=True)
class Visitor:
    """`origin`: where the desk is for this browser."""

    site: Doors
    origin: str = PLAIN
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        with_pages(self.site)
        self.client = self.site.app.test_client()

    def get(self, path: str, **headers: str) -> Any:
        return self._send("GET", path, headers)

    def submit(self, path: str, headers: dict[str, str] | None = None, **form: str) -> Any:
        """A form of our own page, with the token that the page around it holds."""
        sent = {"Sec-Fetch-Site": "same-origin"} | (headers or {})
        return self._send("POST", path, sent, data={"form_token": self.form_token} | form)

    def sign_in(self, name: str, password: str = PASSWORD, **form: str) -> Any:
        return self.submit("/desk/sign-in", None, name=name, password=password, **form)

    def enter(self, name: str) -> None:
        """Signed in, without the time that a password takes; where signing in is not what is looked at."""
        tenant = self.site.services.server.tenant
        opened = self.site.authenticator.people.enter(Session(tenant, name, "", Way.PROVIDER))
        assert opened
        is_secure = self.origin.startswith("https:")
        about: dict[str, Any] = {"domain": self.origin.partition("://")[2], "secure": is_secure}
        self.client.set_cookie(SECURE_COOKIE if is_secure else COOKIE, opened.token, **about)

    @property
    def form_token(self) -> str:
        return form_token_of(self.session) if self.session else ""

    @property
    def session(self) -> str:
        """What the browser would bring; empty: nothing."""
        for name in ("__Host-switchroom_frame", "__Host-switchroom_desk", "switchroom_desk"):
            if cookie := self.client.get_cookie(name, domain=self.origin.partition("://")[2]):
                return str(cookie.value)
        return ""

    def is_in(self) -> bool:
        """Whether the API knows this session; asked without the desk."""
        return bool(self.session) and self.site.send("GET", "/v1/me", self.session).status_code == 200

    def _send(self, method: str, path: str, headers: dict[str, str], **options: Any) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        environ = {"REMOTE_ADDR": self.site.address}
        return self.client.open(
            path, method=method, base_url=self.origin, headers=sent, environ_base=environ, **options
        )


def with_query(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}"
