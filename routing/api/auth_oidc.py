"""Tokens of an OpenID Connect provider: verified with its published keys, mapped to a user or an agent by a claim."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import structlog

from routing.api.principal import Principal
from routing.api.problems import Problem
from routing.app.settings import OidcSettings

ALGORITHMS = ("RS256", "ES256")
LEEWAY_S = 30
_KEYS_FRESH_S = 3600.0
_RETRY_S = 10.0  # an unknown key id is looked up at most so often, whoever sends how many of them
_TIMEOUT_S = 5.0
_MOST_BYTES = 1 << 20

Known = Callable[[str, str], Principal | None]

log = structlog.get_logger()


class ProviderFailed(Exception):
    """The provider does not answer as OpenID Connect Discovery says."""


@dataclass(slots=True)
class ProviderKeys:
    """The signing keys of an issuer, by id."""

    issuer: str
    clock_s: Callable[[], float] = time.monotonic
    _keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    _about: dict[str, Any] = field(default_factory=dict)
    _read_s: float = float("-inf")
    _tried_s: float = float("-inf")

    def key(self, key_id: str) -> jwt.PyJWK | None:
        """Raises ProviderFailed when there are no keys at all."""
        is_fresh = self.clock_s() - self._read_s < _KEYS_FRESH_S
        if (key_id not in self._keys or not is_fresh) and self.clock_s() - self._tried_s >= _RETRY_S:
            self._refresh()
        return self._keys.get(key_id)

    def about(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery). Raises ProviderFailed."""
        is_fresh = self.clock_s() - self._read_s < _KEYS_FRESH_S
        if not (self._about and is_fresh) and self.clock_s() - self._tried_s >= _RETRY_S:
            self._refresh()
        return self._about

    def _refresh(self) -> None:
        self._tried_s = self.clock_s()
        try:
            self._keys = self._fetched()
            self._read_s = self._tried_s
        except (httpx.HTTPError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            log.warning("oidc_keys_not_read", issuer=self.issuer, reason=str(error))
            if not self._keys:
                self._tried_s = float("-inf")
                raise ProviderFailed(str(error)) from error

    def _fetched(self) -> dict[str, jwt.PyJWK]:
        with httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False) as client:
            about = _json(client, self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if about["issuer"] != self.issuer:
                raise ValueError("the provider says it is another issuer")
            found = _json(client, about["jwks_uri"])
            self._about = about
        keys: dict[str, jwt.PyJWK] = {}
        for item in found["keys"]:
            if item.get("use", "sig") == "sig" and item.get("kty") in ("RSA", "EC") and item.get("kid"):
                keys[item["kid"]] = jwt.PyJWK(item)
        return keys


def _json(client: httpx.Client, url: str) -> dict[str, Any]:
    answer = client.get(url)
    answer.raise_for_status()
    if len(answer.content) > _MOST_BYTES:
        raise ValueError("the answer is too large")
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("the answer is not an object")
    return found


class OidcDoor:
    """Whom a token of the provider stands for. `known`: whom a claim means in a tenant (`PeopleDoor.known`)."""

    def __init__(self, settings: OidcSettings, tenant: str, known: Known, keys: ProviderKeys | None = None) -> None:
        self.settings, self.tenant = settings, settings.tenant or tenant
        self._known = known
        self.keys = keys or ProviderKeys(settings.issuer)

    def principal(self, token: str) -> Principal | None:
        """None for a token that is not valid or names nobody. Raises Problem oidc-unavailable, StoreError."""
        claims = self.claims(token, self.settings.audience)
        name = self.name_in(claims) if claims else ""
        return self._known(self.tenant, name) if name else None

    def name_in(self, claims: dict[str, Any]) -> str:
        """Of a user, or the id of an agent; empty: the token names nobody."""
        name = claims.get(self.settings.claim)
        return name if isinstance(name, str) else ""

    def claims(self, token: str, audience: str) -> dict[str, Any] | None:
        """What a token for this audience says; None for one that is not valid. Raises Problem oidc-unavailable."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str):
                return None
            key = self.keys.key(header["kid"])
            if key is None or key.algorithm_name != header["alg"]:
                return None
            options: Any = {"require": ["exp", "iat", "iss", "aud", "sub"]}
            found: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                audience=audience,
                issuer=self.settings.issuer,
                leeway=LEEWAY_S,
                options=options,
            )
        except jwt.PyJWTError:
            return None
        except ProviderFailed as error:
            raise Problem("oidc-unavailable", "the keys of the OpenID provider cannot be read now") from error
        return found
