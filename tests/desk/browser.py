"""A real browser before the pages of a simulated centre, served over HTTP on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from deploy.lab.programs import find_chromium
from routing.desk.door import COOKIE
from tests.desk.served_pages import with_pages
from tests.integration.control_site import Site

# Nothing of a browser's own traffic; on a small machine a shared-memory folder may be too small for it.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names of other sites than the desk's; nothing leaves the machine.
    "--host-resolver-rules=MAP *.example 127.0.0.1",
]
WIDE, NARROW = (1280, 900), (360, 740)
# The levels that WCAG 2.2 AA consists of.
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield launched
        launched.close()


class _Silent(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name of its base
        """Requests are in the log of the application."""


@contextmanager
def served(site: Site, tls: SSLContext | None = None) -> Iterator[str]:
    """The address of the site's pages; every request has a thread. With `tls` they are at https://desk.example:PORT."""
    with_pages(site)
    server = make_server("127.0.0.1", 0, site.app, threaded=True, request_handler=_Silent, ssl_context=tls)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://desk.example:{server.server_port}" if tls else f"http://127.0.0.1:{server.server_port}"
    site.services.close_streams()
    server.shutdown()
    thread.join()


@dataclass(slots=True)
class Desk:
    """One person's browser. `problems`: what its console complained of; checked at the end of each test."""

    page: Page
    context: BrowserContext
    url: str
    problems: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def axe(self) -> list[str]:
        """What axe finds wrong on the page as it is."""
        found = Axe().run(self.page, options=AXE).response["violations"]
        return [f"{v['id']}: {v['help']}: {[node['html'][:120] for node in v['nodes']]}" for v in found]

    def is_too_wide(self) -> bool:
        """Whether the page has to be scrolled sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@contextmanager
def desk(
    opened: Browser,
    url: str,
    who: str = "",
    *,
    size: tuple[int, int] = WIDE,
    theme: Literal["light", "dark"] = "light",
    language: str = "en",
) -> Iterator[Desk]:
    """`who`: the session of the person, as his cookie holds it; empty: nobody has signed in."""
    viewport: Any = {"width": size[0], "height": size[1]}
    context = opened.new_context(viewport=viewport, color_scheme=theme, locale=language, reduced_motion="reduce")
    if who:
        context.add_cookies([{"name": COOKIE, "value": who, "url": url}])
    page = context.new_page()
    page.set_default_timeout(10_000)
    made = Desk(page=page, context=context, url=url)
    page.on("console", lambda told: made.problems.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: made.problems.append(str(error)))
    try:
        yield made
    finally:
        context.close()
