"""TOML files -> `routing.core.config.Config`, with every mistake by file, line and reason (OPS-02)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from routing.app.config import campaign_checks, flow_checks, resolve, resolve_api, semantics
from routing.app.config.pbx_checks import check_pbxs, check_phones, check_reach
from routing.app.config.problems import ConfigRefused, Problem, Severity
from routing.app.config.prompt_files import PromptFile, check_prompt_files, prompt_files
from routing.app.config.references import References
from routing.app.config.sources import Sources, read_directory
from routing.app.config.validate import Tables, validate
from routing.app.settings import ApiSettings, ListSettings, PbxSettings, ServerSettings, SpeechSettings, WebhookSettings
from routing.core.config import Config

__all__ = ["Checked", "ConfigRefused", "Loaded", "Problem", "Settings", "Severity", "check", "load", "load_settings"]

_SETTINGS = ("server", "api", "desk", "recordings", "retention", "webhooks", "lists", "pbx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A directory without errors. `config` has revision 0; `warnings` is everything that was found.

    `prompt_files`: those that there must be, with the texts that they say.
    """

    config: Config
    server: ServerSettings
    pbxs: dict[str, PbxSettings]
    warnings: tuple[Problem, ...] = ()
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    prompt_files: tuple[PromptFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process needs before it can read the running configuration."""

    server: ServerSettings
    pbxs: dict[str, PbxSettings]
    api: ApiSettings
    webhooks: WebhookSettings
    lists: ListSettings = field(default_factory=ListSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`loaded` is None where `problems` holds an error. Problems are in the order of files and lines.

    Files that cannot be read at all come first: what they should hold is missing elsewhere.
    """

    loaded: Loaded | None
    problems: tuple[Problem, ...]


def check(directory: Path, *, this_year: int | None = None, more_files: Sequence[Path] = ()) -> Checked:
    """Read every *.toml of the directory. Never raises for what stands in the files: mistakes are the result.

    `this_year`: from the one before it public holidays are looked up; None: by this machine's clock. `more_files`: read
    with those of the directory.
    """
    sources = read_directory(directory, more_files)
    tables = validate(sources)
    references = References(sources, tables)
    references.check()
    campaign_checks.check_references(sources, tables, references)
    check_pbxs(sources, tables)
    check_phones(sources, tables)
    flow_checks.check(sources, tables)
    for queue_id, queue in tables.queues.items():
        semantics.check_steps(sources, queue_id, [step.after_s for step in queue.relaxation], queue.max_wait_s)
    loaded = None if sources.has_errors() else _resolved(sources, tables, this_year or datetime.now(UTC).year)
    return Checked(loaded=loaded, problems=_in_order(sources.problems))


def _resolved(sources: Sources, tables: Tables, this_year: int) -> Loaded | None:
    """Tables without errors, judged as a whole."""
    config = resolve.core_config(tables, this_year)
    check_reach(sources, config)
    check_prompt_files(sources, tables)
    semantics.check(sources, config)
    campaign_checks.check(sources, config)
    semantics.check_secure_everywhere(sources, config)
    if tables.server.cad_key_file is None and tables.server.cad_key_env is None:
        semantics.check_unsealed(sources, config)
    pbxs, server = resolve.pbx_settings(sources, tables), resolve.server_settings(sources, tables)
    resolve_api.api_settings(sources, tables)  # for what it warns of
    if sources.has_errors():
        return None
    return Loaded(
        config=config,
        server=server,
        pbxs=pbxs,
        warnings=_in_order(sources.problems),
        speech=resolve.speech_settings(sources, tables),
        prompt_files=tuple(prompt_files(tables.prompts)),
    )


def load(directory: Path) -> Loaded:
    """The directory's configuration. Raises ConfigRefused, which carries every mistake."""
    checked = check(directory)
    if checked.loaded is None:
        raise ConfigRefused(checked.problems)
    return checked.loaded


def load_settings(directory: Path) -> Settings:
    """The tables of `_SETTINGS` alone: mistakes elsewhere keep nobody from looking at or restarting it.

    Raises ConfigRefused for a mistake in those tables, and when they may stand in a file that cannot be read.
    """
    sources = read_directory(directory)
    tables = validate(sources)
    check_pbxs(sources, tables)
    _refuse_grave(sources)
    settings = Settings(
        server=resolve.server_settings(sources, tables),
        pbxs=resolve.pbx_settings(sources, tables),
        api=resolve_api.api_settings(sources, tables),
        webhooks=resolve.webhook_settings(tables),
        lists=resolve.list_settings(tables),
    )
    _refuse_grave(sources)  # what only resolving finds, in files that the tables name
    return settings


def _refuse_grave(sources: Sources) -> None:
    """Raises ConfigRefused."""
    is_whole = "server" in sources.sections and "pbx" in sources.sections
    grave = [p for p in sources.problems if p.severity is Severity.ERROR and _concerns_settings(p, is_whole)]
    if grave:
        raise ConfigRefused(_in_order(grave))


def _concerns_settings(problem: Problem, is_whole: bool) -> bool:
    section = problem.key.partition(".")[0]
    return section in _SETTINGS or (not section and not is_whole)


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda p: (bool(p.key), str(p.file), p.line)))
