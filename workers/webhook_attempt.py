"""One attempt of one delivery: what is sent, and what its outcome means (Standard Webhooks 1.0.0)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random

import httpcore
import structlog
from standardwebhooks import Webhook

from routing.app.settings import WebhookSettings
from routing.core.errors import StoreError
from routing.store.sealing import Sealer
from routing.store.sql.deliveries import Attempt, Delivery
from routing.store.sql.webhooks import Endpoint
from workers.webhook_http import Answer, Guard, post

log = structlog.get_logger()

_GONE = 410
_THROTTLING = frozenset({429, 502, 504})
_MOST_PUT_OFF_MS = 24 * 3600 * 1000
_ERROR_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`disables`: why the endpoint gets nothing more, empty if it does. `put_off_until_ms`: it asked for a pause."""

    attempt: Attempt
    disables: str = ""
    put_off_until_ms: int | None = None


def opened(sealer: Sealer, secret: str) -> str:
    """A secret as it signs. Raises SealKeyMissing, StoreCorrupt."""
    return sealer.open_whole(secret.encode()).decode()


def signed(delivery: Delivery, secrets: list[str], now_ms: int) -> dict[str, str]:
    """Headers of the attempt; one signature for each secret, so that one can be replaced by another."""
    at = datetime.fromtimestamp(now_ms // 1000, UTC)
    signatures = [Webhook(secret).sign(delivery.id, at, delivery.body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Switchroom-Webhooks/1",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(now_ms // 1000),
        "webhook-signature": " ".join(signatures),
    }


class Attempts:
    """Sends, with no knowledge of rows."""

    def __init__(self, settings: WebhookSettings, sealer: Sealer, random: Random) -> None:
        self._settings, self._sealer, self._random = settings, sealer, random
        self._guard = Guard(allow_private=settings.allow_private, allow_http=settings.allow_http)

    def make(self, endpoint: Endpoint, delivery: Delivery, claim: Attempt) -> Outcome:
        """`claim`: owner and time of the attempt. Never raises: whatever goes wrong is an outcome."""
        try:
            secrets = [opened(self._sealer, endpoint.secret)]
            if endpoint.previous_secret and claim.at_ms < (endpoint.previous_until_ms or 0):
                secrets.append(opened(self._sealer, endpoint.previous_secret))
            headers = signed(delivery, secrets, claim.at_ms)
            answer = post(endpoint.url, headers, delivery.body.encode(), self._guard, self._settings.timeout_s)
        except StoreError as error:
            # The server's own fault, and no reason to give up on the endpoint: it is tried at the last interval.
            log.error("webhook_not_signed", endpoint=endpoint.id, code=error.code, reason=str(error))
            last_ms = int(self._settings.schedule_s[-1] * 1000)
            return Outcome(attempt=replace(claim, error=error.code, next_at_ms=claim.at_ms + last_ms))
        except (
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            ssl.SSLError,
            OSError,
            ValueError,
        ) as error:
            reason = f"{type(error).__name__}: {error}"[:_ERROR_CHARS]
            return self._failed(delivery, replace(claim, error=reason), 0)
        return self._judged(delivery, claim, answer)

    def _judged(self, delivery: Delivery, claim: Attempt, answer: Answer) -> Outcome:
        status = answer.status
        if 200 <= status < 300:
            return Outcome(attempt=replace(claim, is_delivered=True, status=status))
        failed = replace(claim, status=status, error=f"answered {status}")
        if status == _GONE:
            return Outcome(attempt=failed, disables="answered 410 Gone")
        wait_ms = retry_after_ms(answer.retry_after, claim.at_ms)
        outcome = self._failed(delivery, failed, wait_ms if status in _THROTTLING else 0)
        if status in _THROTTLING and wait_ms:
            return replace(outcome, put_off_until_ms=claim.at_ms + wait_ms)
        return outcome

    def _failed(self, delivery: Delivery, claim: Attempt, least_ms: int) -> Outcome:
        """The next attempt, at least `least_ms` from now; after the last one the endpoint is given up."""
        schedule = self._settings.schedule_s
        if delivery.attempts >= len(schedule):
            return Outcome(attempt=claim, disables=f"{delivery.attempts} attempts failed, the last: {claim.error}")
        wait_ms = int(schedule[delivery.attempts] * 1000 * self._random.uniform(0.9, 1.1))
        return Outcome(attempt=replace(claim, next_at_ms=claim.at_ms + max(wait_ms, least_ms)))


def retry_after_ms(header: str, now_ms: int) -> int:
    """From seconds or an HTTP date (RFC 9110, 10.2.3), at most a day; 0 for none or nonsense."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]) * 1000, _MOST_PUT_OFF_MS)
    try:
        at = parsedate_to_datetime(text)
        return min(max(0, int(at.timestamp() * 1000) - now_ms), _MOST_PUT_OFF_MS)
    except (ValueError, TypeError, OverflowError, OSError):
        return 0
