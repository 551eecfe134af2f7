"""Signing in at an OpenID Connect provider: the authorization code flow with PKCE, state and nonce.

What was begun in a browser ends there, once: its state is in a cookie of that browser, and what belongs to it (nonce,
code verifier, way back) in Redis, from where it is taken. The token is checked as those that come to the API, but
for the client as its audience. RFC 6749, 7636, 9207, OpenID Connect Core 1.0 and RP-Initiated Logout 1.0.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
import structlog
from flask import request
from redis.exceptions import RedisError

from routing.api.auth import BearerAuthenticator
from routing.api.auth_oidc import OidcDoor, ProviderFailed
from routing.api.auth_people import Opened, Session, Way
from routing.api.problems import Problem
from routing.api.services import services
from routing.app.settings import OidcSettings
from routing.desk import door
from routing.store.keys import shared_key
from routing.store.redis_link import translated

BEGUN_S = 600
_TIMEOUT_S = 5.0
_MOST_BYTES = 1 << 20
_MOST_HINT = 8192

log = structlog.get_logger()


class Begun(msgspec.Struct, frozen=True):
    """What a provider's answer must fit to."""

    nonce: str
    verifier: str
    back: str
    redirect_uri: str


class NotSignedIn(Exception):
    """The provider or the browser brought something that signs nobody in. `code` is for the log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Ours at the provider."""

    settings: OidcSettings
    oidc: OidcDoor

    def begin(self, back: str) -> tuple[str, str]:
        """Where the browser goes, and the state that it keeps meanwhile. Raises Problem, StoreError."""
        about, state = self._about("authorization_endpoint"), secrets.token_urlsafe(32)
        begun = Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(48), back, base_url() + CALLBACK)
        _in_redis("set", _key(state), msgspec.json.encode(begun), ex=BEGUN_S)
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": begun.redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": begun.nonce,
            "code_challenge": _challenge(begun.verifier),
            "code_challenge_method": "S256",
        }
        return _with_query(about["authorization_endpoint"], asked), state

    def end(self, kept_state: str) -> tuple[Opened, str]:
        """A session for whom the provider has sent, and his way back. Raises NotSignedIn, Problem, StoreError."""
        state = request.args.get("state", "")
        if not state or not secrets.compare_digest(state.encode(), kept_state.encode()):
            raise NotSignedIn("state-wrong")
        found = _in_redis("getdel", _key(state))
        if found is None:
            raise NotSignedIn("state-unknown")
        issuer = request.args.get("iss")
        if issuer is not None and issuer != self.settings.issuer:
            raise NotSignedIn("issuer-wrong")
        if "error" in request.args or not request.args.get("code"):
            raise NotSignedIn("refused-by-provider")
        begun = msgspec.json.decode(found, type=Begun)
        token = self._id_token(request.args["code"], begun)
        return self._opened(token, begun.nonce), begun.back

    def way_out(self, session: Session) -> str:
        """Where the session at the provider ends, too; empty: it offers no such place, or does not answer now."""
        try:
            place = self._about().get("end_session_endpoint")
        except Problem:
            return ""
        if not _is_web(place):
            return ""
        asked = {"client_id": self.settings.client_id, "post_logout_redirect_uri": base_url() + door.SIGN_IN}
        return _with_query(str(place), asked | ({"id_token_hint": session.hint} if session.hint else {}))

    def _opened(self, token: str, nonce: str) -> Opened:
        claims = self.oidc.claims(token, self.settings.client_id)
        if claims is None:
            raise NotSignedIn("token-wrong")
        if claims.get("nonce") != nonce:
            raise NotSignedIn("nonce-wrong")
        if claims.get("azp", self.settings.client_id) != self.settings.client_id:
            raise NotSignedIn("token-of-another-client")
        name = self.oidc.name_in(claims)
        hint = token if len(token) <= _MOST_HINT else ""
        opened = door.people().enter(Session(self.oidc.tenant, name, "", Way.PROVIDER, hint)) if name else None
        if opened is None:
            raise NotSignedIn("nobody-known")
        return opened

    def _id_token(self, code: str, begun: Begun) -> str:
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect_uri,
            "code_verifier": begun.verifier,
        }
        found = _posted(self._about("token_endpoint"), sent, self.settings)
        token = found.get("id_token")
        if not isinstance(token, str):
            raise NotSignedIn("no-id-token")
        return token

    def _about(self, *needed: str) -> dict[str, Any]:
        """Discovery. Raises Problem oidc-unavailable."""
        try:
            about = self.oidc.keys.about()
        except ProviderFailed as error:
            raise _unavailable() from error
        if not about or not all(_is_web(about.get(name)) for name in needed):
            raise _unavailable()
        return about


CALLBACK = "/desk/sign-in/callback"


def client() -> Client | None:
    """None where people do not sign in at a provider."""
    authenticator = services().authenticator
    found = authenticator.oidc if isinstance(authenticator, BearerAuthenticator) else None
    return Client(settings=found.settings, oidc=found) if found and found.settings.client_id else None


def base_url() -> str:
    """Of this server as browsers name it."""
    return (services().api.public_url or request.host_url).rstrip("/")


def _posted(about: dict[str, Any], sent: dict[str, str], settings: OidcSettings) -> dict[str, Any]:
    """The answer of the token endpoint. Raises NotSignedIn, Problem."""
    more, options = _credentials(about, settings)
    try:
        with httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False) as asking:
            answer = asking.post(about["token_endpoint"], data=sent | more, **options)
            if 400 <= answer.status_code < 500:
                raise NotSignedIn("code-refused")
            answer.raise_for_status()
            found = answer.json() if len(answer.content) <= _MOST_BYTES else None
    except (httpx.HTTPError, ValueError) as error:
        log.warning("oidc_code_not_exchanged", reason=str(error))
        raise _unavailable() from error
    if not isinstance(found, dict):
        raise _unavailable()
    return found


def _credentials(about: dict[str, Any], settings: OidcSettings) -> tuple[dict[str, str], dict[str, Any]]:
    """Who asks, in the way that the provider takes: members of the form, options of the request."""
    if settings.client_secret_source and not settings.client_secret:
        log.error("oidc_secret_not_read", source=settings.client_secret_source)
        raise _unavailable()
    named = {"client_id": settings.client_id}
    if not settings.client_secret:
        return named, {}
    if "client_secret_basic" in about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
        return {}, {"auth": httpx.BasicAuth(_form(settings.client_id), _form(settings.client_secret))}
    return named | {"client_secret": settings.client_secret}, {}


def _unavailable() -> Problem:
    return Problem("oidc-unavailable", "the OpenID provider does not answer as it should")


def _form(text: str) -> str:
    """RFC 6749, 2.3.1: both are encoded as in a form before they become a header."""
    return urlencode({"": text})[1:]


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _is_web(address: object) -> bool:
    return isinstance(address, str) and urlsplit(address).scheme in ("https", "http")


def _with_query(address: str, query: dict[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _key(state: str) -> str:
    return shared_key("desk-sign-in", hashlib.sha256(state.encode("utf-8", "replace")).hexdigest())


def _in_redis(verb: str, *given: Any, **options: Any) -> bytes | None:
    try:
        found = getattr(services().redis, verb)(*given, **options)
    except (RedisError, OSError) as error:
        raise translated(error) from error
    return found if isinstance(found, bytes) else None
