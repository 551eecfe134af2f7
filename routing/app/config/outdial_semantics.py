"""Outdials that are configured and still cannot work."""

from __future__ import annotations

from collections.abc import Iterator

from routing.app.config.sources import Sources
from routing.core.config import Config, Profile

_PARTS = ("dial_pad", "address_book", "outdial_anis", "outdial_to_queue", "available_after_outdial")


def check_outdial(sources: Sources, config: Config) -> None:
    """Warnings."""
    for profile in config.profiles.values():
        for key, reason in _useless(config, profile):
            sources.warn(("profiles", profile.id, key), reason)


def _useless(config: Config, profile: Profile) -> Iterator[tuple[str, str]]:
    if not profile.outdial:
        for key in _PARTS:
            if getattr(profile, key):
                yield key, "has no meaning without 'outdial'"
        return
    if not (profile.dial_pad or profile.address_book):
        yield "outdial", "places no call: it takes 'dial_pad', 'address_book' or both"
    if not profile.dial.allowed:
        yield "outdial", "places no call: 'dial.allowed' has no prefix"
    if not config.outdial.entry_point:
        yield "outdial", "places no call: there is no outdial.entry_point"
