"""An OpenID Connect provider with pages of its own, for a browser: people choose there who they are."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.desk.sign_in_provider import SignInProvider

WHO = ("anna", "sue", "nobody")


class PeopleProvider(SignInProvider):
    """`answers`: what is changed in its next answers to the browser; None leaves a member out. It is another site than
    `localhost`.
    """

    def be_right(self) -> None:
        super().be_right()
        self.about["end_session_endpoint"] = f"{self.issuer}/out"
        self.answers: dict[str, str | None] = {}

    def page(self, path: str) -> str:
        """On which somebody says who he is, or that he does not want to."""
        back = dict(parse_qsl(urlsplit(path).query))["redirect_uri"]
        links = ""
        for who in WHO:
            given = {**self.agree(self.issuer + path, who), "iss": self.issuer} | self.answers
            query = urlencode({name: value for name, value in given.items() if value is not None})
            links += f'<p><a href="{back}?{query}">{who}</a></p>'
        state = dict(parse_qsl(urlsplit(path).query))["state"]
        refused = urlencode({"error": "access_denied", "state": state})
        head = '<!doctype html><title>Provider</title><link rel="icon" href="data:,">'
        return f'{head}{links}<p><a href="{back}?{refused}">refuse</a></p>'

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider, base = self, super()._handler()

        class Handler(base):  # type: ignore[valid-type, misc]
            def do_GET(self) -> None:  # noqa: N802 - as its base names it
                if self.path.startswith("/authorize"):
                    provider.requests.append(self.path)
                    self._say(200, "Content-Type", "text/html", provider.page(self.path))
                elif self.path.startswith("/out?"):
                    provider.requests.append(self.path)
                    back = dict(parse_qsl(urlsplit(self.path).query))["post_logout_redirect_uri"]
                    self._say(302, "Location", back)
                else:
                    super().do_GET()

            def _say(self, status: int, name: str, value: str, body: str = "") -> None:
                self.send_response(status)
                self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

        found: Any = Handler
        return found  # type: ignore[no-any-return]
