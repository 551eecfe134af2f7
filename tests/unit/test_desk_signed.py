"""Tokens that a program signs itself for the desk in a frame."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from routing.api.desk_signed import LEEWAY_S, LONGEST_S, Signed, TokenRefused, is_signed, read
from routing.app.settings import FrameKey

CRM, DESK = "https://crm.example", "https://desk.example"
SECRET = "a secret that both of them know, " * 2
PAIR = ed25519.Ed25519PrivateKey.generate()
PEM = PAIR.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
KEYS = (
    FrameKey(id="shared", issuer="crm", secret=SECRET),
    FrameKey(id="pair", issuer="crm", public_key=PEM),
    FrameKey(id="next", issuer="crm", secret=SECRET[::-1]),
    FrameKey(id="unread", issuer="crm", source="file /nowhere"),
)


def signed(key: Any = SECRET, algorithm: str = "HS256", kid: str | None = "shared", **changes: Any) -> str:
    """None as a claim leaves it out; `header`: more members of it."""
    header = changes.pop("header", {}) | ({"kid": kid} if kid else {})
    now = int(time.time())
    claims = {"iss": "crm", "sub": "anna", "aud": DESK, "iat": now, "exp": now + 60, "jti": "1", "origins": [CRM]}
    given = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers=header)


def found(token: str) -> Signed:
    return read(token, KEYS, DESK, (CRM, "https://other.example"))


def by_hand(header: dict[str, Any]) -> str:
    """Without a signature, or with one that is none."""
    now = int(time.time())
    claims = {"iss": "crm", "sub": "anna", "aud": DESK, "iat": now, "exp": now + 60, "jti": "1", "origins": [CRM]}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)]
    return ".".join([*parts, ""])


def refusal(token: str) -> str:
    with pytest.raises(TokenRefused) as refused:
        found(token)
    return refused.value.reason


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(SECRET, "HS256", "shared"), (PAIR, "EdDSA", "pair")])
def test_a_token_says_whose_desk_it_opens_and_where(key: Any, algorithm: str, kid: str) -> None:
    token = signed(key, algorithm, kid, jti="abc")
    assert is_signed(token)
    assert not is_signed("dt_abc")
    told = found(token)
    assert (told.key.id, told.agent_id, told.token_id, told.origins) == (kid, "anna", "abc", (CRM,))


def test_two_keys_of_one_program_are_good_while_they_are_exchanged() -> None:
    assert found(signed(SECRET, kid="shared")).key.id == "shared"
    assert found(signed(SECRET[::-1], kid="next")).key.id == "next"
    with pytest.raises(TokenRefused):
        read(signed(SECRET), KEYS[1:], DESK, (CRM,))


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "iat", "exp", "jti", "origins"])
def test_every_claim_is_needed(name: str) -> None:
    assert name in refusal(signed(**dict[str, Any]({name: None})))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"aud": "https://desk.elsewhere.example"},
        {"aud": f"{DESK}.elsewhere.example"},
        {"aud": [DESK, "https://desk.elsewhere.example"]},
        {"sub": 7},
        {"jti": 7},
        {"jti": ""},
        {"jti": "j" * 129},
        {"origins": CRM},
        {"origins": []},
        {"origins": [7]},
        {"origins": ["https://elsewhere.example"]},
        {"origins": [CRM, "https://elsewhere.example"]},
        {"name": "n" * 4096},
    ],
)
def test_a_claim_that_says_something_else_opens_nothing(changes: dict[str, Any]) -> None:
    assert refusal(signed(**changes))


@pytest.mark.parametrize(
    ("issued_s", "over_s"),
    [(-120, -LEEWAY_S - 1), (0, LONGEST_S + 1), (-LONGEST_S, 10), (LEEWAY_S + 5, 90), (0, 0.5), (0, "soon")],
)
def test_it_is_good_for_five_minutes_at_most_and_not_before_or_after(issued_s: int, over_s: Any) -> None:
    now = int(time.time())
    exp = over_s if isinstance(over_s, str) else now + over_s
    assert refusal(signed(iat=now + issued_s, exp=exp))


def test_clocks_may_differ_a_little() -> None:
    now = int(time.time())
    for times in ({"iat": now - 60, "exp": now - LEEWAY_S + 5}, {"iat": now + LEEWAY_S - 5, "exp": now + LONGEST_S}):
        assert found(signed(**dict[str, Any](times))).agent_id == "anna"


def test_the_key_says_the_algorithm_and_not_the_token() -> None:
    assert refusal(by_hand({"alg": "none", "kid": "shared"}))
    assert refusal(by_hand({"alg": "none", "kid": "pair"}))
    assert refusal(by_hand({"alg": "HS256", "kid": "shared"}))
    assert refusal(signed(SECRET, "HS512"))
    assert refusal(signed(SECRET, kid="pair"))
    assert refusal(signed(PAIR, "EdDSA", "shared"))
    assert refusal(signed(rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256", "pair"))
    # The public half is known to everybody: it is no secret to sign with.
    assert refusal(_hmac_with(PEM.encode(), {"alg": "HS256", "kid": "pair"}))


def _hmac_with(key: bytes, header: dict[str, Any]) -> str:
    """What the library would refuse to make."""
    token = by_hand(header).rstrip(".")
    signature = base64.urlsafe_b64encode(hmac.digest(key, token.encode(), "sha256")).decode().rstrip("=")
    return f"{token}.{signature}"


@pytest.mark.parametrize("kid", [None, "unknown", "unread", ""])
def test_it_names_a_key_that_is_there(kid: str | None) -> None:
    assert "key" in refusal(signed(kid=kid))


def test_a_key_that_was_not_read_is_no_empty_secret() -> None:
    assert "could not be read" in refusal(_hmac_with(b"", {"alg": "HS256", "kid": "unread"}))


def test_what_is_not_understood_or_no_token_is_refused() -> None:
    assert "crit" in refusal(signed(header={"crit": ["exp"]}))
    for token in ("a.b.c", "..", "ü.ü.ü", "\udcff.a.b", "e30.e30.e30", _nested()):
        assert refusal(token)
    body, _, signature = signed().rpartition(".")
    assert refusal(f"{body}.{signature[::-1]}")


def _nested() -> str:
    header = base64.urlsafe_b64encode(b"[" * 3000).decode().rstrip("=")
    return f"{header}.e30.e30"
