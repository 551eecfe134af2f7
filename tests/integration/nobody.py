"""An authenticator that knows nobody."""

from __future__ import annotations

from routing.api.principal import Principal


class Nobody:
    def authenticate(self, token: str) -> Principal | None:
        return None
