"""Who may hold the pages in a frame, and as which client they sign people in at an OpenID provider."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from routing.app.config import ConfigRefused, check, load_settings
from routing.app.settings import ApiSettings, OidcSettings
from tests.unit.config_dir import write

OIDC = '[api.oidc]\nissuer = "https://id.example"\naudience = "api"\n'


def api_of(directory: Path, text: str) -> ApiSettings:
    return load_settings(write(directory, desk=text)).api


def oidc_of(directory: Path, text: str) -> OidcSettings:
    found = api_of(directory, OIDC + text).oidc
    assert found is not None
    return found


def test_nobody_may_frame_the_desk_unless_it_is_said(tmp_path: Path) -> None:
    assert api_of(tmp_path, "").desk.frame_origins == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://crm.example", "https://crm.example"),
        ("https://CRM.example:8443", "https://crm.example:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:80", None),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("https://crm.example:443", None),
        ("https://crm.example/", None),
        ("https://crm.example/desk", None),
        ("https://*.example", None),
        ("https://anna@crm.example", None),
        ("https://crm.example;script-src *", None),
        ("https://crm.example https://elsewhere.example", None),
        ("https://crm.example:99999", None),
        ("https://crm.example:x", None),
        ("https://crm.exämple", None),
        ("http://crm.example", None),
        ("http://localhost.crm.example", None),
        ("*", None),
        ("null", None),
        ("'self'", None),
        ("data:", None),
        ("", None),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(tmp_path: Path, written: str, meant: str | None) -> None:
    text = f'[desk]\nframe_origins = ["{written}"]\n'
    if meant is not None:
        assert api_of(tmp_path, text).desk.frame_origins == (meant,)
        return
    with pytest.raises(ConfigRefused) as refused:
        api_of(tmp_path, text)
    assert any("frame_origins" in problem.key for problem in refused.value.problems)


def test_people_do_not_sign_in_at_the_provider_without_a_client(tmp_path: Path) -> None:
    assert oidc_of(tmp_path, "").client_id == ""
    public = oidc_of(tmp_path, 'client_id = "desk"\n')
    assert (public.client_id, public.client_secret, public.scopes) == ("desk", "", ("openid", "profile"))


def test_the_secret_of_the_client_comes_from_the_files_the_environment_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CLIENT", "of the environment")
    (tmp_path / "client").write_text("of a file\nmore\n")
    client = 'client_id = "desk"\n'
    assert oidc_of(tmp_path, client + 'client_secret = "in the open"\n').client_secret == "in the open"
    assert oidc_of(tmp_path, client + 'client_secret_env = "TEST_CLIENT"\n').client_secret == "of the environment"
    from_file = oidc_of(tmp_path, client + 'client_secret_file = "client"\n')
    assert from_file.client_secret == "of a file"
    assert "of a file" not in repr(from_file)
    unread = oidc_of(tmp_path, client + 'client_secret_file = "nowhere"\n')
    assert (unread.client_secret, unread.client_secret_source) == ("", f"file {tmp_path / 'nowhere'}")


def test_a_secret_in_the_open_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    write(tmp_path, desk=OIDC + 'client_id = "desk"\nclient_secret = "s"\n')
    (tmp_path / "desk.toml").chmod(0o644)
    assert [p.key for p in check(tmp_path).problems if "chmod" in p.reason] == ["api.oidc.client_secret"]
    (tmp_path / "desk.toml").chmod(0o600)
    assert [p.key for p in check(tmp_path).problems if "chmod" in p.reason] == []


@pytest.mark.parametrize(
    "text",
    [
        'client_secret = "s"\n',
        'client_id = "desk"\nclient_secret = "s"\nclient_secret_env = "E"\n',
        'client_id = "desk"\nscopes = ["profile"]\n',
        'client_id = "desk"\nscopes = ["openid profile"]\n',
    ],
)
def test_a_client_that_cannot_work_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigRefused):
        oidc_of(tmp_path, text)


def test_files_of_a_site_are_relative_to_its_configuration(tmp_path: Path) -> None:
    found = api_of(tmp_path, '[desk]\ntitle = "Acme"\nstyle_file = "desk.css"\ntemplates = "pages"\n').desk
    assert (found.title, found.style_file, found.templates_directory) == (
        "Acme",
        str(tmp_path / "desk.css"),
        str(tmp_path / "pages"),
    )


# ------------------------------------------------------------------ keys of programs that sign tokens for frames

WITH_URL = '[api]\npublic_url = "https://desk.example"\n'
SECRET = "a secret of thirty-two bytes or more"


def refused_key(directory: Path, table: str) -> str:
    with pytest.raises(ConfigRefused) as refused:
        api_of(directory, WITH_URL + table)
    (problem,) = [one for one in refused.value.problems if one.key.startswith("desk")]
    return problem.reason


def test_a_key_of_frames_is_a_secret_or_the_public_half_of_a_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_FRAMES", SECRET)
    (tmp_path / "secret").write_text(f"{SECRET}\nmore\n")
    pair = Ed25519PrivateKey.generate().public_key()
    pem = pair.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    (tmp_path / "crm.pem").write_text(pem)
    text = (
        '[desk.frame_keys.one]\nissuer = "crm"\nsecret_env = "TEST_FRAMES"\n'
        '[desk.frame_keys.two]\nissuer = "crm"\ntenant = "other"\nsecret_file = "secret"\n'
        '[desk.frame_keys.three]\nissuer = "portal"\npublic_key_file = "crm.pem"\n'
        '[desk.frame_keys.four]\nissuer = "portal"\npublic_key_file = "nowhere"\n'
    )
    one, two, three, four = api_of(tmp_path, WITH_URL + text).desk.frame_keys
    assert (one.id, one.issuer, one.tenant, one.secret, one.public_key) == ("one", "crm", "", SECRET, "")
    assert (two.tenant, two.secret, two.source) == ("other", SECRET, f"file {tmp_path / 'secret'}")
    assert (three.secret, three.public_key) == ("", pem)
    assert (four.secret, four.public_key) == ("", "")
    assert SECRET not in repr((one, two))


@pytest.mark.parametrize("names", [(), ("secret_env", "secret_file"), ("secret_file", "public_key_file")])
def test_a_key_of_frames_comes_from_one_place(tmp_path: Path, names: tuple[str, ...]) -> None:
    text = "".join(f'{name} = "x"\n' for name in names)
    assert "exactly one" in refused_key(tmp_path, f'[desk.frame_keys.one]\nissuer = "crm"\n{text}')


def test_a_weak_secret_or_a_wrong_public_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weak").write_text("x" * 31)
    assert "32 bytes" in refused_key(tmp_path, '[desk.frame_keys.one]\nissuer = "crm"\nsecret_file = "weak"\n')
    other = generate_private_key(SECP256R1()).public_key()
    (tmp_path / "ec.pem").write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for file in ("ec.pem", "weak"):
        reason = refused_key(tmp_path, f'[desk.frame_keys.one]\nissuer = "crm"\npublic_key_file = "{file}"\n')
        assert "Ed25519" in reason


def test_signed_tokens_name_the_desk_so_it_needs_an_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused) as refused:
        api_of(tmp_path, '[desk.frame_keys.one]\nissuer = "crm"\nsecret_env = "NOT_SET"\n')
    assert ["public_url" in problem.reason for problem in refused.value.problems] == [True]
