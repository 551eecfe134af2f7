"""The tables of the API and of the pages."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from routing.app.config.scalars import Host, Id, Label, PlainText, Table


class OidcTable(Table):
    """Sign-in with tokens of an OpenID Connect provider instead of passwords."""

    issuer: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] = Field(
        description="Issuer as its tokens name it; its keys are found below it"
    )
    audience: PlainText = Field(description="Audience that a token must be for")
    claim: PlainText = Field(
        default="preferred_username", description="Claim with the name of a user, or the id of an agent"
    )
    tenant: PlainText | None = Field(default=None, description="Tenant of these people; not given: that of the server")
    client_id: PlainText | None = Field(
        default=None, description="Client as which the pages sign people in there; not given: they do not"
    )
    client_secret: PlainText | None = Field(
        default=None, description="Its secret, in the open: keep the file from other users; none for a public client"
    )
    client_secret_env: PlainText | None = Field(default=None, description="Environment variable that holds the secret")
    client_secret_file: PlainText | None = Field(
        default=None, description="File whose first line is the secret; relative to the configuration directory"
    )
    scopes: list[Annotated[str, StringConstraints(pattern=r"^[!#-\[\]-~]+$")]] = Field(
        default=["openid", "profile"], min_length=1, max_length=20, description="Scopes that the pages ask for"
    )

    @model_validator(mode="after")
    def _client_fits(self) -> OidcTable:
        given = [name for name in ("client_secret", "client_secret_env", "client_secret_file") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError("give at most one of client_secret, client_secret_env, client_secret_file")
        if given and self.client_id is None:
            raise ValueError(f"{given[0]} is of a client: give client_id")
        if "openid" not in self.scopes:
            raise ValueError("scopes lacks openid, without which nobody says who somebody is")
        return self


_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def _origin(value: str) -> str:
    """As a browser writes it, in lower case and without the port that goes without saying."""
    value = value.lower()
    parts = urlsplit(value)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    found = f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port not in (None, usual) else "")
    if not host or found != value or not re.fullmatch(r"[a-z0-9.:\[\]-]+", parts.netloc):
        raise ValueError("an origin is https://HOST or https://HOST:PORT and nothing more, letters of ASCII")
    if parts.scheme != "https" and shown not in _LOOPBACK:
        raise ValueError("only an origin on this machine may go without https")
    return found


class FrameKeyTable(Table):
    """A program that signs tokens for the desk in a frame itself. KEY is the `kid` of its tokens.

    Exactly one of `secret_env`, `secret_file` (HS256) and `public_key_file` (EdDSA).
    """

    issuer: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[!-~]+$")] = Field(
        description="The program, as its tokens name it (`iss`); two keys of one issuer while they are exchanged"
    )
    tenant: PlainText | None = Field(default=None, description="Tenant of the agents; not given: that of the server")
    secret_env: PlainText | None = Field(
        default=None, description="Environment variable that holds a secret of 32 bytes or more, which both sides know"
    )
    secret_file: PlainText | None = Field(
        default=None, description="File whose first line is that secret; relative to the configuration directory"
    )
    public_key_file: PlainText | None = Field(
        default=None, description="File with the public half of an Ed25519 key, in PEM; relative as above"
    )

    @model_validator(mode="after")
    def _one_key(self) -> FrameKeyTable:
        names = ("secret_env", "secret_file", "public_key_file")
        if len([name for name in names if getattr(self, name)]) != 1:
            raise ValueError(f"give exactly one of {', '.join(names)}")
        return self


class DeskTable(Table):
    """The pages for agents and supervisors. Read at the start of the API's processes."""

    frame_origins: list[Annotated[str, AfterValidator(_origin)]] = Field(
        default=[],
        max_length=50,
        description="Origins of programs that may hold the desk in a frame, e.g. `https://crm.example.com`",
    )
    frame_keys: dict[Id, FrameKeyTable] = Field(
        default_factory=dict,
        max_length=50,
        description="Keys of programs that sign tokens for frames themselves; needs `api.public_url`",
    )
    title: Label = Field(default="Switchroom", description="Name in the bar at the top")
    style_file: PlainText | None = Field(
        default=None, description="Style sheet of your own, loaded after ours; relative to the configuration directory"
    )
    templates: PlainText | None = Field(
        default=None,
        description="Directory with templates of your own, taken instead of ours of the same name; relative as above",
    )


class ApiTable(Table):
    """The REST API. Read at the start of its processes; not part of what `apply` changes."""

    host: Host = Field(default="127.0.0.1", description="Address to listen on; put a TLS proxy before a public one")
    port: int = Field(default=8080, ge=1, le=65_535, description="Port to listen on")
    processes: int = Field(default=1, ge=1, le=64, description="Processes that share the port")
    confirm_timeout_s: float = Field(
        default=2.0, ge=0, le=30, description="Seconds that a command waits for the PBX before it is answered with 202"
    )
    event_streams: int = Field(
        default=100, ge=1, le=100_000, description="Open event streams of one key or person in one process"
    )
    public_url: Annotated[str, StringConstraints(pattern=r"^(https?://\S+)?$")] = Field(
        default="", description="Where clients reach the API; not given: as each request names it"
    )
    proxy_hops: int = Field(
        default=0, ge=0, le=5, description="Reverse proxies before the API whose X-Forwarded headers are to be believed"
    )
    requests_per_minute: int = Field(
        default=6000, ge=1, le=10_000_000, description="Requests a minute of a key that has no limit of its own"
    )
    session_s: int = Field(
        default=28_800, ge=60, le=604_800, description="Seconds without a request after which a sign-in ends"
    )
    oidc: OidcTable | None = Field(default=None, description="OpenID Connect provider whose tokens are taken")
    metrics_open: bool = Field(
        default=False, description="Answer `/metrics` without a key; else it needs one with the scope `metrics:read`"
    )
