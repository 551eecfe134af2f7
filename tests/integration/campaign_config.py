"""The configuration of the centre on which campaigns through the API are tested: two teams, a campaign of each mode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core.campaign_rules import (
    Answer,
    Campaign,
    DialMode,
    Disposition,
    PacingRules,
    PreviewRules,
    Question,
    RecordField,
    Response,
)
from routing.core.config import Config
from routing.core.hours import Hours, Span
from routing.core.record import RecordCard, RecordNumber
from tests.integration.control_config import ANI, PROFILES, RIGHTS, configuration

ALWAYS = Hours(id="always", time_zone="UTC", week=((Span(from_min=0, until_min=1440),),) * 7)
GUIDE = (
    Question(
        id="insured",
        text="Are you insured?",
        answers=(Answer(id="yes", label="Yes", next="with"), Answer(id="no", label="No", next="end")),
    ),
    Question(id="with", text="With whom?"),
)
DISPOSITIONS = (
    Disposition(code="sold", label="Sold"),
    Disposition(code="later", label="Later", closes=False, retry_s=3600),
    Disposition(code="angry", label="Angry", do_not_call=True),
)

PREVIEW = Campaign(
    id="spring",
    label="Spring",
    description="Car insurance",
    mode=DialMode.PREVIEW,
    queue="sales",
    entry_point="sales",
    ani=ANI,
    teams=("floor",),
    dial=RIGHTS,
    hours="always",
    preview=PreviewRules(dial_on_accept=False, timeout_s=None),
    record_fields=(RecordField(name="reach", label="Best time"), RecordField(name="card", label="Card")),
    dispositions=DISPOSITIONS,
    require_disposition=True,
    guide=GUIDE,
    responses=(Response(id="price", title="Price", text="From 9 a month."),),
)
PUSHED = replace(PREVIEW, id="autumn", label="Autumn", mode=DialMode.PROGRESSIVE, require_disposition=False)
OTHERS = replace(PREVIEW, id="office", label="Office", teams=("office",))
PREDICTIVE = replace(
    PREVIEW, id="winter", label="Winter", mode=DialMode.PREDICTIVE, pacing=PacingRules(message="sorry", lines=5)
)


def campaign_configuration(tenant: str, **changes: Any) -> Config:
    """Anna and ben of `floor` may reschedule, dora is of `office`."""
    base = configuration(tenant)
    full = replace(
        PROFILES["full"], reschedule=True, reschedule_personal=True, reschedule_before_dial=True, other_number=True
    )
    agents = base.agents | {"dora": replace(base.agents["dora"], team="office")}
    return replace(
        base,
        profiles=base.profiles | {"full": full},
        agents=agents,
        hours={"always": ALWAYS},
        campaigns={one.id: one for one in (PREVIEW, PUSHED, OTHERS, PREDICTIVE)},
        responses=(Response(id="hours", title="Hours", text="Nine to five."),),
        **changes,
    )


def card(number: int = 1, *, campaign: str = "spring", **changes: Any) -> RecordCard:
    """A record with two numbers, `+120155501NN` and another one."""
    first = RecordNumber(number=f"+120155501{number:02}", kind="home", zone="America/New_York", zone_source="list")
    second = replace(first, number=f"+120155502{number:02}", kind="mobile")
    base = RecordCard(
        id=f"rec_{number}",
        campaign=campaign,
        claim=1,
        numbers=(first, second),
        name=f"Carla {number}",
        external_id=f"C-{number}",
        data={"reach": "after five", "card": "4711", "case": f"K{number}"},
    )
    return replace(base, **changes)
