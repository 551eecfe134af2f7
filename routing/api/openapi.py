"""The document of the API: OpenAPI 3.1, from the routes themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast, get_type_hints

from flask import Flask
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel

from routing.api.document_parts import (
    EXAMPLES,
    HEADERS,
    INFO,
    PARAMETERS,
    PROBLEM_SCHEMA,
    SECURITY_SCHEMES,
    problem_responses,
    problem_statuses,
)
from routing.api.idempotency import KeyUse, key_use
from routing.api.principal import Scope
from routing.api.problems import PUBLIC_URL
from routing.api.schemas import Body

DOCUMENT = "switchroom.document"
METHODS = ("get", "post", "put", "patch", "delete")
_REF = "#/components/schemas/{model}"
_FROM_LIBRARY = ("ValidationErrorModel", "UnprocessableEntity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One documented route: where it stands in the document, and what serves it."""

    path: str
    method: str
    view: Callable[..., Any]
    said: dict[str, Any]

    @property
    def is_public(self) -> bool:
        return bool(getattr(self.view, "is_public", False)) or not self.path.startswith("/v1/")

    def hint(self, name: str) -> type[BaseModel] | None:
        """The model of `path`, `query` or `body`."""
        found = get_type_hints(inspect.unwrap(self.view)).get(name)
        return cast("type[BaseModel] | None", found)


def document_of(app: Flask) -> dict[str, Any]:
    """Made once, at the first request for it."""
    if DOCUMENT not in app.extensions:
        app.extensions[DOCUMENT] = _made(cast("OpenAPI", app))
    return cast("dict[str, Any]", app.extensions[DOCUMENT])


def _made(app: OpenAPI) -> dict[str, Any]:
    from routing.api.routes import webhooks

    document: dict[str, Any] = deepcopy(app.api_doc)
    document["openapi"] = "3.1.0"
    document["info"] = INFO
    document["servers"] = [{"url": app.config.get(PUBLIC_URL) or "/"}]
    components = document["components"]
    hooks, hook_schemas = webhooks()
    components["schemas"] = _schemas(components.get("schemas", {})) | hook_schemas | {"Problem": PROBLEM_SCHEMA}
    components["responses"] = problem_responses()
    components["headers"] = HEADERS
    components["parameters"] = PARAMETERS
    components["securitySchemes"] = SECURITY_SCHEMES | _oauth(app)
    document["paths"] = {path: item for path, item in document["paths"].items() if item}
    for operation in operations(app, document):
        _complete(operation)
    document["webhooks"] = hooks
    return document


def operations(app: Flask, document: dict[str, Any]) -> Iterator[Operation]:
    """Each route that the document tells of."""
    for rule in app.url_map.iter_rules():
        path = _path(rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            said = document["paths"].get(path, {}).get(method.lower())
            if said is not None:
                yield Operation(path=path, method=method, view=app.view_functions[rule.endpoint], said=said)


def _path(rule: str) -> str:
    parts = [part.partition(">") for part in rule.replace("<", "\0").split("\0")]
    first = parts[0][0]
    return first + "".join("{" + name.rpartition(":")[2] + "}" + rest for name, _closing, rest in parts[1:])


def _oauth(app: Flask) -> dict[str, Any]:
    from routing.api.services import EXTENSION

    oidc = app.extensions[EXTENSION].api.oidc
    if oidc is None:
        return {}
    return {"openId": {"type": "openIdConnect", "openIdConnectUrl": f"{oidc.issuer}/.well-known/openid-configuration"}}


def _schemas(collected: dict[str, Any]) -> dict[str, Any]:
    """The schemas anew: the library drops `examples` and other words that it does not know."""
    models = {model.__name__: model for model in _models(BaseModel)}
    made: dict[str, Any] = {}
    for name, schema in collected.items():
        if name in _FROM_LIBRARY:
            continue
        model = models.get(name)
        schema = schema if model is None else schema_of(model)
        made.update({key: value for key, value in schema.pop("$defs", {}).items() if key not in made})
        made[name] = schema
    return made


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """As requests must be for a body, as answers are for anything else."""
    mode: Any = "validation" if issubclass(model, Body) else "serialization"
    return model.model_json_schema(ref_template=_REF, mode=mode)


def _models(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in root.__subclasses__():
        if model.__module__.startswith("routing.api"):
            yield model
        yield from _models(model)


def _complete(operation: Operation) -> None:
    said, view = operation.said, operation.view
    said["responses"] = {status: answer for status, answer in said["responses"].items() if not _is_library(answer)}
    scopes: tuple[Scope, ...] = getattr(view, "scopes", ())
    said["security"] = [] if operation.is_public else [{"bearer": [scope.value for scope in scopes]}]
    if not operation.is_public:
        said["x-required-scopes"] = [scope.value for scope in scopes]
    if "description" in said:
        said["description"] = said["description"].replace("<br/>", "\n").strip()
    _mend_parameters(operation)
    use = key_use(view) if operation.method == "POST" and not operation.is_public else KeyUse.IGNORED
    if use is not KeyUse.IGNORED:
        name = "IdempotencyKey" if use is KeyUse.REQUIRED else "OptionalIdempotencyKey"
        said.setdefault("parameters", []).append({"$ref": f"#/components/parameters/{name}"})
    if getattr(view, "is_conditional", False):
        said.setdefault("parameters", []).append({"$ref": "#/components/parameters/IfMatch"})
    body, content = operation.hint("body"), getattr(view, "streamed_content", None)
    if content is not None:
        said["requestBody"] = {"required": True, "content": deepcopy(content)}
    if body is not None:
        said["requestBody"]["required"] = any(field.is_required() for field in body.model_fields.values())
        _add_example(operation, body)
    for status in problem_statuses(
        operation.method, has_body=bool(body or content), is_public=operation.is_public, view=view
    ):
        said["responses"].setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
    for answer in said["responses"].values():
        if "$ref" not in answer:
            answer.setdefault("headers", {}).update(_answer_headers(operation))
    said["responses"] = dict(sorted(said["responses"].items()))


def _is_library(answer: dict[str, Any]) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema.get("items", {}).get("$ref", "").endswith(_FROM_LIBRARY))


def _mend_parameters(operation: Operation) -> None:
    """Their schemas as pydantic gives them, for the same reason as above."""
    for place in ("path", "query"):
        model = operation.hint(place)
        if model is None:
            continue
        schema = model.model_json_schema(ref_template=_REF)
        for parameter in operation.said.get("parameters", []):
            name = parameter.get("name")
            if parameter.get("in") == place and name in schema["properties"]:
                found = _inlined(schema["properties"][name], schema.get("$defs", {}))
                if "example" in found:
                    parameter["example"] = found.pop("example")
                found.pop("title", None)
                parameter["description"] = found.pop("description", parameter.get("description", name))
                parameter["schema"] = found


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Without references to definitions of its own, which no component holds."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name in definitions:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _inlined(definitions[name], definitions) | rest
    return {key: _inlined(value, definitions) for key, value in schema.items()}


def _add_example(operation: Operation, body: type[BaseModel]) -> None:
    content = operation.said["requestBody"]["content"].get("application/json")
    example = EXAMPLES.get(operation.said.get("operationId", ""))
    if content is not None and example is not None:
        body.model_validate(example)  # an example that its own schema refuses would mislead
        content.setdefault("examples", {"example": {"value": example}})


def _answer_headers(operation: Operation) -> dict[str, Any]:
    names = ["RequestId"] if operation.is_public else ["RequestId", "RateLimit", "RateLimitPolicy"]
    spelled = {"RequestId": "X-Request-Id", "RateLimit": "RateLimit", "RateLimitPolicy": "RateLimit-Policy"}
    return {spelled[name]: {"$ref": f"#/components/headers/{name}"} for name in names}
