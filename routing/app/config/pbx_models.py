"""The table of one PBX node: how it is reached, how telephones and numbers are dialed there."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from routing.app.config.scalars import DialString, Host, Id, PlainText, Table
from routing.app.settings import EslTransport, PbxKind

_SECRETS = {
    PbxKind.ASTERISK: "the secret of the user in manager.conf",
    PbxKind.FREESWITCH: "the password in event_socket.conf.xml",
}


class PbxTable(Table):
    """One PBX node; the table's name is its id. The connection settings are read at the start of its connector."""

    kind: Annotated[PbxKind, Field(strict=False)] = Field(default=PbxKind.ASTERISK, description="What it is")
    host: Host = Field(
        default="127.0.0.1", description="Where its manager interface (Asterisk) or event socket (FreeSWITCH) listens"
    )
    port: int | None = Field(
        default=None, ge=1, le=65_535, description="Port of it; not given: 5038 for Asterisk, 8021 for FreeSWITCH"
    )
    username: PlainText = Field(
        default="switchroom", description="Asterisk: user of the manager interface; a FreeSWITCH has none"
    )
    secret: PlainText | None = Field(
        default=None,
        description="That user's secret, or the password of the event socket, in the open: keep the file from other "
        "users",
    )
    secret_env: PlainText | None = Field(default=None, description="Environment variable that holds the secret")
    secret_file: PlainText | None = Field(
        default=None, description="File whose first line is the secret; relative to the configuration directory"
    )
    transport: Annotated[EslTransport, Field(strict=False)] = Field(
        default=EslTransport.AUTO,
        description="FreeSWITCH: client of the event socket. `auto`: python-ESL where it is installed, else the "
        "built-in `socket`",
    )
    system_name: PlainText = Field(
        default="",
        description="What the PBX calls itself (Asterisk: `systemname`, FreeSWITCH: `switchname`); `doctor` compares "
        "it",
    )
    phone: DialString | None = Field(
        default=None,
        description="What an agent's `phone` that is a bare number means here; not given: `PJSIP/{number}` for "
        "Asterisk, `user/{number}` for FreeSWITCH",
    )
    trunks: dict[Id, DialString] = Field(
        default_factory=dict,
        description="Other PBXs by id, with the dial string by which this one rings a telephone there, e.g. "
        '`fs1 = "PJSIP/{number}@to-fs1"`; agents of a PBX that is not named are out of reach for callers of this one',
    )
    dial: DialString | None = Field(
        default=None,
        description="Dial string for outside numbers, e.g. `PJSIP/{number}@trunk` or `sofia/gateway/trunk/{number}`; "
        "without it none is dialed",
    )
    dial_colon: Annotated[str, StringConstraints(pattern=r"^[*#]{0,4}$")] | None = Field(
        default=None,
        description="What ':' in a number becomes on the trunk, may be empty; without it such a number is refused",
    )
    dial_caller_id: Annotated[str, StringConstraints(pattern=r"^(\+?[0-9]{2,15})?$")] = Field(
        default="", description="Number that outside parties see; empty: what the trunk itself shows"
    )
    prompts: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9_./+-]{1,200}$")] | None = Field(
        default=None, description="Directory in which this PBX sees the files of prompts, absolute, without blanks"
    )

    @model_validator(mode="after")
    def _one_secret(self) -> PbxTable:
        given = [name for name in ("secret", "secret_env", "secret_file") if getattr(self, name) is not None]
        if self.kind is not PbxKind.SIMULATED and len(given) != 1:
            raise ValueError(f"give exactly one of secret, secret_env, secret_file: {_SECRETS[self.kind]}")
        return self
