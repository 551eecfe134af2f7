"""The files' shape: one pydantic model per table. Unknown keys are mistakes; descriptions make the reference."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from routing.app.config.call_models import LimitsTable, NumbersTable, OutdialRights, OutdialTable
from routing.app.config.pbx_models import PbxTable
from routing.app.config.scalars import (
    CadName,
    Extension,
    Host,
    Id,
    Label,
    Network,
    Number,
    Phone,
    Pin,
    PlainText,
    Prefix,
    Priority,
    Queues,
    Seconds,
    Skills,
    Table,
)
from routing.app.settings import LogLevel
from routing.core.config import AfterMiss, RonaCause, Strategy, UnansweredTransfer
from routing.core.declarations import CadType


class ServerTable(Table):
    """The server's own processes. Read at their start; not part of what `apply` changes."""

    tenant: Id = Field(
        default="main", description="Name of this tenant in Redis; servers with the same name share their calls"
    )
    redis_url: Annotated[str, StringConstraints(pattern=r"^(redis|rediss|unix)://\S+$")] = Field(
        default="redis://127.0.0.1:6379/0", description="Redis for live state, with `appendonly yes` and `noeviction`"
    )
    database_url: Annotated[str, StringConstraints(pattern=r"^(sqlite:///\S+|postgresql://\S+)$")] = Field(
        default="sqlite:///switchroom.db",
        description="Database for history, contacts and keys: SQLite, relative to the configuration directory, or "
        "`postgresql://user:password@host/name`",
    )
    standbys: int = Field(
        default=1, ge=0, le=8, description="Engines beside the active one that `switchroom up` keeps ready"
    )
    data_centre_calls: int | None = Field(
        default=None,
        ge=1,
        description="Live customer calls of all tenants on this Redis together; more are refused with reason code 26. "
        "Set the same in each tenant",
    )
    log_level: Annotated[LogLevel, Field(strict=False)] = Field(
        default=LogLevel.INFO, description="Least severe events to log"
    )
    cad_key_file: PlainText | None = Field(
        default=None,
        description="File with the keys that encrypt call-associated data in Redis, one line of `switchroom cad-key` "
        "each, the newest first; relative to the configuration directory",
    )
    cad_key_env: PlainText | None = Field(
        default=None, description="Environment variable that holds these keys instead, separated by blanks or lines"
    )

    @model_validator(mode="after")
    def _one_key_source(self) -> ServerTable:
        if self.cad_key_file is not None and self.cad_key_env is not None:
            raise ValueError("give one of cad_key_file, cad_key_env")
        return self


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


class RecordingsTable(Table):
    """Where the PBX's recordings are to be found. Read at the start of the processes that serve and delete them."""

    directory: PlainText | None = Field(
        default=None,
        description="Directory in which this server sees the files of `SR_RECORD_DIR` (the same disk, or a mounted "
        "one); relative to the configuration directory. Not given: the files stay with the PBX",
    )


class RetentionTable(Table):
    """How long things are kept; what is not given is kept for ever. Read at the start of the processes."""

    recording_days: int | None = Field(
        default=None,
        ge=1,
        description="Days after the end of a call until its recordings are deleted; needs `directory` of `recordings`",
    )
    history_days: int | None = Field(
        default=None, ge=1, description="Days after the end of a call until its history and recordings are deleted"
    )
    audit_days: int | None = Field(default=None, ge=1, description="Days until an entry of the audit log is deleted")


class WebhooksTable(Table):
    """Delivery of webhooks. Read at the start of the processes that accept and send them."""

    allow_private: list[Network] = Field(
        default_factory=list,
        description="Networks that endpoints may be in though they are not public, e.g. `10.1.0.0/16`; all others that "
        "are private, local or reserved are refused",
    )
    allow_http: bool = Field(default=False, description="Accept endpoints without TLS")
    timeout_s: float = Field(default=15.0, gt=0, le=30, description="Seconds that an endpoint has for its answer")
    schedule_s: list[Annotated[float, Field(ge=0, le=604_800)]] = Field(
        default=[0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400],
        min_length=1,
        max_length=20,
        description="Seconds before each attempt, counted from the one before; after the last the endpoint is disabled",
    )
    keep_days: int = Field(default=30, ge=1, le=3650, description="Days that settled deliveries stay in the log")


class TeamTable(Table):
    """A team of agents; the table's name is its id."""

    label: Label | None = Field(default=None, description="Name for people; the id where it is not given")
    queues: Queues = Field(
        default_factory=dict,
        description="Queues of its agents who name none themselves: `{ sales = 1 }` with ranks, or a list",
    )


class DialTable(Table):
    """Which outside numbers may be dialed. A prefix is digits, `*`, `#`, with `+` first or `+` alone."""

    allowed: list[Prefix] = Field(
        default_factory=list,
        description="Numbers that begin so, written as here or with an IDD prefix for `+`; none: nothing is dialed",
    )
    denied: list[Prefix] = Field(
        default_factory=list, description="But not those that begin so, in whatever way they are written"
    )
    min_digits: int = Field(default=3, ge=3, le=15, description="Fewest digits")
    max_digits: int = Field(default=15, ge=3, le=15, description="Most digits")
    international: bool = Field(default=False, description="Also numbers outside `numbers.country`")
    premium: bool = Field(default=False, description="Also numbers of `numbers.premium`")

    @model_validator(mode="after")
    def _range(self) -> DialTable:
        if self.min_digits > self.max_digits:
            raise ValueError(f"nothing has {self.min_digits} digits or more and at most {self.max_digits}")
        return self


class ProfileTable(OutdialRights):
    """What an agent may do; the table's name is its id. `default` exists without being written."""

    receive_calls: bool = Field(default=True, description="Is offered customers' calls")
    end_calls: bool = Field(default=True, description="May end a customer's call")
    dial: DialTable = Field(default_factory=DialTable, description="Outside numbers he may call or bring in")
    record: bool = Field(default=False, description="His calls are recorded")


class AgentTable(Table):
    """An agent; the table's name is his id."""

    name: Label = Field(description="Name for people")
    team: Id = Field(description="His team")
    phone: Phone = Field(
        description="His telephone: its number, e.g. `1001`, or the PBX's own address, e.g. `PJSIP/1001`, `user/1001`"
    )
    extension: Extension | None = Field(
        default=None, description="Number by which other PBXs dial it (`trunks`); not given: the one in `phone`"
    )
    pbx: Id | None = Field(default=None, description="PBX of his telephone; may be left out where there is only one")
    profile: Id = Field(default="default", description="What he may do")
    skills: Skills = Field(default_factory=dict, description="Level 1-10 of each skill")
    queues: Queues | None = Field(
        default=None, description="His queues, instead of his team's: with ranks (1 is asked first), or a list"
    )
    order: int = Field(default=0, ge=0, le=1_000_000, description="His place for the strategy `linear`, lowest first")
    pin: Pin | None = Field(
        default=None, description="Digits for signing in by feature code on his phone; none: it takes no PIN"
    )


class RelaxationTable(Table):
    """What is required after some waiting, instead of what was before."""

    after_s: Seconds = Field(description="Seconds of waiting")
    requires: Skills = Field(description="The whole requirement from then on; `{}` takes any agent of the queue")


class MissTable(Table):
    """What a failed offer does to the agent and the call."""

    then: Annotated[AfterMiss, Field(strict=False)] = Field(
        default=AfterMiss.RONA, description="State that the agent takes"
    )
    skip_s: int = Field(
        default=0, ge=0, le=86_400, description="How long this call skips that agent; 0: as long as it waits"
    )
    idle_reason: PlainText | None = Field(
        default=None, description='Reason of the idle state; only and always with `then = "idle"`'
    )


class WrapUpTable(Table):
    """Time after a call for the agent's notes."""

    timeout_s: int = Field(default=0, ge=0, le=86_400, description="Seconds; 0: no wrap-up")
    until_reason: bool = Field(default=False, description="No time limit: wrap-up lasts until the agent gives a reason")
    default_reason: PlainText | None = Field(default=None, description="Reason that is noted when the time is over")
    extension_s: Seconds = Field(default=60, description="Seconds that one extension adds")
    max_extensions: int = Field(default=3, ge=0, le=100, description="How often an agent may extend")

    @model_validator(mode="after")
    def _one_end(self) -> WrapUpTable:
        if self.until_reason and self.timeout_s:
            raise ValueError("until_reason has no time limit: leave timeout_s out")
        return self


class QueueTable(Table):
    """A queue; the table's name is its id."""

    label: Label | None = Field(default=None, description="Name for people; the id where it is not given")
    strategy: Annotated[Strategy, Field(strict=False)] = Field(
        default=Strategy.LONGEST_IDLE, description="Order of its eligible agents within a rank"
    )
    requires: Skills = Field(default_factory=dict, description="Skills with the minimum level that an agent needs")
    relaxation: list[RelaxationTable] = Field(default_factory=list, description="What is required later")
    priority: Priority = Field(default=5, description="Priority of its calls, 10 is served first")
    aging_per_min: float = Field(
        default=1.0, ge=0, le=1000, description="Points of priority that a minute of waiting is worth"
    )
    ring_timeout_s: int = Field(default=20, ge=1, le=300, description="Seconds that an agent's phone rings")
    on_miss: dict[Annotated[RonaCause, Field(strict=False)], MissTable] = Field(
        default_factory=dict, description="What a failed offer does, per cause"
    )
    wrap_up: WrapUpTable = Field(default_factory=WrapUpTable, description="Time after a call")
    max_talking: int | None = Field(default=None, ge=1, description="At most so many of its agents talk at once")
    max_wait_s: Seconds | None = Field(
        default=None, description="A caller goes back to the dialplan after so long (`timeout`)"
    )
    max_waiting: int | None = Field(
        default=None, ge=1, description="More callers go back to the dialplan at once (`full`)"
    )
    leave_when_no_agents: bool = Field(
        default=False, description="Callers go back to the dialplan while no agent of it is signed in (`no_agents`)"
    )
    music: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{2}[A-Za-z0-9_.-]{0,62}$")] = Field(
        default="default", description="Class of music on hold of the PBX"
    )
    offer_variables: list[CadName] = Field(default_factory=list, description="CAD variables that an offer shows")
    consult_variables: list[CadName] = Field(
        default_factory=list, max_length=6, description="CAD variables that a consult offer shows, at most 6"
    )


class CadTable(Table):
    """A variable of call-associated data; the table's name is its name, by which the dialplan hands it over."""

    label: Label | None = Field(default=None, description="Name for people; the variable's where it is not given")
    type: Annotated[CadType, Field(strict=False)] = Field(default=CadType.STRING, description="What a value must be")
    order: int = Field(default=0, ge=0, le=1_000_000, description="Place on the agent's form, lowest first")
    editable: bool = Field(default=True, description="Agents may change it")
    secure: bool = Field(default=False, description="Sensitive: masked in logs and events")
    shown: bool = Field(default=True, description="On the agent's form; the first 30 are")


class EntryPointTable(Table):
    """Where calls come in; the table's name is its id, which the dialplan may name."""

    queue: Id = Field(description="Queue of its calls")
    numbers: list[Number] = Field(default_factory=list, description="Dialled numbers that lead here")
    priority: Priority | None = Field(default=None, description="Instead of the queue's")
    cad: dict[CadName, CadTable] = Field(
        default_factory=dict, description="Variables of its calls alone, or other settings of a common one"
    )
    return_after_call: bool = Field(
        default=False,
        description="The caller goes on in the dialplan when the agent has ended the call, instead of being hung up",
    )
    screen_pop: str | None = Field(
        default=None,
        description="URL that an offer carries for the agent's desktop, e.g. "
        "`https://crm.example/open?case={cad.case_id}&from={ani}`. Placeholders: `ani`, `dnis`, `queue`, "
        "`entry_point`, `interaction_id`, `agent_id`, `cad.NAME` of a variable that is not secure; values are "
        "percent-encoded",
    )


class CallsTable(Table):
    """Rules for all calls."""

    unanswered_transfer: Annotated[UnansweredTransfer, Field(strict=False)] = Field(
        default=UnansweredTransfer.DROP,
        description="A blind transfer that nobody takes: `drop` the call, or back to its `queue`, before that to the "
        "agent who sent it if he is available (`return_to_sender`)",
    )
    wrap_up_after_consult: bool = Field(
        default=False, description="A consulted agent has wrap-up after his part, by the rules of the call's queue"
    )
    recording_pause_s: Seconds | None = Field(
        default=None,
        description="An agent may pause the recording for so long, then it goes on by itself; not given: nobody may",
    )


class ReasonsTable(Table):
    """What agents choose from. The order of `idle` gives the digit after the feature code."""

    idle: list[Label] = Field(default_factory=list, description="Reasons for being idle")
    wrap_up: list[Label] = Field(default_factory=list, description="Reasons of a wrap-up")


# Section -> type of one of its entries. Those of SINGLE are one entry each, the others hold entries by id.
SINGLE: dict[str, type[Table]] = {
    "server": ServerTable,
    "api": ApiTable,
    "recordings": RecordingsTable,
    "webhooks": WebhooksTable,
    "retention": RetentionTable,
    "calls": CallsTable,
    "numbers": NumbersTable,
    "outdial": OutdialTable,
    "limits": LimitsTable,
    "reasons": ReasonsTable,
}
KEYED: dict[str, Any] = {
    "skills": Label,
    "pbx": PbxTable,
    "teams": TeamTable,
    "profiles": ProfileTable,
    "queues": QueueTable,
    "agents": AgentTable,
    "entry_points": EntryPointTable,
    "cad": CadTable,
}
