"""Limits of a tenant's calls, as the configuration gives them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """None: no limit. `tenant_calls`: live customer calls, in and out (A16).

    Outside numbers dialed within any minute (SAFE-04): `dials_per_minute` by one agent, `tenant_dials_per_minute` by
    all.
    """

    tenant_calls: int | None = None
    dials_per_minute: int | None = None
    tenant_dials_per_minute: int | None = None
