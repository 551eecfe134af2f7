"""Every key of a tenant in Redis, its owner and what bounds it.

The braces are literal: Redis Cluster hashes only what stands between them, so that a tenant is one slot.

    key                 type    written by           bounded by
    inputs              stream  connectors, API      refused when full; trimmed behind the committed position
    producers           hash    connectors           one field per connector
    lease, fence        string  engines              TTL; one counter
    meta                hash    engine               fixed fields
    interactions        hash    engine               live interactions
    agents, phones,
    links               hash    engine               configuration
    timers              zset    engine               live deadlines
    figures             hash    engine               configuration; live interactions
    campaigns           hash    engine               configuration
    records             hash    engine               hoppers, which campaigns limit; live interactions
    in_hand, hopper     hash    engine               campaigns of those records, that do not wait and that do
    hopper_counts       hash    engine               one field per campaign
    config              string  engine               one value
    revisions           list    engine               length
    journal             stream  engine               trimmed to the oldest kept snapshot
    snapshots           hash    engine               two fields
    snapshot:N:...      copies  engine               N is a or b
    events              stream  engine               length
    commands:PBX        stream  engine               length; trimmed by the connector
    command_positions   hash    connectors           one field per PBX
    beat:PBX            string  connectors           TTL
    beaters             hash    connectors           one field per PBX
    dial:ID             string  connectors           TTL
    reply:ADDRESS       list    engine               TTL
    sent:ORDER          string  API                  TTL
    idempotency:HASH    hash    API                  TTL
    ...:lease           string  API                  TTL
    signs:KIND          zset    workers, ticker      a minute without a sign
    ticker              string  ticker               TTL
    metrics             hash    recorder, workers    metrics and their labels
    claim_fences        hash    workers              one field per campaign
    filling:CAMPAIGN,
    dry:CAMPAIGN        string  workers              TTL
    marks_seen          string  workers              one value
    trace:ID            list    engine               TTL and length; goes with ended:ID
    ended:ID            string  engine               TTL; length of ended_index
    ended_index         list    engine               length
    rate:HASH           string  API                  TTL

Of no tenant, since they are asked for before the tenant is known:

    sr:session:HASH     string  API                  TTL
    sr:desk-token...    string  API                  TTL
    sr:desk-sign-in:... string  API                  TTL
    sr:failures:...     string  API                  TTL

Beside all tenants stands CALLS, a hash with one field per tenant, written by engines: the calls that it has reserved.
"""

from __future__ import annotations

from routing.core.errors import StoreError

STATE = ("interactions", "agents", "phones", "links", "timers", "figures", "campaigns", "records", "config", "meta")
CALLS = "sr:calls"
SNAPSHOT_SLOTS = ("a", "b")


def shared_key(*parts: str) -> str:
    """A key of no tenant: `shared_key("session", "ab12")` -> `sr:session:ab12`."""
    return "sr:" + ":".join(parts)


class BadTenant(StoreError):
    code = "tenant-name-bad"
    template = "{tenant!r} cannot be a tenant: it is empty or holds a brace"


class Keys:
    """Names of one tenant's keys. Raises BadTenant."""

    def __init__(self, tenant: str) -> None:
        if not tenant or set(tenant) & set("{}"):
            raise BadTenant(tenant=tenant)
        self.prefix = f"sr:{{{tenant}}}:"

    def __call__(self, *parts: str) -> str:
        """`keys("commands", "ast1")` -> `sr:{tenant}:commands:ast1`."""
        return self.prefix + ":".join(parts)

    def state(self) -> list[str]:
        """What a snapshot copies, in the order of `STATE`."""
        return [self(name) for name in STATE]

    def snapshot(self, slot: str) -> list[str]:
        """Copies of `state()` in one of the `SNAPSHOT_SLOTS`."""
        return [self("snapshot", slot, name) for name in STATE]
