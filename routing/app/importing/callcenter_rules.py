"""What each key of a mod_callcenter queue becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from routing.app.importing.draft import DAY_S, QueueDraft, is_music
from routing.app.importing.findings import Ledger, Setting
from routing.core.config import Strategy

LOCAL_STREAM = "local_stream://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`by_position`: positions go before the strategy. `advice`: what differs, empty = nothing.

    `goes_on`: a call that was missed goes to the others first, before it comes back.
    """

    strategy: Strategy
    by_position: bool = False
    goes_on: bool = False
    advice: str = ""


STRATEGIES = {
    "longest-idle-agent": Choice(
        strategy=Strategy.LONGEST_IDLE,
        advice="idle time counts from when he became available, not from the end of his last call: a break starts it "
        "anew",
    ),
    "round-robin": Choice(
        strategy=Strategy.ROUND_ROBIN,
        advice="the agent whose last offer is longest ago goes next, whatever his position; a full round is the same",
    ),
    "top-down": Choice(
        strategy=Strategy.ROUND_ROBIN,
        by_position=True,
        goes_on=True,
        advice="the ranks hold level and position. A call that was not answered goes on down the list here too, but it "
        "goes back up to an agent above who has become free meanwhile",
    ),
    "agent-with-least-talk-time": Choice(
        strategy=Strategy.LEAST_OCCUPIED,
        advice="counts the share of busy time since sign-in, not the seconds of talk",
    ),
    "agent-with-fewest-calls": Choice(
        strategy=Strategy.ROUND_ROBIN,
        advice="the agent whose last offer is longest ago goes next; over a day that evens out the number of calls",
    ),
    "sequentially-by-agent-order": Choice(strategy=Strategy.ROUND_ROBIN, by_position=True),
    "random": Choice(
        strategy=Strategy.LONGEST_IDLE, advice="nothing is left to chance here: the longest idle goes first"
    ),
    "ring-all": Choice(strategy=Strategy.RING_ALL),
    "ring-progressively": Choice(
        strategy=Strategy.ROUND_ROBIN,
        by_position=True,
        goes_on=True,
        advice="telephones ring one after another in the same order, each for ring-progressively-delay; here none "
        "rings on beside the next",
    ),
}
UNKNOWN_STRATEGY = Choice(
    strategy=Strategy.ROUND_ROBIN,
    by_position=True,
    advice="mod_callcenter does not know it and goes by level, position and last offer; so does this",
)
DEFAULT_STRATEGY = "longest-idle-agent"

# Keys that are read together with others, see routing.app.importing.callcenter.
TIER_KEYS = (
    "tier-rules-apply",
    "tier-rule-wait-second",
    "tier-rule-wait-multiply-level",
    "tier-rule-no-agent-no-wait",
)


def _max_wait(setting: Setting, queue: QueueDraft, ledger: Ledger) -> None:
    if seconds := seconds_of(setting):
        queue.max_wait_s = seconds
        ledger.kept(setting, f"queues.{queue.id}.max_wait_s; the call returns with SR_RESULT=timeout")
    else:
        ledger.unused(setting, "0: no limit, as when it is left out")


def _no_agent(setting: Setting, queue: QueueDraft, ledger: Ledger) -> None:
    if seconds_of(setting):
        queue.leave_when_no_agents = True
        advice = "callers return at once with SR_RESULT=no_agents while nobody is signed in, not after some seconds; "
        ledger.changed(
            setting, f"queues.{queue.id}.leave_when_no_agents", advice + "wait in the dialplan if you want to"
        )
    else:
        ledger.unused(setting, "0: callers wait even if nobody is signed in, as without leave_when_no_agents")


def _no_agent_reached(setting: Setting, _queue: QueueDraft, ledger: Ledger) -> None:
    ledger.unused(setting, "belongs to max-wait-time-with-no-agent, which works at once here")


def _music(setting: Setting, queue: QueueDraft, ledger: Ledger) -> None:
    name = setting.value.removeprefix(LOCAL_STREAM)
    if name != setting.value and is_music(name):
        queue.music = name
        ledger.kept(setting, f"queues.{queue.id}.music")
        return
    if setting.value.startswith("$${"):
        advice = "no vars.xml that was read sets that variable: name the file with --vars, or set music to its stream"
    else:
        advice = "only a stream of mod_local_stream can be named: make one of it, and set music to its name"
    ledger.changed(setting, f'queues.{queue.id}.music = "default"', advice)


def _record(setting: Setting, queue: QueueDraft, ledger: Ledger) -> None:
    if not setting.value:
        ledger.unused(setting, "empty: nothing is recorded")
        return
    queue.is_recorded = True
    advice = "agents of whom every queue is recorded have the profile `recorded`; files are named INTERACTION-LEG.wav, "
    ledger.changed(setting, "profiles.recorded", advice + "in SR_RECORD_DIR")


def _time_base(setting: Setting, _queue: QueueDraft, ledger: Ledger) -> None:
    if setting.value.lower() == "system":
        advice = "waiting counts from the hand-over: for time in a menu before it, hand over a higher `priority`"
        ledger.changed(setting, "priority with aging", advice)
    else:
        ledger.kept(setting, "waiting counts from the hand-over")


def _announcement(setting: Setting, _queue: QueueDraft, ledger: Ledger) -> None:
    if setting.value in {"", "0"}:
        ledger.unused(setting, "off")
    else:
        ledger.missing(setting, "callers hear music only: mix announcements into the stream of their music")


def _resume(setting: Setting, _queue: QueueDraft, ledger: Ledger) -> None:
    if setting.is_on:
        advice = (
            "a caller who calls again waits anew: hand him over with a higher `priority` if your dialplan knows him"
        )
        ledger.missing(setting, advice)
    else:
        ledger.kept(setting, "a caller who calls again waits anew")


def _external(setting: Setting, _queue: QueueDraft, ledger: Ledger) -> None:
    if setting.is_on:
        ledger.kept(setting, "an agent whose telephone is busy is offered nothing")
    else:
        ledger.missing(setting, "an agent whose telephone is busy is offered nothing")


def _elsewhere(advice: str) -> Callable[[Setting, QueueDraft, Ledger], None]:
    return lambda setting, _queue, ledger: ledger.unused(setting, advice)


QUEUE_RULES: dict[str, Callable[[Setting, QueueDraft, Ledger], None]] = {
    "max-wait-time": _max_wait,
    "max-wait-time-with-no-agent": _no_agent,
    "max-wait-time-with-no-agent-time-reached": _no_agent_reached,
    "moh-sound": _music,
    "record-template": _record,
    "time-base-score": _time_base,
    "announce-sound": _announcement,
    "announce-frequency": _announcement,
    "abandoned-resume-allowed": _resume,
    "discard-abandoned-after": _elsewhere("belongs to abandoned-resume-allowed"),
    "skip-agents-with-external-calls": _external,
}

# Of <settings>: advice, and whether something is lost.
SETTINGS: dict[str, tuple[bool, str]] = {
    "odbc-dsn": (True, "agents and tiers of that database are not read: export them to SQLite, give it as --database"),
    "dbname": (False, "give that file as --database if agents or tiers were added by commands"),
    "debug": (False, "use server.log_level"),
    "reserve-agents": (False, "every offer is a reservation here"),
    "truncate-tiers-on-load": (False, "the files are all there is: nothing is left over from before"),
    "truncate-agents-on-load": (False, "the files are all there is: nothing is left over from before"),
    "global-database-lock": (False, "there is no such database"),
    "cc-instance-id": (False, "see server.tenant"),
}


def seconds_of(setting: Setting) -> int:
    """0 to a day. Raises ImportRefused."""
    seconds = setting.whole()
    if not 0 <= seconds <= DAY_S:
        raise setting.refused(f"must be 0 to {DAY_S} seconds")
    return seconds
