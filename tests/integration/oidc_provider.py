"""An OpenID Connect provider on loopback: discovery, keys, and tokens signed by whichever key one likes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "switchroom"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Provider:
    """`keys`: those it publishes, by id; `requests`: paths that were asked for."""

    def __init__(self) -> None:
        self.keys: dict[str, PrivateKey] = {}
        self.requests: list[str] = []
        self.claimed_issuer = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settled_issuer(self) -> str:
        return self.claimed_issuer or self.issuer

    def token(self, key: PrivateKey, key_id: str | None, **changes: Any) -> str:
        """Signed by that key; None as a claim leaves it out."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": AUDIENCE, "sub": "1", "iat": now, "exp": now + 300} | changes
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        headers = {} if key_id is None else {"kid": key_id}
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(given, key, algorithm=algorithm, headers=headers)

    def answer(self, path: str) -> dict[str, Any] | None:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.settled_issuer, "jwks_uri": f"{self.issuer}/keys"}
        return {"keys": [published(key, id_) for id_, key in self.keys.items()]} if path == "/keys" else None

    def taken(self, path: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The answer to a form; this provider takes none."""
        return 404, {}

    def run(self) -> threading.Thread:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        return thread

    def stop(self, thread: threading.Thread) -> None:
        self._server.shutdown()
        thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.requests.append(self.path)
                found = provider.answer(self.path)
                self._send(404 if found is None else 200, found)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
                self._send(*provider.taken(self.path, dict(parse_qsl(body)), dict(self.headers)))

            def _send(self, status: int, found: Any) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def log_message(self, *_args: object) -> None:
                """Nothing."""

        return Handler


def published(key: PrivateKey, key_id: str) -> dict[str, Any]:
    """Its public half as a JWK."""
    algorithm: Any = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    name = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    public: dict[str, Any] = algorithm.to_jwk(key.public_key(), as_dict=True)
    return public | {"kid": key_id, "use": "sig", "alg": name}


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


P = TypeVar("P", bound=Provider)


@contextmanager
def provider() -> Iterator[Provider]:
    """Runs until the end of the block."""
    with serving(Provider()) as found:
        yield found


@contextmanager
def serving(found: P) -> Iterator[P]:
    """The same, of a provider that can more."""
    thread = found.run()
    try:
        yield found
    finally:
        found.stop(thread)
