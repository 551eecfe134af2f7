"""An OpenID Connect provider on loopback at which people sign in; it checks what a client must bring."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.integration.oidc_provider import PrivateKey, Provider, rsa_key

CLIENT, SECRET = "desk", "s3cret/with:signs"


class SignInProvider(Provider):
    """`agree` stands for a person who signs in there. `changes`: claims of the next tokens. It takes
    a code again and again: that an answer counts once is up to the client."""

    def __init__(self) -> None:
        super().__init__()
        self.key: PrivateKey = rsa_key()
        self.keys["one"] = self.key
        self._codes: dict[str, dict[str, str]] = {}
        self.be_right()

    def be_right(self) -> None:
        """As it is before a test changes something."""
        self.changes: dict[str, Any] = {}
        self.signs_with: PrivateKey = self.key
        self.about: dict[str, Any] = {"end_session_endpoint": f"{self.issuer}/out?a=b"}
        self.secret = SECRET
        self.requests.clear()

    def agree(self, address: str, who: str) -> dict[str, str]:
        """What it sends the browser back with, from the address that the browser was sent to."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert address.startswith(f"{self.issuer}/authorize?")
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        assert len(asked["nonce"]) >= 32
        code = f"code{len(self._codes)}"
        self._codes[code] = asked | {"who": who}
        return {"code": code, "state": asked["state"]}

    def answer(self, path: str) -> dict[str, Any] | None:
        found = super().answer(path)
        if path != "/.well-known/openid-configuration" or found is None:
            return found
        ours = {"authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token"}
        return found | ours | self.about

    def taken(self, path: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self._codes.get(form.get("code", ""))
        if path != "/token" or asked is None or not self._is_client(form, headers):
            return 400, {"error": "invalid_grant"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        if challenge.rstrip("=") != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        claims = {"aud": CLIENT, "nonce": asked["nonce"], "preferred_username": asked["who"]} | self.changes
        return 200, {"token_type": "Bearer", "id_token": self.token(self.signs_with, "one", **claims)}

    def _is_client(self, form: dict[str, str], headers: dict[str, str]) -> bool:
        if not self.secret:
            return form.get("client_id") == CLIENT and "Authorization" not in headers
        if "client_secret_post" in self.about.get("token_endpoint_auth_methods_supported", []):
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, self.secret)
        # Encoded as in a form, then as Basic (RFC 6749, 2.3.1).
        basic = base64.b64encode(b"desk:s3cret%2Fwith%3Asigns").decode()
        return headers.get("Authorization") == f"Basic {basic}"
