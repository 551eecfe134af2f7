"""The Flask application over the services of a test, without compiling its routes anew for each."""

from __future__ import annotations

from copy import copy
from functools import cache

from flask import Flask

from routing.api.application import create_app
from routing.api.building import build_services
from routing.api.problems import PUBLIC_URL
from routing.api.services import EXTENSION, Services
from routing.app.settings import ApiSettings, ServerSettings


@cache
def _first() -> Flask:
    """Only to be copied. To compile 150 routes takes longer than most tests."""
    return create_app(build_services(ServerSettings(), ApiSettings()))


def app_over(made: Services) -> Flask:
    """As `create_app`: an application of its own, which shares nothing but routes and handlers with others."""
    if made.api.proxy_hops:
        return create_app(made)
    app = copy(_first())
    app.extensions = {EXTENSION: made}
    app.config = copy(app.config)
    app.config[PUBLIC_URL] = made.api.public_url
    return app
