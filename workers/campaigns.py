"""Jobs of campaigns: hoppers are filled from SQL, and claims that got lost on their way are given up (PROG-06).

A record is claimed in SQL under a number that no other claim has, then sent to the engine. Whatever dies in
between, the claim stays; the sweep opens it again once it is certain that the engine does not have the record, cannot
get it any more, and has not released it:

1. claims that are older than `stale_ms` are read; the campaign's fence moves on, so that none of them is sent any more;
2. the newest input is read, and the engine must have committed it: whatever was sent, it has taken by now;
3. those that it holds are left out; then the newest event is read: a release of any other one is not behind it;
4. the recorder must have come to that event: whatever was released is in SQL by now;
5. those that are still claimed under the same number are open again.

A step that is not reached in `patience_s` ends the sweep, and the next one tries again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import structlog
from redis.exceptions import RedisError

from routing.app.clock import Clock
from routing.core.campaign import CampaignLive, CampaignState
from routing.core.campaign_rules import DEFAULT_RETRIES, AttemptResult
from routing.core.errors import StoreError
from routing.core.orders import AddRecords
from routing.core.record import RecordCard
from routing.store.errors import StoreFull
from routing.store.handover import FenceMoved, Handover, is_past
from routing.store.port import START
from routing.store.redis_link import translated
from routing.store.sql import campaign_handing as handing
from routing.store.sql.campaign_cards import ClaimRules
from routing.store.sql.campaign_claims import claim
from routing.store.sql.campaign_handing import Claim
from routing.store.sql.database import Database
from routing.store.sql.ids import id_for

log = structlog.get_logger()

PORTION = 100
LEASE_MS = 10_000
DRY_MS = 3_000
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
_POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class FillSettings:
    """`portion`: records per transaction and order. `stale_ms`: an older claim that the engine does not hold got lost.

    `patience_s`: how long a sweep waits for engine and recorder.
    """

    portion: int = PORTION
    stale_ms: int = 30_000
    patience_s: float = 3.0


class Filler:
    """Of one tenant. `fill` and `sweep` may run at once, in any number of processes, and be killed at any point."""

    def __init__(
        self,
        handover: Handover,
        database: Database,
        clock: Clock,
        settings: FillSettings | None = None,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._handover, self._database, self._clock = handover, database, clock
        self._settings, self._pause = settings or FillSettings(), pause
        self._front, self._tenant = handover.front, handover.front.tenant

    # ------------------------------------------------------------------ filling

    def fill(self, campaign_id: str) -> int:
        """Bring the campaign's hopper up to its setting; how many records were sent. Raises StoreError.

        Nothing where another one is at it, or where the campaign is neither loaded nor running.
        """
        key, token = self._front.keys("filling", campaign_id), uuid4().hex
        try:
            if not self._front.redis.set(key, token, nx=True, px=LEASE_MS):
                return 0
            try:
                return self._fill(campaign_id)
            finally:
                self._front.redis.eval(_RELEASE, 1, key, token)
        except (RedisError, OSError) as error:
            raise translated(error) from error

    def _fill(self, campaign_id: str) -> int:
        rules = ClaimRules.of(self._front.config(), campaign_id)
        if rules is None or not is_filled(self._front.campaigns().get(campaign_id)):
            return 0
        missing, sent = self._missing(campaign_id, rules), 0
        while sent < missing:
            wanted = min(self._settings.portion, missing - sent)
            found = self._hand_over(campaign_id, rules, wanted)
            sent += found
            if found < wanted:
                self._front.redis.set(self._front.keys("dry", campaign_id), "1", px=DRY_MS)
                break
        log.debug("hopper_filled", tenant=self._tenant, campaign=campaign_id, missing=missing, sent=sent)
        return sent

    def _missing(self, campaign_id: str, rules: ClaimRules) -> int:
        """So many fewer records than wanted wait in the engine, or are on their way to it."""
        since_ms = self._clock.now_ms() - self._settings.stale_ms
        with self._database.read() as connection:
            sent = handing.claims(connection, self._tenant, campaign_id, since_ms=since_ms)
        ready = self._front.hopper_counts()[campaign_id]
        held = self._handover.held(handing.ids_of(sent))
        under_way = sum(each.record_id not in held for each in sent)
        return rules.campaign.hopper - ready - under_way

    def _hand_over(self, campaign_id: str, rules: ClaimRules, count: int) -> int:
        fence = self._handover.fence(campaign_id)
        with self._database.begin() as connection:
            cards = claim(connection, self._tenant, campaign_id, count, self._clock.now_ms(), rules)
        if not cards:
            return 0
        try:
            self._handover.send(_order(self._tenant, campaign_id, cards), fence)
        except (StoreFull, FenceMoved) as error:
            log.warning("records_not_sent", tenant=self._tenant, campaign=campaign_id, code=error.code)
            self._give_back([Claim(record_id=card.id, claim=card.claim) for card in cards])
            raise
        return len(cards)

    def _give_back(self, given_up: Sequence[Claim]) -> int:
        rest_ms = DEFAULT_RETRIES[AttemptResult.UNKNOWN].after_s[0] * 1000
        with self._database.begin() as connection:
            return handing.reopen(connection, self._tenant, given_up, rest_ms, self._clock.now_ms())

    # ------------------------------------------------------------------ sweeping

    def sweep(self) -> int:
        """Give up what got lost, of all campaigns, also of stopped ones; how many records are open again.

        Raises StoreError.
        """
        until_ms = self._clock.now_ms() - self._settings.stale_ms
        with self._database.read() as connection:
            names = handing.campaigns(connection, self._tenant)
            stale = {name: handing.claims(connection, self._tenant, name, until_ms=until_ms) for name in names}
        return sum(self._sweep(name, found) for name, found in stale.items() if found)

    def _sweep(self, campaign_id: str, stale: Sequence[Claim]) -> int:
        if self._handover.held(handing.ids_of(stale)) == set(handing.ids_of(stale)):
            return 0  # as nearly always: nobody has to wait for anybody
        self._handover.move_fence(campaign_id)
        newest_input = self._handover.newest_input()
        if not self._comes(lambda: is_past(self._handover.consumed(), newest_input)):
            log.info("sweep_waits", tenant=self._tenant, campaign=campaign_id, waits_for="engine")
            return 0
        held = self._handover.held(handing.ids_of(stale))
        newest_event = self._front.events_end()
        if not self._comes(lambda: self._is_recorded(newest_event)):
            log.info("sweep_waits", tenant=self._tenant, campaign=campaign_id, waits_for="recorder")
            return 0
        opened = self._give_back([each for each in stale if each.record_id not in held])
        if opened:
            log.warning("claims_given_up", tenant=self._tenant, campaign=campaign_id, records=opened)
        return opened

    def _is_recorded(self, position: str) -> bool:
        with self._database.read() as connection:
            return is_past(handing.recorded(connection, self._tenant) or START, position)

    def _comes(self, is_there: Callable[[], bool]) -> bool:
        for _ in range(max(1, round(self._settings.patience_s / _POLL_S))):
            if is_there():
                return True
            self._pause(_POLL_S)
        return is_there()


def is_filled(live: CampaignLive | None) -> bool:
    """Whether it gets records."""
    return live is not None and live.state in (CampaignState.LOADED, CampaignState.RUNNING)


def _order(tenant: str, campaign_id: str, cards: Sequence[RecordCard]) -> AddRecords:
    """Always the same id for the same claims."""
    about = f"{campaign_id}\0" + " ".join(f"{card.id}:{card.claim}" for card in cards)
    return AddRecords(order_id=id_for("ord", tenant, about), actor="hopper", campaign=campaign_id, records=tuple(cards))


# ------------------------------------------------------------------ the jobs

SWEEP = "*"  # no campaign is called so


class Hoppers:
    """The jobs of one worker process, in threads of their own: a database that is slow must not delay other jobs."""

    def __init__(self, filler: Filler, looks: Sequence[Callable[[], object]] = ()) -> None:
        """`looks`: what else is done with a sweep."""
        self._filler, self._looks = filler, looks
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="hoppers")
        self._lock = threading.Lock()
        self._waiting: set[str] = set()

    def submit(self, campaign_id: str) -> None:
        """Fill it, or sweep, when its turn comes; once more is harmless."""
        with self._lock:
            if campaign_id in self._waiting:
                return
            self._waiting.add(campaign_id)
        self._pool.submit(self._run, campaign_id)

    def _run(self, campaign_id: str) -> None:
        with self._lock:
            self._waiting.discard(campaign_id)
        try:
            if campaign_id == SWEEP:
                self._filler.sweep()
                for look in self._looks:
                    look()
            else:
                self._filler.fill(campaign_id)
        except StoreError as error:
            log.warning("hopper_job_failed", campaign=campaign_id, code=error.code, reason=str(error))
        except Exception as error:  # the others go on; the ticker brings this one again
            log.error("hopper_job_failed", campaign=campaign_id, exc_info=error)

    def stop(self) -> None:
        """Begin nothing more. What runs may be cut off anywhere."""
        self._pool.shutdown(wait=False, cancel_futures=True)


Submit = Callable[[str], None]
_hoppers: list[Submit] = []


def employ(submit: Submit) -> None:
    """To be called once in a worker process, before its first job."""
    _hoppers[:] = [submit]


def fill(campaign_id: str) -> None:
    """The job of one hopper. Raises StoreError in a process that is no worker of ours."""
    if not _hoppers:
        raise StoreError
    _hoppers[0](campaign_id)


def sweep() -> None:
    """The job of a minute. Raises as `fill`."""
    fill(SWEEP)
