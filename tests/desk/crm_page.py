"""A CRM whose page holds the desk in a frame: another origin, another site, over TLS, as on the Internet.

Every name below `example` is this machine for the browser (`browser.ARGUMENTS`). A context of Playwright is a private
window: as in any of today's browsers, cookies of third parties are refused in it unless they are partitioned.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

_PAGE = """<!doctype html><meta charset="utf-8"><title>CRM</title><h1>Carla</h1>
<iframe id="desk" name="desk" title="Desk" allow="autoplay" width="1000" height="700"></iframe>
<script>
window.told = [];
addEventListener("message", (event) => told.push({ origin: event.origin, ...event.data }));
window.load = (to) => new Promise((done, failed) => {
  const frame = document.getElementById("desk");
  frame.addEventListener("load", done, { once: true });
  setTimeout(failed, 10000, "the frame has not loaded");
  frame.src = to;
});
window.ask = (message, origin) => document.getElementById("desk").contentWindow.postMessage(message, origin);
</script>"""
_COOKIE = "third=1; Secure; SameSite=None; Path=/"


def certificate(directory: Path) -> Path:
    """For every host below `example`, signed by nobody; the key is in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example")])
    now, day = datetime.now(UTC), timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
    hosts = x509.SubjectAlternativeName([x509.DNSName("*.example")])
    signed = made.add_extension(hosts, critical=False).sign(key, hashes.SHA256())
    file = directory / "example.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(signed.public_bytes(Encoding.PEM) + private)
    return file


def tls(file: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(file)
    return made


class _Handler(BaseHTTPRequestHandler):
    """The page of the CRM, whatever host it is asked for; `/cookie` sets one and tells what was brought."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if self.path == "/cookie":
            self.send_header("Set-Cookie", _COOKIE)
        if self.path == "/silent":
            self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        text = f"<p>{self.headers.get('Cookie', 'none')}</p>" if self.path == "/cookie" else _PAGE
        self.wfile.write(text.encode())

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@contextmanager
def crm_server(file: Path) -> Iterator[int]:
    """Its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.socket = tls(file).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(slots=True)
class CrmPage:
    """A page of the CRM at `origin` in somebody's browser. `desk`: the desk's origin; `problems`: of the console."""

    page: Page
    context: BrowserContext
    origin: str
    desk: str
    problems: list[str] = field(default_factory=list)
    _asked: int = 0

    def load(self, path: str = "/") -> None:
        self.page.goto(self.origin + path)

    def opens(self, address: str) -> None:
        """Puts the desk into the frame; returns when the frame has loaded something."""
        self.page.evaluate("(to) => load(to)", address)

    @property
    def frame(self) -> Frame:
        found = self.page.frame("desk")
        assert found
        return found

    def hears(self, type_: str, count: int = 1) -> dict[str, Any]:
        """The latest message of this type, when there are so many."""
        self.page.wait_for_function(
            "([type, n]) => told.filter((m) => m.type === type).length >= n", arg=[type_, count]
        )
        return self.told(type_)[-1]

    def told(self, type_: str = "") -> list[dict[str, Any]]:
        """What the desk has told so far."""
        found: list[dict[str, Any]] = self.page.evaluate("told")
        return [one for one in found if not type_ or one.get("type") == type_]

    def forget(self) -> None:
        self.page.evaluate("told.length = 0")

    def says(self, message: Any) -> None:
        """To the frame, whatever it is; nothing is awaited."""
        self.page.evaluate("([message, to]) => ask(message, to)", [message, self.desk])

    def asks(self, type_: str, **about: Any) -> dict[str, Any]:
        """The result of what the page asks the desk for."""
        self._asked += 1
        self.says({"target": "switchroom", "version": 1, "type": type_, "id": self._asked, **about})
        self.page.wait_for_function("(id) => told.some((m) => m.type === 'result' && m.id === id)", arg=self._asked)
        return next(one for one in self.told("result") if one["id"] == self._asked)

    def is_ready(self) -> dict[str, Any]:
        """Its `ready`, when the page in the frame is the agent's and speaks."""
        ready = self.hears("ready")
        expect(self.frame.locator("html[data-ready]")).to_be_attached()
        return ready


@contextmanager
def crm_page(opened: Browser, origin: str, desk: str) -> Iterator[CrmPage]:
    """Loaded, in a browser of its own, with nothing in its frame."""
    context = opened.new_context(ignore_https_errors=True, locale="en", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    made = CrmPage(page=page, context=context, origin=origin, desk=desk)
    page.on("console", lambda told: made.problems.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: made.problems.append(str(error)))
    made.load()
    try:
        yield made
    finally:
        context.close()
