"""From the tables of the API and of the pages to their settings."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from routing.app.config import secrets
from routing.app.config.api_models import DeskTable, FrameKeyTable, OidcTable
from routing.app.config.sources import Sources
from routing.app.config.validate import Tables
from routing.app.settings import ApiSettings, DeskSettings, FrameKey, OidcSettings

_SHORTEST_SECRET = 32  # bytes: RFC 7518, 3.2


def api_settings(sources: Sources, tables: Tables) -> ApiSettings:
    values = {name: getattr(tables.api, name) for name in type(tables.api).model_fields}
    if (oidc := tables.api.oidc) is not None:
        values["oidc"] = _oidc_settings(sources, oidc)
    if tables.desk.frame_keys and not tables.api.public_url:
        sources.error(("desk", "frame_keys"), "a signed token names the desk that it is for: give api.public_url")
    return ApiSettings(desk=_desk_settings(sources, tables.desk), **values)


def _desk_settings(sources: Sources, table: DeskTable) -> DeskSettings:
    return DeskSettings(
        frame_origins=tuple(dict.fromkeys(table.frame_origins)),
        frame_keys=tuple(_frame_key(sources, name, key) for name, key in table.frame_keys.items()),
        title=table.title,
        style_file=str((sources.directory / table.style_file).absolute()) if table.style_file else "",
        templates_directory=str((sources.directory / table.templates).absolute()) if table.templates else "",
    )


def _frame_key(sources: Sources, name: str, table: FrameKeyTable) -> FrameKey:
    text, source = secrets.frame_key(sources, table)
    if text and (wrong := _wrong_key(text, is_public=table.public_key_file is not None)):
        sources.error(("desk", "frame_keys", name), f"{source}: {wrong}")
    given = {"public_key": text} if table.public_key_file is not None else {"secret": text}
    return FrameKey(id=name, issuer=table.issuer, tenant=table.tenant or "", source=source, **given)


def _wrong_key(text: str, *, is_public: bool) -> str:
    """What is wrong with it; empty: nothing."""
    if not is_public:
        return "" if len(text.encode()) >= _SHORTEST_SECRET else f"the secret is shorter than {_SHORTEST_SECRET} bytes"
    try:
        is_right = isinstance(load_pem_public_key(text.encode()), Ed25519PublicKey)
    except (ValueError, UnsupportedAlgorithm):
        is_right = False
    return "" if is_right else "this is no public Ed25519 key in PEM"


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
