"""The document of the API: complete, valid, and of OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from pydantic import BaseModel

from routing.api.application import create_app
from routing.api.building import build_services
from routing.api.openapi import METHODS, document_of, operations
from routing.api.principal import Scope
from routing.app.settings import ApiSettings, OidcSettings, ServerSettings

# Pages and probes that are no part of what integrators program against.
BESIDE = frozenset({"/openapi.json", "/docs", "/problems", "/livez", "/readyz", "/metrics"})


@pytest.fixture(scope="module")
def app() -> Flask:
    oidc = OidcSettings(issuer="https://id.example", audience="switchroom")
    return create_app(build_services(ServerSettings(), ApiSettings(oidc=oidc)))


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    return document_of(app)


def each(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, said in item.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", said


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


@pytest.mark.req("API-01")
def test_every_route_is_documented(app: Flask, document: dict[str, Any]) -> None:
    told = {(operation.method, operation.view) for operation in operations(app, document)}
    for rule in app.url_map.iter_rules():
        if rule.rule in BESIDE or rule.rule.startswith(("/docs/", "/problems/")):
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert (method, app.view_functions[rule.endpoint]) in told, f"{method} {rule.rule} is not documented"


@pytest.mark.req("API-01")
def test_every_operation_says_what_it_does_what_it_answers_and_what_it_needs(
    app: Flask, document: dict[str, Any]
) -> None:
    ids = []
    for operation in operations(app, document):
        said, where = operation.said, f"{operation.method} {operation.path}"
        ids.append(said["operationId"])
        assert said["operationId"].isalnum(), where
        assert said.get("summary"), where
        assert said.get("tags"), where
        assert any(status.startswith("2") for status in said["responses"]), where
        if not operation.is_public:
            assert hasattr(operation.view, "scopes"), f"{where} says not which scopes it needs"
            assert said["x-required-scopes"] == said["security"][0]["bearer"]
            assert set(said["x-required-scopes"]) <= {scope.value for scope in Scope}
            assert {"401", "403", "429"} <= said["responses"].keys(), where
    assert len(ids) == len(set(ids)), "two operations have one id"


@pytest.mark.req("API-02")
def test_every_refusal_is_a_problem(document: dict[str, Any]) -> None:
    for where, said in each(document):
        for status, answer in said["responses"].items():
            if int(status) >= 400:
                assert answer == {"$ref": f"#/components/responses/Problem{status}"}, f"{where} {status}"
    for answer in document["components"]["responses"].values():
        assert list(answer["content"]) == ["application/problem+json"]


@pytest.mark.req("API-01")
def test_every_reference_resolves_and_nothing_is_of_openapi_3_0(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for value in walk(document):
        assert "nullable" not in value
        if isinstance(reference := value.get("$ref"), str):
            found: Any = document
            for part in reference.removeprefix("#/").split("/"):
                found = found[part]
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


@pytest.mark.req("API-01")
def test_every_parameter_of_a_path_is_described_and_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    for where, said in each(document):
        given = {p["name"] for p in said.get("parameters", []) if p.get("in") == "path"}
        assert given == {part.split("}")[0] for part in where.split("{")[1:]}, where
        for parameter in said.get("parameters", []):
            if "$ref" not in parameter:
                assert parameter.get("description"), f"{where} {parameter['name']}"
                if "example" in parameter:
                    jsonschema_rs.validate(parameter["schema"], parameter["example"])


def test_bodies_refuse_unknown_members(document: dict[str, Any]) -> None:
    for where, said in each(document):
        for content in said.get("requestBody", {}).get("content", {}).values():
            if "$ref" in content["schema"]:
                name = content["schema"]["$ref"].rpartition("/")[2]
                schema = document["components"]["schemas"][name]
                free = schema.get("additionalProperties", True)
                assert free is not True, f"{where}: {name} takes anything"


@pytest.mark.req("API-08")
def test_the_document_tells_how_to_prove_who_one_is(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert schemes["openId"]["openIdConnectUrl"] == "https://id.example/.well-known/openid-configuration"


def test_the_page_loads_nothing_from_elsewhere_and_needs_no_inline_script(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/docs")
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert "<script>" not in page.text
    assert "//" not in page.text.replace("<!doctype", "")
    for part in page.text.split('"'):
        if part.startswith("/docs/"):
            with client.get(part) as asset:
                assert asset.status_code == 200, part


@pytest.mark.req("API-01")
def test_no_two_shapes_of_the_document_share_a_name(app: Flask) -> None:
    """The document knows them by name alone: of two the last would stand for both."""
    pending, shapes = [BaseModel], dict[str, set[type]]()
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if kind.__module__.startswith("routing.api.") and kind.model_fields:
            shapes.setdefault(kind.__name__, set()).add(kind)
    assert {name: found for name, found in shapes.items() if len(found) > 1} == {}
    assert len(shapes) > 50
