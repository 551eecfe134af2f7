"""Builds what an API process needs; nothing of it connects before the first request."""

from __future__ import annotations

from typing import cast

from routing.api.auth import BearerAuthenticator
from routing.api.auth_keys import KeyDoor
from routing.api.auth_oidc import OidcDoor
from routing.api.auth_people import PeopleDoor
from routing.api.principal import Principal
from routing.api.services import Authenticator, Services
from routing.app.clock import Clock, SystemClock
from routing.app.settings import ApiSettings, ListSettings, ServerSettings, WebhookSettings
from routing.store.front import connect


class _Nobody:
    """Until the doors are built."""

    def authenticate(self, token: str) -> Principal | None:  # noqa: ARG002
        return None


def build_services(
    server: ServerSettings,
    api: ApiSettings,
    webhooks: WebhookSettings | None = None,
    clock: Clock | None = None,
    lists: ListSettings | None = None,
) -> Services:
    """Raises CadKeyUnreadable, and StoreUnavailable for an address of Redis that makes no sense."""
    made = Services(
        server=server,
        api=api,
        redis=connect(server.redis_url),
        clock=clock or SystemClock(),
        authenticator=cast("Authenticator", _Nobody()),
        webhooks=webhooks or WebhookSettings(),
        lists=lists or ListSettings(),
    )
    made.authenticator = authenticator_of(made)
    return made


def authenticator_of(made: Services) -> BearerAuthenticator:
    """The doors of keys, of people, and of an OpenID provider where there is one."""
    keys = KeyDoor(lambda: made.database, made.clock)

    def has_agent(tenant: str, agent_id: str) -> bool:
        return agent_id in made.front(tenant).config().agents

    people = PeopleDoor(lambda: made.database, made.redis, made.api.session_s, has_agent)
    settings = made.api.oidc
    oidc = OidcDoor(settings, made.server.tenant, people.known) if settings else None
    return BearerAuthenticator(keys, people, oidc)
