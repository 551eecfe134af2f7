"""The pages on the application of a site."""

from __future__ import annotations

from typing import Protocol

from flask import Flask

from routing.api.application import create_app
from routing.api.services import Services
from routing.desk.site import with_desk


class HasApplication(Protocol):
    app: Flask
    services: Services


def with_pages(site: HasApplication) -> None:
    """From now on it has them, on an application of its own: others share their routes."""
    if "desk" not in site.app.blueprints:
        site.app = with_desk(create_app(site.services))
