"""`check`, `plan`, `apply`: from files to the running server (OPS-02)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from routing.app.ask import ask, new_order_id
from routing.app.cad_keys import generated_key
from routing.app.config import Loaded, Problem, Severity, check, load
from routing.app.config.plan import Action, Change, Plan, make_plan
from routing.cli.exits import Exit
from routing.cli.output import complain, fail, now_ms, say, show_json
from routing.cli.session import Session, actor, command, world_of
from routing.core.config import Config
from routing.core.orders import ApplyConfig, Reply
from routing.core.world import WorldState
from routing.store.port import Store

_SIGNS = {Action.ADDED: "[green]+[/]", Action.CHANGED: "[yellow]~[/]", Action.REMOVED: "[red]-[/]"}

DirectoryArgument = Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Instead of --config.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
RollbackOption = Annotated[int | None, typer.Option(metavar="REV", help="Apply an earlier revision instead of files.")]
WaitOption = Annotated[float, typer.Option(metavar="S", help="Seconds to wait for the engine.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Warnings fail too.")]


def problem_row(problem: Problem) -> dict[str, object]:
    """A mistake as `--json` shows it."""
    return {
        "file": str(problem.file),
        "line": problem.line,
        "key": problem.key,
        "severity": problem.severity.value,
        "reason": problem.reason,
    }


@command
def check_command(session: Session, directory: DirectoryArgument = None, strict: StrictOption = False) -> None:
    """Read the configuration files and report every mistake with file and line."""
    checked = check(directory or session.directory)
    errors = sum(problem.severity is Severity.ERROR for problem in checked.problems)
    warnings = len(checked.problems) - errors
    if session.json:
        show_json({"errors": errors, "warnings": warnings, "problems": [problem_row(p) for p in checked.problems]})
    else:
        for problem in checked.problems:
            say(_colored(problem))
        say(
            f"{counted(errors, 'error')}, {counted(warnings, 'warning')} in "
            + escape(str(directory or session.directory))
        )
    if errors or (strict and warnings):
        raise typer.Exit(Exit.FOUND)


@command
def cad_key_command(session: Session) -> None:
    """Make a key that encrypts call-associated data in Redis: a line for `server.cad_key_file`."""
    key = generated_key(now_ms())
    if session.json:
        show_json({"id": key.id, "line": key.line})
    else:
        say(key.line)


@command
def plan_command(session: Session, directory: DirectoryArgument = None) -> None:
    """Show what `apply` would change on the running server, and what that does to live calls and agents."""
    loaded = load(directory or session.directory)
    plan = session.with_store(lambda store: _plan(store, session, loaded.config))
    _show_plan(session, plan, loaded)


@command
def apply_command(
    session: Session,
    directory: DirectoryArgument = None,
    rollback: RollbackOption = None,
    yes: YesOption = False,
    wait: WaitOption = 30.0,
) -> None:
    """Make the files the running configuration, in one step; refused when somebody else applied meanwhile."""
    loaded = load(directory or session.directory) if rollback is None else None
    plan, new = session.with_store(lambda store: _prepare(store, session, loaded, rollback))
    if not plan.changes:
        _done(session, plan, plan.base_revision, is_changed=False)
        return
    if not session.json:
        _show_plan(session, plan, loaded)
    if not yes:
        _confirm(session)
    order = ApplyConfig(order_id=new_order_id(), actor=actor(), config=new, expected_revision=plan.base_revision)
    reply = session.with_store(lambda store: ask(store, order, wait))
    if reply.code != "ok":
        fail(Exit.REFUSED, reply.code, reply.detail, session.json, **reply.values)
    _done(session, plan, _revision(reply), is_changed=True)


async def _plan(store: Store, session: Session, new: Config) -> Plan:
    return make_plan((await world_of(store, session.server.tenant)).state, new)


async def _prepare(store: Store, session: Session, loaded: Loaded | None, rollback: int | None) -> tuple[Plan, Config]:
    state: WorldState = (await world_of(store, session.server.tenant)).state
    if loaded is not None:
        new = loaded.config
    else:
        new = await _earlier(store, session, rollback or 0)
    return make_plan(state, new), new


async def _earlier(store: Store, session: Session, revision: int) -> Config:
    kept = {config.revision: config for config in await store.revisions()}
    if revision not in kept:
        detail = f"revision {revision} is not kept; kept are {', '.join(map(str, kept)) or 'none'}"
        fail(Exit.REFUSED, "revision-unknown", detail, session.json, kept=list(kept))
    return kept[revision]


def _confirm(session: Session) -> None:
    if session.json or not sys.stdin.isatty():
        fail(Exit.USAGE, "not-confirmed", "nothing was changed: say --yes where nobody can be asked", session.json)
    if not typer.confirm("Apply?"):
        raise typer.Exit(Exit.USAGE)


def _revision(reply: Reply) -> int:
    revision = reply.values.get("revision")
    return revision if isinstance(revision, int) else 0


def _done(session: Session, plan: Plan, revision: int, *, is_changed: bool) -> None:
    if session.json:
        show_json({"revision": revision, "applied": is_changed, "changes": plan.changes, "warnings": plan.warnings})
    else:
        say(
            f"applied as revision {revision}"
            if is_changed
            else f"nothing to change; the server runs revision {revision}"
        )


def _show_plan(session: Session, plan: Plan, loaded: Loaded | None) -> None:
    found = loaded.warnings if loaded else ()
    if session.json:
        problems = [problem_row(problem) for problem in found]
        show_json(
            {
                "base_revision": plan.base_revision,
                "changes": plan.changes,
                "warnings": plan.warnings,
                "problems": problems,
            }
        )
        return
    for problem in found:
        complain(str(problem))
    for change in plan.changes:
        _show_change(change)
    for warning in plan.warnings:
        say(f"[yellow]![/] {escape(warning)}")
    counts = [sum(change.action is action for change in plan.changes) for action in Action]
    words = ", ".join(f"{count} {action.value}" for count, action in zip(counts, Action, strict=True))
    say(f"against revision {plan.base_revision}: {words}")


def _show_change(change: Change) -> None:
    say(f"{_SIGNS[change.action]} {change.kind} {escape(change.id)}")
    for field in change.fields:
        say(f"    {field.name}: {escape(field.old)} -> {escape(field.new)}")


def _colored(problem: Problem) -> str:
    color = "red" if problem.severity is Severity.ERROR else "yellow"
    return escape(str(problem)).replace(problem.severity.value, f"[{color}]{problem.severity.value}[/]", 1)


def counted(count: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
