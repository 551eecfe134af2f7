"""The files' shape: one pydantic model per table. Unknown keys are mistakes; descriptions make the reference."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from routing.app.config.api_models import ApiTable, DeskTable
from routing.app.config.cad_models import CadTable
from routing.app.config.call_models import DialTable, LimitsTable, NumbersTable, OutdialRights, OutdialTable
from routing.app.config.callback_models import CallbacksTable
from routing.app.config.campaign_models import CampaignTable, ResponseTable
from routing.app.config.flow_models import FlowTable
from routing.app.config.hours_models import HoursTable, TimeZone
from routing.app.config.list_models import ListsTable
from routing.app.config.pbx_models import PbxTable
from routing.app.config.prompt_models import Language, PromptTable, SpeechTable
from routing.app.config.queue_models import QueueTable
from routing.app.config.retention_models import RetentionTable
from routing.app.config.scalars import (
    CadName,
    Extension,
    Id,
    Label,
    Network,
    Number,
    Phone,
    Pin,
    PlainText,
    Priority,
    Queues,
    Seconds,
    Skills,
    Table,
)
from routing.app.config.supervisor_models import SupervisorTable
from routing.app.settings import LogLevel
from routing.core.config import UnansweredTransfer
from routing.core.supervision import ShowSupervision


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


class RecordingsTable(Table):
    """Where the PBX's recordings are to be found. Read at the start of the processes that serve and delete them."""

    directory: PlainText | None = Field(
        default=None,
        description="Directory in which this server sees the files of `SR_RECORD_DIR` (the same disk, or a mounted "
        "one); relative to the configuration directory. Not given: the files stay with the PBX",
    )


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


class EntryPointTable(Table):
    """Where calls come in; the table's name is its id, which the dialplan may name."""

    queue: Id | None = Field(default=None, description="Queue of its calls; or `flow`")
    flow: Id | None = Field(default=None, description="Flow that its callers go through, instead of `queue`")
    hours: Id | None = Field(
        default=None,
        description="Opening hours of its own: outside of them `overflow.closed` of the queue applies",
    )
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

    @model_validator(mode="after")
    def _one_start(self) -> EntryPointTable:
        if (self.queue is None) == (self.flow is None):
            raise ValueError("give exactly one of queue, flow")
        if self.flow is not None and self.hours is not None:
            raise ValueError("hours has no meaning with a flow, which has steps of its own for that")
        return self


class CallsTable(Table):
    """Rules for all calls."""

    time_zone: TimeZone = Field(default="UTC", description="IANA zone in which days begin, e.g. `Europe/Berlin`")
    language: Language = Field(default="en", description="Language of prompts where nothing else is said")

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
    show_supervision: Annotated[ShowSupervision, Field(strict=False)] = Field(
        default=ShowSupervision.HEARD,
        description="Agents are told that a supervisor is in their call: `always`, `never`, or `heard`: while he "
        "whispers or barges in",
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
    "desk": DeskTable,
    "webhooks": WebhooksTable,
    "lists": ListsTable,
    "retention": RetentionTable,
    "calls": CallsTable,
    "numbers": NumbersTable,
    "outdial": OutdialTable,
    "limits": LimitsTable,
    "callbacks": CallbacksTable,
    "speech": SpeechTable,
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
    "hours": HoursTable,
    "prompts": PromptTable,
    "flows": FlowTable,
    "campaigns": CampaignTable,
    "responses": ResponseTable,
    "supervisors": SupervisorTable,
}
