"""Whom a bearer token stands for: a key, a session, or somebody whom the OpenID provider knows."""

from __future__ import annotations

from routing.api.auth_keys import PREFIX as KEY_PREFIX
from routing.api.auth_keys import KeyDoor
from routing.api.auth_oidc import OidcDoor
from routing.api.auth_people import PREFIX as SESSION_PREFIX
from routing.api.auth_people import PeopleDoor
from routing.api.principal import Principal

_MOST_CHARACTERS = 8192


class BearerAuthenticator:
    """Each kind of token at its door. Raises StoreError where a door's rows cannot be read."""

    def __init__(self, keys: KeyDoor, people: PeopleDoor, oidc: OidcDoor | None = None) -> None:
        self.keys, self.people, self.oidc = keys, people, oidc

    def authenticate(self, token: str) -> Principal | None:
        """None: for nobody."""
        if len(token) > _MOST_CHARACTERS or not token.isascii():
            return None
        if token.startswith(KEY_PREFIX):
            return self.keys.principal(token)
        if token.startswith(SESSION_PREFIX):
            return self.people.principal(token)
        if self.oidc is not None and token.count(".") == 2:
            return self.oidc.principal(token)
        return None
