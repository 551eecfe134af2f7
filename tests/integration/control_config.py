"""The configuration of the centre on which the control of calls through the API is tested."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core.config import AgentConfig, Config, EntryPoint, Numbers, Pbx, Profile, Queue, WrapUp
from routing.core.declarations import CadType, CadVariable
from routing.core.dial_rights import DialRights
from routing.core.outdial import OutdialRules

PBX = "sim1"
OTHER = "other"  # a tenant with nothing of its own
CALLER = "+12015550143"
CUSTOMER = "+12015550150"
ANI, OWN_ANI = "+12015550001", "+12015550002"
POP = "https://crm.example/open?case={cad.case}&from={ani}&agent={agent_id}"

RIGHTS = DialRights(allowed=("+1",))
PROFILES = {
    "default": Profile(id="default", dial=RIGHTS),
    "full": Profile(
        id="full",
        record=True,
        dial=RIGHTS,
        outdial=True,
        dial_pad=True,
        address_book=True,
        outdial_anis={"zeta": ANI, "Alpha": OWN_ANI},
    ),
    "book": Profile(id="book", dial=RIGHTS, outdial=True, address_book=True),
    "queues": Profile(id="queues", dial=RIGHTS, outdial=True, dial_pad=True, outdial_to_queue=True),
}

CAD = (
    CadVariable(name="case", label="Case", order=1),
    CadVariable(name="card", label="Card", order=2, secure=True),
    CadVariable(name="age", label="Age", type=CadType.INTEGER, order=3),
    CadVariable(name="due", label="Due", type=CadType.DATE, order=4),
    CadVariable(name="at", label="At", type=CadType.DATETIME, order=5),
    CadVariable(name="origin", label="Origin", order=6, editable=False),
    CadVariable(name="internal", label="Internal", order=0, shown=False),
)
# More than are shown, declared against their order.
MANY = tuple(CadVariable(name=f"v{n:02}", label=f"V{n}", order=100 - n) for n in range(32))
OTHER_TYPE = (CadVariable(name="age", label="Age", order=3),)


def agent(name: str, profile: str = "default", *queues: str, **changes: Any) -> AgentConfig:
    base = AgentConfig(
        id=name,
        name=name.title(),
        team="floor",
        pbx=PBX,
        phone=f"SIM/{name}",
        profile=profile,
        queues=tuple((queue, 1) for queue in queues),
    )
    return replace(base, **changes)


AGENTS = (
    agent("anna", "full", "sales"),
    agent("ben", "full", "sales"),
    agent("cleo", "book", "sales"),
    agent("dora", "default", "help"),
    agent("emil", "queues", "sales"),
)


def configuration(tenant: str, **changes: Any) -> Config:
    queues = {name: Queue(id=name, label=name.title(), wrap_up=WrapUp(timeout_s=None)) for name in ("sales", "help")}
    queues["help"] = replace(queues["help"], wrap_up=WrapUp(timeout_s=0))
    points = {
        "sales": EntryPoint(id="sales", queue="sales", numbers=("7000",), screen_pop=POP),
        "help": EntryPoint(id="help", queue="help", numbers=("7002",), cad=OTHER_TYPE),
        "wide": EntryPoint(id="wide", queue="sales", numbers=("7003",), cad=MANY),
    }
    base = Config(
        tenant=tenant,
        pbxs={PBX: Pbx(id=PBX, kind="simulated", dial="SIM/{number}")},
        queues=queues,
        entry_points=points,
        profiles=PROFILES,
        agents={one.id: one for one in AGENTS},
        cad=CAD,
        idle_reasons=("break",),
        wrap_up_reasons=("done", "later"),
        numbers=Numbers(country="1"),
        outdial=OutdialRules(entry_point="sales", default_ani=ANI),
        recording_pause_s=60,
    )
    return replace(base, **changes)
