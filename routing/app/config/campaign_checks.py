"""What campaigns point to, guides that never end, and what is well-formed and still cannot have been meant."""

from __future__ import annotations

from routing.app.config.campaign_models import CampaignTable
from routing.app.config.positions import KeyPath
from routing.app.config.problems import did_you_mean
from routing.app.config.references import References
from routing.app.config.sources import Sources
from routing.app.config.validate import Tables
from routing.core.campaign_rules import Campaign, DialMode, OnMachine
from routing.core.config import Config

END = "end"


def check_references(sources: Sources, tables: Tables, references: References) -> None:
    """Errors: names that are nobody's, and guides that do not hold together."""
    for id_, table in tables.campaigns.items():
        path: KeyPath = ("campaigns", id_)
        _names(table, path, references)
        if 0 < tables.retention.campaign_days < table.pacing.window_days:
            where: KeyPath = ("retention", "campaign_days")
            sources.error(where, f"campaign {id_!r} counts its drops over {table.pacing.window_days} days")
        _guide(sources, table, (*path, "guide"))


def _names(table: CampaignTable, path: KeyPath, references: References) -> None:
    references.known("queues", table.queue, (*path, "queue"))
    for index, team in enumerate(table.teams):
        references.known("teams", team, (*path, "teams", index))
    optional: dict[str, tuple[str | None, KeyPath]] = {
        "entry_points": (table.entry_point, ("entry_point",)),
        "pbx": (table.pbx, ("pbx",)),
        "hours": (table.hours, ("hours",)),
    }
    for section, (name, key) in optional.items():
        if name is not None:
            references.known(section, name, (*path, *key))
    for prompt, keys in ((table.machines.message, ("machines",)), (table.pacing.message, ("pacing",))):
        if prompt is not None:
            references.known("prompts", prompt, (*path, *keys, "message"))


def _guide(sources: Sources, table: CampaignTable, path: KeyPath) -> None:
    """Each question once; what follows one exists and comes later, so that every guide ends (GUIDE-03)."""
    places = {question.id: index for index, question in enumerate(table.guide)}
    for index, question in enumerate(table.guide):
        at: KeyPath = (*path, index)
        if question.id == END or places[question.id] != index:
            sources.error((*at, "id"), f"{question.id!r} is {'not a name' if question.id == END else 'used twice'}")
        nexts = [(question.next, (*at, "next"))]
        nexts += [(answer.next, (*at, "answers", n, "next")) for n, answer in enumerate(question.answers)]
        for name, where in nexts:
            if name in (None, END):
                continue
            if name not in places:
                sources.error(where, f"there is no question {name!r}{did_you_mean(name or '', places)}")
            elif places[name] <= index:
                sources.error(where, f"question {name!r} stands before this one: a guide goes forward only")


def check(sources: Sources, config: Config) -> None:
    """Warnings."""
    for campaign in config.campaigns.values():
        path: KeyPath = ("campaigns", campaign.id)
        if not campaign.dial.allowed:
            sources.warn(path, "dials nothing: dial.allowed has no prefix")
        if not any(pbx.dial for pbx in config.pbxs.values()):
            sources.warn(path, "dials nothing: no PBX has a trunk (pbx.ID.dial)")
        if not any(agent.team in campaign.teams for agent in config.agents.values()):
            sources.warn((*path, "teams"), "nobody can serve it: no agent is in these teams")
        _drops(sources, campaign, path)


def _drops(sources: Sources, campaign: Campaign, path: KeyPath) -> None:
    """What the law asks for where calls may be dropped."""
    if campaign.mode is not DialMode.PREDICTIVE:
        return
    if campaign.pacing.cap and not campaign.pacing.message:
        reason = (
            "persons who get no agent hear nothing: 16 CFR 310.4(b)(4)(iii) asks for a message with name and number"
        )
        sources.warn((*path, "pacing", "message"), reason)
    if campaign.pacing.cap > 0.03:
        sources.warn(
            (*path, "pacing", "cap"), f"{campaign.pacing.cap:.1%} is more than the 3 % of 16 CFR 310.4(b)(4)(i)"
        )
    if campaign.pacing.max_wait_ms > 2000:
        sources.warn((*path, "pacing", "max_wait_ms"), "a person who waits longer than 2000 ms counts as dropped")
    machines = campaign.machines
    if machines.is_on and machines.on_machine is not OnMachine.CONNECT and not machines.false_positives:
        reason = "no verdict is always right: persons taken for machines count as dropped calls"
        sources.warn((*path, "machines", "false_positives"), reason)
