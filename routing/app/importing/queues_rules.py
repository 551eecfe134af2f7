"""What each key of an app_queue queue becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from routing.app.importing.draft import MAX_RING_S, QueueDraft, is_music
from routing.app.importing.findings import Ledger, Setting
from routing.core.config import Strategy

TIMEOUT_S = 15  # ring time where `timeout` is not given
RETRY_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`by_position`: the place in the file goes before the strategy. `by_penalty` False: penalties mean nothing.

    `goes_on`: a call that was missed goes to the others first, before it comes back.
    """

    strategy: Strategy
    by_position: bool = False
    by_penalty: bool = True
    goes_on: bool = False
    advice: str = ""


RINGALL = Choice(strategy=Strategy.RING_ALL)
_IN_TURN = "the agent whose last offer is longest ago goes next, in all his queues together; a full round is the same"
STRATEGIES = {
    "ringall": RINGALL,
    "leastrecent": Choice(
        strategy=Strategy.LONGEST_IDLE,
        advice="idle time counts from when he became available, in all his queues together: a pause starts it anew",
    ),
    "fewestcalls": Choice(
        strategy=Strategy.ROUND_ROBIN,
        advice="the agent whose last offer is longest ago goes next; over a day that evens out the number of calls",
    ),
    "random": Choice(
        strategy=Strategy.LONGEST_IDLE, advice="nothing is left to chance here: the longest idle goes first"
    ),
    "rrmemory": Choice(strategy=Strategy.ROUND_ROBIN, advice=_IN_TURN),
    "roundrobin": Choice(strategy=Strategy.ROUND_ROBIN, advice=_IN_TURN),
    "rrordered": Choice(
        strategy=Strategy.ROUND_ROBIN,
        advice=_IN_TURN + "; the first round goes by who has been available longest, not by the file",
    ),
    "linear": Choice(strategy=Strategy.LINEAR, by_position=True, goes_on=True),
    "wrandom": Choice(
        strategy=Strategy.LONGEST_IDLE,
        by_penalty=False,
        advice="nothing is left to chance here: the longest idle goes first, penalties as weights are left out",
    ),
}
DEFAULT_STRATEGY = "ringall"

# Keys that are read together with others, see routing.app.importing.queues.
JOINT = {
    "strategy",
    "retry",
    "weight",
    "penaltymemberslimit",
    "joinempty",
    "leavewhenempty",
    "autopause",
    "autopausebusy",
    "autopauseunavail",
    "monitor-format",
}
_OFF = {"", "0", "no", "false", "off", "n", "f"}

_SOUNDS = "callers hear music only: mix announcements into their class of music, or play them before the hand-over"
_VARIABLES = "the dialplan gets SR_RESULT and SR_AGENT instead"
_REAL_TIME = "calls are offered at once, never by repeated tries"

# Keys without a counterpart: what to do when they are on.
MISSING = {
    "announce": "agents hear no announcement: the offer on their screen names the queue",
    "context": "callers cannot leave by a digit: offer the choice before the hand-over",
    "membergosub": "nothing is run on the agent's leg: use events or webhooks",
    "membermacro": "nothing is run on the agent's leg: use events or webhooks",
    "reportholdtime": "agents hear no waiting time: the offer on their screen shows it",
    "memberdelay": "agent and caller hear each other at once",
    "defaultrule": "write the steps of that rule of queuerules.conf as relaxation steps of the queue",
    "queue-callerannounce": _SOUNDS,
    "announce-frequency": _SOUNDS,
    "periodic-announce": _SOUNDS,
    "periodic-announce-frequency": _SOUNDS,
    "announce-holdtime": _SOUNDS,
    "announce-position": _SOUNDS,
    "announce-to-first-user": _SOUNDS,
    "setinterfacevar": _VARIABLES,
    "setqueuevar": _VARIABLES,
    "setqueueentryvar": _VARIABLES,
    "autopausedelay": "RONA begins with the first missed call",
    "timeoutrestart": _REAL_TIME,
    "monitor-join": "a recording is always one file",
    "setinterface": _VARIABLES,
    "eventwhencalled": "events are always sent, see docs/events.md",
    "eventmemberstatus": "events are always sent, see docs/events.md",
}
# Keys that do nothing by themselves.
UNUSED = {
    "announce-position-limit": _SOUNDS,
    "announce-position-only-up": _SOUNDS,
    "announce-round-seconds": _SOUNDS,
    "min-announce-frequency": _SOUNDS,
    "periodic-announce-startdelay": _SOUNDS,
    "random-periodic-announce": _SOUNDS,
    "relative-periodic-announce": _SOUNDS,
    "queue-youarenext": _SOUNDS,
    "queue-thereare": _SOUNDS,
    "queue-callswaiting": _SOUNDS,
    "queue-quantity1": _SOUNDS,
    "queue-quantity2": _SOUNDS,
    "queue-holdtime": _SOUNDS,
    "queue-minute": _SOUNDS,
    "queue-minutes": _SOUNDS,
    "queue-seconds": _SOUNDS,
    "queue-lessthan": _SOUNDS,
    "queue-thankyou": _SOUNDS,
    "queue-reporthold": _SOUNDS,
    "timeoutpriority": "a call's time in the queue and a telephone's ring time are apart here",
    "monitor-type": "recordings are always made by MixMonitor",
    "log-restricted-caller-id": "numbers are masked in every log",
    "keepstats": "history is in the database",
}
GENERAL = {
    "persistentmembers": (
        True,
        "members added while Asterisk ran are not in the file: `queue show` lists them, write them into agents.toml",
    ),
    "shared_lastcall": (False, "wrap-up and idle time belong to the agent, in all his queues"),
    "negative_penalty_invalid": (False, "a penalty below 0 is 0 here"),
    "log_membername_as_agent": (False, "there is no queue_log; see docs/history.md"),
    "log-caller-id-name": (False, "there is no queue_log; see docs/history.md"),
    "log-restricted-caller-id": (False, "numbers are masked in every log"),
    "log_unpause_on_reason_change": (False, "there is no queue_log; see docs/history.md"),
    "force_longest_waiting_caller": (
        False,
        "of all queues of an agent the call with the highest priority, then the longest wait, always goes first",
    ),
    "monitor-type": (False, "recordings are always made by MixMonitor"),
}


def _timeout(setting: Setting, queue: QueueDraft, ledger: Ledger) -> None:
    seconds = setting.whole()
    became = f"queues.{queue.id}.ring_timeout_s"
    if seconds < 0:
        ledger.kept(setting, f"{became} = {TIMEOUT_S}, as Asterisk takes it")
    elif 0 < seconds <= MAX_RING_S:
        queue.ring_timeout_s = seconds
        ledger.kept(setting, became)
    else:
        queue.ring_timeout_s = MAX_RING_S
        ledger.changed(setting, became, f"telephones ring {MAX_RING_S} s at most")


def _wrap_up(setting: Setting, queue: QueueDraft, ledger: Ledger) -> None:
    queue.wrap_up_s = seconds(setting)
    ledger.kept(setting, f"queues.{queue.id}.wrap_up.timeout_s")


def _maxlen(setting: Setting, queue: QueueDraft, ledger: Ledger) -> None:
    if (calls := setting.whole()) > 0:
        queue.max_waiting = calls
        ledger.kept(setting, f"queues.{queue.id}.max_waiting; the call returns with SR_RESULT=full")
    else:
        ledger.unused(setting, "no limit, as when it is left out")


def _music(setting: Setting, queue: QueueDraft, ledger: Ledger) -> None:
    if is_music(setting.value):
        queue.music = setting.value
        ledger.kept(setting, f"queues.{queue.id}.music")
    elif not setting.value:
        ledger.unused(setting, "empty: the class is `default`")
    else:
        advice = "a class has 2 to 64 letters, digits, '_', '.', '-': rename it in musiconhold.conf"
        ledger.changed(setting, f'queues.{queue.id}.music = "default"', advice)


def _ring_in_use(setting: Setting, _queue: QueueDraft, ledger: Ledger) -> None:
    if setting.is_on:
        ledger.missing(setting, "an agent whose telephone is busy is offered nothing")
    else:
        ledger.kept(setting, "an agent whose telephone is busy is offered nothing")


def _autofill(setting: Setting, _queue: QueueDraft, ledger: Ledger) -> None:
    if setting.is_on:
        ledger.kept(setting, "calls are offered at the same time")
    else:
        ledger.missing(setting, "calls are always offered at the same time, the first in the line first")


def _service_level(setting: Setting, _queue: QueueDraft, ledger: Ledger) -> None:
    ledger.missing(setting, "not a key of a queue: ask the history for calls answered within so many seconds")


QUEUE_RULES: dict[str, Callable[[Setting, QueueDraft, Ledger], None]] = {
    "timeout": _timeout,
    "wrapuptime": _wrap_up,
    "maxlen": _maxlen,
    "musicclass": _music,
    "music": _music,
    "musiconhold": _music,
    "ringinuse": _ring_in_use,
    "autofill": _autofill,
    "servicelevel": _service_level,
}


def plain(setting: Setting, queue: QueueDraft, ledger: Ledger) -> None:
    """A key that stands for itself."""
    name = setting.name.lower()
    if name in QUEUE_RULES:
        QUEUE_RULES[name](setting, queue, ledger)
    elif name in MISSING and setting.value.strip().lower() not in _OFF:
        ledger.missing(setting, MISSING[name])
    elif name in MISSING:
        ledger.unused(setting, "off")
    elif name in UNUSED:
        ledger.unused(setting, UNUSED[name])
    else:
        ledger.unused(setting, "app_queue does not know it either")


def seconds(setting: Setting) -> int:
    """Below 0 is 0, more than a day is refused. Raises ImportRefused."""
    found = max(0, setting.whole())
    if found > 86_400:
        raise setting.refused("must be at most 86400 seconds")
    return found
