from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.sip import (
    MalformedMessage,
    Message,
    digest_header,
    q850_cause,
    tag_of,
    uri_of,
    write,
    write_response,
)

INVITE = (
    b"INVITE sip:1001@127.0.0.1:5060 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:5062;rport;branch=z9hG4bKabc\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKouter\r\n"
    b"Record-Route: <sip:10.0.0.9;lr>\r\n"
    b'From: "A <b>" <sip:7001@127.0.0.1>;tag=f1\r\n'
    b"To: <sip:1001@127.0.0.1>\r\n"
    b"Call-ID: call-1\r\n"
    b"CSeq: 7 INVITE\r\n"
    b"Subject: one\r\n two\r\n"
    b"Content-Length: 3\r\n\r\nv=0"
)


def test_a_request_is_read() -> None:
    message = Message.parse(INVITE)
    assert (message.method, message.status, message.body) == ("INVITE", 0, b"v=0")
    assert message.branch == "z9hG4bKabc"
    assert message.cseq_method == "INVITE"
    assert message.get("call-id") == "call-1"
    assert message.get("Subject") == "one two"
    assert message.get("Missing") == ""
    assert len(message.all("via")) == 2


def test_a_response_carries_back_what_the_request_needs() -> None:
    response = Message.parse(write_response(Message.parse(INVITE), 180, to_tag="t9"))
    assert (response.method, response.status) == ("", 180)
    assert response.all("Via") == Message.parse(INVITE).all("Via")
    assert response.get("Record-Route") == "<sip:10.0.0.9;lr>"
    assert tag_of(response.get("To")) == "t9"
    assert response.get("CSeq") == "7 INVITE"


def test_a_tag_which_is_there_is_kept() -> None:
    tagged = Message.parse(INVITE.replace(b"To: <sip:1001@127.0.0.1>", b"To: <sip:1001@127.0.0.1>;tag=old"))
    assert tag_of(Message.parse(write_response(tagged, 200, "new")).get("To")) == "old"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\x00" * 30,
        b"SIP/2.0 abc OK\r\nCSeq: 1 INVITE\r\n\r\n",
        b"SIP/2.0 999\r\nCSeq: 1 INVITE\r\n\r\n",
        b"SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n",
        b"INVITE sip:1@x\r\nCSeq: 1 INVITE\r\n\r\n",
        b"INVITE sip:1@x SIP/2.0\r\n\r\n",
        b"INVITE sip:1@x SIP/2.0\r\nCSeq: INVITE\r\n\r\n",
    ],
)
def test_noise_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Message.parse(data)


@given(st.binary(max_size=400))
def test_any_datagram_is_a_message_or_malformed(data: bytes) -> None:
    try:
        message = Message.parse(data)
    except MalformedMessage:
        return
    assert bool(message.method) != bool(message.status)


@given(st.integers(0, len(INVITE)))
def test_a_datagram_cut_anywhere_does_no_harm(length: int) -> None:
    try:
        message = Message.parse(INVITE[:length])
    except MalformedMessage:
        return
    assert message.method == "INVITE"
    assert isinstance(message.branch, str)


def test_uris_and_tags_are_found_in_all_forms() -> None:
    assert uri_of('"x" <sip:1@h>;tag=a') == "sip:1@h"
    assert uri_of("sip:1@h;tag=a") == "sip:1@h"
    assert tag_of("<sip:1@h;x=y>;tag=a;z=1") == "a"
    assert tag_of("<sip:1@h>") == ""


def test_the_cause_of_a_reason_header_is_read() -> None:
    assert q850_cause('Q.850;cause=16;text="Normal"') == 16
    assert q850_cause("") is None


def test_content_length_counts_bytes() -> None:
    assert b"Content-Length: 2\r\n\r\n" in write("OPTIONS sip:x SIP/2.0", ("CSeq: 1 OPTIONS",), "é".encode())


def test_a_digest_without_qop_matches_the_example_of_rfc_2069() -> None:
    # The example of RFC 2069, section 2.4, with the corrected response of its erratum 749.
    challenge = Message.parse(
        b"SIP/2.0 401 Unauthorized\r\nCSeq: 1 GET\r\n"
        b'WWW-Authenticate: Digest realm="testrealm@host.com", '
        b'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"\r\n\r\n'
    )
    line = digest_header(challenge, "GET", "/dir/index.html", "Mufasa", "CircleOfLife")
    assert line.startswith('Authorization: Digest username="Mufasa"')
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in line
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in line


def test_a_proxy_challenge_is_answered_with_qop() -> None:
    challenge = Message.parse(
        b"SIP/2.0 407 Proxy Authentication Required\r\nCSeq: 1 INVITE\r\n"
        b'Proxy-Authenticate: Digest realm="r",nonce="n",qop="auth",algorithm=MD5\r\n\r\n'
    )
    line = digest_header(challenge, "INVITE", "sip:x", "u", "p")
    assert line.startswith("Proxy-Authorization: Digest ")
    assert "qop=auth, nc=00000001, cnonce=" in line
