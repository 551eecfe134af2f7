"""Fixtures of the integration tests, and a browser."""

from __future__ import annotations

from tests.integration.conftest import redis_server, tenant

__all__ = ["redis_server", "tenant"]
