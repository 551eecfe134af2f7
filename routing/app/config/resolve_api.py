"""From the tables of the API and of the pages to their settings."""

from __future__ import annotations

from routing.app.config import secrets
from routing.app.config.api_models import DeskTable, OidcTable
from routing.app.config.sources import Sources
from routing.app.config.validate import Tables
from routing.app.settings import ApiSettings, DeskSettings, OidcSettings


def api_settings(sources: Sources, tables: Tables) -> ApiSettings:
    values = {name: getattr(tables.api, name) for name in type(tables.api).model_fields}
    if (oidc := tables.api.oidc) is not None:
        values["oidc"] = _oidc_settings(sources, oidc)
    return ApiSettings(desk=_desk_settings(sources, tables.desk), **values)


def _desk_settings(sources: Sources, table: DeskTable) -> DeskSettings:
    return DeskSettings(
        frame_origins=tuple(dict.fromkeys(table.frame_origins)),
        title=table.title,
        style_file=str((sources.directory / table.style_file).absolute()) if table.style_file else "",
        templates_directory=str((sources.directory / table.templates).absolute()) if table.templates else "",
    )


def _oidc_settings(sources: Sources, table: OidcTable) -> OidcSettings:
    secret, source = secrets.client_secret(sources, table)
    return OidcSettings(
        issuer=table.issuer,
        audience=table.audience,
        claim=table.claim,
        tenant=table.tenant or "",
        client_id=table.client_id or "",
        client_secret=secret,
        client_secret_source=source,
        scopes=tuple(table.scopes),
    )
