"""What the processes need to know before they can read the running configuration: addresses, names, secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from routing.store.sealing import NO_KEYS, SealKeys


class PbxKind(StrEnum):
    ASTERISK = "asterisk"
    FREESWITCH = "freeswitch"
    SIMULATED = "simulated"


class EslTransport(StrEnum):
    """Client of a FreeSWITCH's event socket. AUTO: python-ESL where it can be imported, else our own over a socket."""

    AUTO = "auto"
    SOCKET = "socket"
    PYTHON_ESL = "python-esl"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """Table `retention`: days after which things are deleted, None = never."""

    recording_days: int | None = None
    history_days: int | None = None
    audit_days: int | None = None
    campaign_days: int | None = None
    ledger_days: int | None = None
    report_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Table `server`. `standbys`: engines besides the active one that `switchroom up` keeps running.

    `data_centre_calls`: live customer calls of all tenants of this Redis, None = no limit.

    `database_url` is absolute: a relative SQLite file of the configuration has been resolved. `cad_keys`: what
    `cad_key_file` or `cad_key_env` hold, as far as this process can read it. `recordings_directory`: of the table
    `recordings`, absolute too; empty where the files stay with the PBX.
    """

    tenant: str = "main"
    redis_url: str = "redis://127.0.0.1:6379/0"
    database_url: str = ""
    standbys: int = 1
    data_centre_calls: int | None = None
    log_level: LogLevel = LogLevel.INFO
    cad_keys: SealKeys = NO_KEYS
    recordings_directory: str = ""
    retention: RetentionSettings = RetentionSettings()

    @property
    def shown_redis_url(self) -> str:
        """`redis_url` without its password, for people and logs."""
        return re.sub(r"(?<=://)([^:@/]*:)[^@]*@", r"\1***@", self.redis_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """Table `api.oidc`. `claim` holds the name of a user or the id of an agent of `tenant` (empty: the server's).

    `client_id`: with which pages sign people in there, empty: they do not. `client_secret` is empty for a public
    client, and where this process could not read it from `client_secret_source`.
    """

    issuer: str
    audience: str
    claim: str = "preferred_username"
    tenant: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    client_secret_source: str = ""
    scopes: tuple[str, ...] = ("openid", "profile")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameKey:
    """Table `desk.frame_keys.ID`: either a `secret` (HS256) or a `public_key` in PEM (Ed25519). `source`: for messages.

    Both are empty where this process could not read it. `tenant` empty: that of the server.
    """

    id: str
    issuer: str
    tenant: str = ""
    secret: str = field(default="", repr=False)
    public_key: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """Table `desk`. `frame_origins`: of pages that may hold the desk in a frame, as browsers write them.

    `frame_keys`: with which programs sign tokens for such frames.

    `style_file` and `templates_directory` are absolute, empty where a site has none of its own.
    """

    frame_origins: tuple[str, ...] = ()
    frame_keys: tuple[FrameKey, ...] = ()
    title: str = "Switchroom"
    style_file: str = ""
    templates_directory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Table `api`. `public_url`: empty = as each request names it. `proxy_hops`: proxies before it whose forwarding
    headers count. `session_s`: a session ends after so long without a request. `confirm_timeout_s`: how long a
    command waits for the PBX before it is answered with 202.

    `event_streams`: open event streams of one key or person in one process. `metrics_open`: `/metrics` without a key.
    `desk`: of the pages, which the same processes serve.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    processes: int = 1
    confirm_timeout_s: float = 2.0
    event_streams: int = 100
    metrics_open: bool = False
    public_url: str = ""
    proxy_hops: int = 0
    requests_per_minute: int = 6000
    session_s: int = 28_800
    oidc: OidcSettings | None = None
    desk: DeskSettings = DeskSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Table `webhooks`. `schedule_s`: waits before each attempt, counted from the one before; as many as it is long."""

    allow_private: tuple[str, ...] = ()
    allow_http: bool = False
    timeout_s: float = 15.0
    schedule_s: tuple[float, ...] = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
    keep_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettings:
    """Table `lists`. `report_rows`: of one import's report. `keep_days`: how long an import that ended is known."""

    upload_mb: int = 512
    report_rows: int = 10_000
    keep_days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSettings:
    """Table `speech`. `command`: program and arguments with placeholders, empty: there is none.

    `directory`: of the prompt files, absolute.
    """

    command: tuple[str, ...] = ()
    directory: str = ""
    timeout_s: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxSettings:
    """Connection to one PBX node. `secret` is empty where this process could not read it from `secret_source`.

    `system_name`: what the PBX calls itself (Asterisk: `systemname`, FreeSWITCH: `switchname`); empty = not checked.
    `username` is of Asterisk, `transport` of FreeSWITCH.
    """

    id: str
    kind: PbxKind
    host: str = "127.0.0.1"
    port: int = 5038
    username: str = ""
    secret: str = field(default="", repr=False)
    secret_source: str = ""
    system_name: str = ""
    transport: EslTransport = EslTransport.AUTO
