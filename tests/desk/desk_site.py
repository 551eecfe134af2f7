"""A person at the desk of a simulated centre: his cookie, his pages, his forms, his stream."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from routing.desk.door import COOKIE, TOKEN_HEADER, form_token_of
from tests.desk.served_pages import with_pages
from tests.integration.control_site import Site


@dataclass(slots=True)
class AtDesk:
    """`who` is a token of `control_site.Tokens`: an agent by his name, `crm` a supervisor who may everything."""

    site: Site
    who: str
    language: str = "en"

    def __post_init__(self) -> None:
        with_pages(self.site)

    def get(self, path: str, status: int = 200, **headers: str) -> str:
        return self._checked("GET", path, status, headers=headers)

    def post(self, path: str, status: int = 200, **form: Any) -> str:
        """What htmx sends for a form."""
        headers = {"HX-Request": "true", TOKEN_HEADER: form_token_of(self.who), "Sec-Fetch-Site": "same-origin"}
        return self._checked("POST", path, status, headers=headers, data=form)

    def sent(self, path: str, **form: Any) -> Any:
        """As `post`, the whole answer: its headers tell the page what to do with it."""
        headers = {"HX-Request": "true", TOKEN_HEADER: form_token_of(self.who), "Sec-Fetch-Site": "same-origin"}
        return self._open("POST", path, buffered=True, headers=headers, data=form)

    def region(self, name: str, page: str = "agent") -> str:
        """The HTML of a region, as the page holds it."""
        text = self.get(f"/desk/{page}")
        found = re.search(rf'<div id="region-{name}".*?(?=<div id="region-|</main>)', text, re.DOTALL)
        assert found, f"no region {name}"
        return found[0]

    def stream(self, page: str = "agent") -> Generator[tuple[str, str], None, None]:
        """(event, data) as they come; ends with the stream. Close it."""
        answer = self._open("GET", f"/desk/stream/{page}", headers={"Accept": "text/event-stream"}, buffered=False)
        assert answer.status_code == 200, answer.status
        try:
            for chunk in answer.response:
                for block in chunk.decode().split("\n\n"):
                    lines = block.splitlines()
                    names = [line[7:] for line in lines if line.startswith("event: ")]
                    if names:
                        yield names[0], "\n".join(line[6:] for line in lines if line.startswith("data: "))
        finally:
            answer.close()

    def _checked(self, method: str, path: str, status: int, **options: Any) -> str:
        answer = self._open(method, path, buffered=True, **options)
        assert answer.status_code == status, f"{answer.status_code} instead of {status}: {answer.text}"
        return str(answer.text)

    def _open(self, method: str, path: str, **options: Any) -> Any:
        client = self.site.app.test_client()
        client.set_cookie(COOKIE, self.who)
        options["headers"] = {"Accept-Language": self.language} | options.get("headers", {})
        return client.open(path, method=method, **options)
