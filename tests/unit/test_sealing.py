"""Call-associated data at rest: what is sealed, and what becomes of it with another key, without one, and broken."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import fields, replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.core.cad import MASK
from routing.core.commands import Command, DialLeg, LookUp, LookUpKind, MarkLeg, PlayDigits, PlayPrompts, ReturnLeg
from routing.core.config import Config, Result
from routing.core.facts import Fact, LegArrived, LookedUp, LookUpOutcome, PromptsEnded
from routing.core.interaction import Interaction, InteractionState
from routing.core.orders import AnswerGuide, AnyOrder, EditCad, RequestCallback, SendDigits
from routing.core.record import RecordLive
from routing.core.world import WorldState
from routing.store.codec import PLAIN, Codecs, digest
from routing.store.errors import SealKeyMissing, StoreCorrupt
from routing.store.port import JournalEntry, Undecodable
from routing.store.sealing import SEALED, Sealer, SealKey, SealKeys, new_key, parse_keys

SECRET = {"card": "S3CR3T-4711", "case": "17"}
OLD, NEW = new_key("k1"), new_key("k2")
SET_UP = "file /etc/switchroom/cad.key"

# Text by name that is never CAD, and why it may stand in the open.
OPEN = {
    (LegArrived, "options"): "settings of the hand-over line, e.g. priority, and names of variables",
    (AnswerGuide, "answers"): "answers of a call guide, which stand in SQL in the open for reports",
    (RecordLive, "answers"): "the same",
    (LookUp, "headers"): "as the configuration has them; what is secret is named, `env:NAME`",
}


def sealing(*keys: SealKey, **options: bool) -> Codecs:
    return Codecs(Sealer(SealKeys(keys=keys, source=SET_UP), **options))


def interaction(**changes: Any) -> Interaction:
    base = Interaction(
        id="int_1",
        pbx="ast1",
        state=InteractionState.QUEUED,
        customer_leg="leg1",
        entry_point="main",
        queue="sales",
        ani='"cad":{}',
        ani_name='"cad":{"card":"S3CR3T-4711","case":"17"}',
        dnis="7001",
        entered_at_ms=1,
        cad=SECRET,
    )
    return replace(base, **changes)


CARRIERS: list[Any] = [
    interaction(ani_name=""),
    LegArrived(pbx="ast1", leg_id="leg1", cad=SECRET),
    EditCad(order_id="o1", agent_id="anna", interaction_id="int_1", values=SECRET),
    DialLeg(id="c1", pbx="ast1", leg_id="l1", interaction_id="int_1", phone="p", timeout_s=1, variables=SECRET),
    ReturnLeg(id="c1", pbx="ast1", leg_id="leg1", result=Result.TIMEOUT, variables=SECRET),
    MarkLeg(id="c1", pbx="ast1", leg_id="leg1", variables=SECRET),
    SendDigits(order_id="o1", agent_id="anna", interaction_id="int_1", digits="4711000147110001"),
    PlayDigits(id="c1", pbx="ast1", leg_id="leg1", digits="4711000147110001"),
    PlayPrompts(id="c1", pbx="ast1", leg_id="leg1", interaction_id="int_1", prompts=("digits/4", "S3CR3T-4711")),
    PromptsEnded(pbx="ast1", leg_id="leg1", command_id="c1", digits="4711000147110001"),
    LookUp(id="c1", interaction_id="int_1", kind=LookUpKind.HTTP, deadline_ms=1, values=SECRET),
    LookedUp(pbx="@", interaction_id="int_1", command_id="c1", outcome=LookUpOutcome.DONE, cad=SECRET),
    RequestCallback(order_id="o1", number="+12015550123", cad=SECRET),
]


def read(codecs: Codecs, value: object) -> Any:
    """As the store would read it back."""
    if isinstance(value, Interaction):
        return codecs.interactions.decode(codecs.encode(value))
    union = codecs.commands if isinstance(value, Command) else codecs.items
    return union.read(codecs.tagged(value))


@pytest.mark.req("SAFE-06")
@pytest.mark.parametrize("value", CARRIERS, ids=lambda value: type(value).__name__)
def test_what_carries_cad_is_written_sealed_and_reads_back(value: Any) -> None:
    codecs = sealing(NEW)
    written = codecs.tagged(value)
    assert b"S3CR3T" not in written
    assert b"card" not in written
    assert b"4711" not in written
    assert any(form in written for form in (b'{"~":"k2.', b'"digits":"~k2.', b'"prompts":["~k2.'))
    assert read(codecs, value) == value


@pytest.mark.req("SAFE-06")
def test_every_type_that_reaches_redis_seals_its_texts_by_name_or_is_known_to_hold_no_cad() -> None:
    kinds = [*get_args(Fact), *get_args(AnyOrder), *get_args(Command), Interaction, RecordLive]
    by_name = {(kind, f.name) for kind in kinds for f in fields(kind) if f.type == "dict[str, str]"}
    assert by_name - OPEN.keys() == {(kind, name) for kind, name in SEALED.items() if (kind, name) in by_name}
    assert {type(value) for value in CARRIERS} == set(SEALED)


@pytest.mark.req("SAFE-06")
def test_a_journal_entry_is_sealed() -> None:
    codecs = sealing(NEW)
    entry = JournalEntry(seq=7, now_ms=1, item=CARRIERS[1])
    written = codecs.journaled(entry)
    assert b"S3CR3T" not in written
    assert codecs.read_journaled(7, written) == entry


@given(cad=st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))))
def test_any_cad_reads_back_as_it_was(cad: dict[str, str]) -> None:
    codecs = sealing(NEW)
    assert read(codecs, interaction(cad=cad)).cad == cad


@given(cad=st.dictionaries(st.text(), st.text(), min_size=1))
def test_bytes_that_were_no_text_are_sealed_too(cad: dict[str, str]) -> None:
    """Lone surrogates, in the CAD or beside it, are replaced; nothing else is changed, nothing is in the open."""
    codecs = sealing(NEW)
    value = interaction(cad=cad | SECRET, ani_name="\ud800")
    written = codecs.encode(value)
    assert b"S3CR3T" not in written
    assert codecs.interactions.decode(written) == PLAIN.interactions.decode(PLAIN.encode(value))


def test_the_right_place_is_sealed_though_another_field_reads_like_it() -> None:
    codecs = sealing(NEW)
    value = interaction()
    written = codecs.encode(value)
    assert written.count(b"S3CR3T") == 1, "only what the caller's name says"
    assert codecs.interactions.decode(written) == value


@pytest.mark.req("SAFE-06")
def test_the_first_key_seals_and_every_key_opens() -> None:
    before = sealing(OLD).encode(CARRIERS[0])
    rotated = sealing(NEW, OLD)
    assert rotated.interactions.decode(before) == CARRIERS[0]
    assert b'"k2.' in rotated.encode(CARRIERS[0])
    assert b'"k1.' in rotated.encode(rotated.interactions.decode(before)), "unchanged CAD is not sealed anew"


def test_what_was_stored_before_there_was_a_key_still_reads() -> None:
    for value in CARRIERS:
        kind = read(PLAIN, value)
        assert kind == value
    assert sealing(NEW).interactions.decode(PLAIN.encode(CARRIERS[0])) == CARRIERS[0]
    assert sealing(NEW).items.read(PLAIN.tagged(CARRIERS[1])) == CARRIERS[1]


@pytest.mark.parametrize("value", CARRIERS, ids=lambda value: type(value).__name__)
def test_a_missing_key_is_an_error_that_names_it_and_uses_nothing_up(value: Any) -> None:
    written, others = sealing(OLD).tagged(value), sealing(NEW)
    tag, _, data = written.partition(b" ")
    reader: Any = others.commands if isinstance(value, Command) else others.items
    with pytest.raises(SealKeyMissing, match=rf"k1.*{SET_UP}"):
        others.interactions.decode(data) if tag == b"Interaction" else reader.read(written)


def test_a_process_without_any_key_is_told_which_setting_it_lacks() -> None:
    with pytest.raises(SealKeyMissing, match=r"k1.*server\.cad_key_file"):
        PLAIN.interactions.decode(sealing(OLD).encode(CARRIERS[0]))


@pytest.mark.parametrize("position", [0, 11, 12, 20, -1])
def test_a_forged_or_broken_seal_is_not_taken_for_data(position: int) -> None:
    codecs = sealing(NEW)
    value = LegArrived(pbx="ast1", leg_id="leg1", cad=SECRET)
    cipher = codecs.tagged(value)
    start = cipher.index(b"k2.") + 3
    coded = bytearray(cipher[start : cipher.index(b'"', start)])
    index = (position * 4 // 3) % (len(coded) - 2)
    coded[index] = ord("A") if coded[index] != ord("A") else ord("B")
    found = codecs.items.read(cipher[:start] + bytes(coded) + cipher[start + len(coded) :])
    assert isinstance(found, Undecodable)
    assert (found.type, "k2" in found.reason) == ("LegArrived", True)


@pytest.mark.parametrize("seal", ["", "k2", "k2.", "k2.%%", "k2." + b64encode(b"short").decode()])
def test_half_a_seal_is_an_error_of_the_store(seal: str) -> None:
    data = PLAIN.encode(CARRIERS[0]).replace(PLAIN.encode(SECRET), b'{"~":"%b"}' % seal.encode(), 1)
    with pytest.raises((StoreCorrupt, SealKeyMissing)):
        sealing(NEW).interactions.decode(data)


def test_a_seal_under_another_keys_name_does_not_open() -> None:
    data = sealing(NEW).encode(CARRIERS[0]).replace(b'"k2.', b'"k1.')
    with pytest.raises(StoreCorrupt):
        sealing(SealKey("k1", NEW.secret)).interactions.decode(data)


def test_nothing_from_outside_can_pose_as_sealed_where_nothing_is() -> None:
    about = {"order_id": "o1", "agent_id": "anna", "interaction_id": "int_1"}
    edit = EditCad(**about, values={"~": "k1.AAAA"})  # type: ignore[arg-type]
    digits = SendDigits(**about, digits="~k1.AAAA")
    assert read(PLAIN, edit).values == {"~~": "k1.AAAA"}
    assert read(PLAIN, digits).digits == "~~k1.AAAA"
    for order in (edit, digits):
        assert read(sealing(NEW), order) == order


@pytest.mark.req("CAD-05")
def test_who_only_looks_sees_a_mask_for_what_he_cannot_open_and_cannot_write_in_the_open() -> None:
    looking = Codecs(Sealer(SealKeys(source=SET_UP, problem="it is missing or empty"), is_lenient=True))
    assert looking.interactions.decode(sealing(OLD).encode(CARRIERS[0])).cad == {"~": MASK}
    with pytest.raises(SealKeyMissing, match=SET_UP):
        looking.tagged(CARRIERS[2])
    plain = EditCad(order_id="o1", agent_id="anna", interaction_id="int_1")
    assert looking.items.read(looking.tagged(plain)) == plain, "what carries no CAD needs no key"


@pytest.mark.req("SAFE-06")
def test_a_whole_answer_can_be_sealed() -> None:
    sealer, answer = sealing(NEW).sealer, b'{"cad":{"card":"S3CR3T"}}'
    assert b"S3CR3T" not in sealer.seal_whole(answer)
    assert sealer.open_whole(sealer.seal_whole(answer)) == answer
    assert sealer.open_whole(answer) == answer, "it was kept before there was a key"
    assert PLAIN.sealer.open_whole(PLAIN.sealer.seal_whole(answer)) == answer
    with pytest.raises(SealKeyMissing, match="key k2"):
        sealing(OLD).sealer.open_whole(sealer.seal_whole(answer))


def test_equal_values_of_two_calls_look_different_and_an_unchanged_one_is_sealed_once() -> None:
    codecs = sealing(NEW)
    one, other = interaction(ani_name=""), interaction(ani_name="", cad=dict(SECRET))
    assert codecs.encode(one) == codecs.encode(replace(one))
    assert codecs.encode(one) != codecs.encode(other)


def test_a_dictionary_that_somebody_changed_is_sealed_anew() -> None:
    codecs, cad = sealing(NEW), dict(SECRET)
    value = interaction(cad=cad)
    codecs.encode(value)
    cad["card"] = "S3CR3T-2"
    assert codecs.interactions.decode(codecs.encode(value)).cad["card"] == "S3CR3T-2"


def test_a_state_has_the_same_digest_sealed_or_not() -> None:
    sealed = sealing(NEW)
    stored = sealed.interactions.decode(sealed.encode(CARRIERS[0]))
    states = [WorldState(config=Config(tenant="t"), interactions={"int_1": one}) for one in (stored, CARRIERS[0])]
    assert digest(states[0]) == digest(states[1])


def test_a_file_of_keys_is_lines_of_id_and_base64_newest_first() -> None:
    text = ["# made 2026-11-21", "", f"  {NEW.line}  ", OLD.line]
    assert parse_keys(text) == (NEW, OLD)
    assert NEW.secret.hex() not in repr(NEW)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "no key"),
        (["# nothing"], "no key"),
        ([OLD.line, "k2:c2hvcnQ="], "line 2 is not"),
        ([OLD.line.replace(":", " ")], "line 1 is not"),
        ([f"a.b:{b64encode(bytes(32)).decode()}"], "line 1 is not"),
        ([OLD.line, OLD.line], "line 2: a second key k1"),
    ],
)
def test_a_wrong_file_of_keys_is_refused_without_being_quoted(lines: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_keys(lines)
    assert "c2hv" not in str(caught.value)
    assert b64encode(OLD.secret).decode() not in str(caught.value)
