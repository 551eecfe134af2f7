"""Files as rows: whatever they hold, each row says where it ends, and a bad one costs no other."""

from __future__ import annotations

import csv
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.app.lists.reading import MAX_ROW_BYTES, MAX_ROW_LINES, CsvRows, Position, Row, json_rows, lines, sniffed
from routing.app.lists.spec import Encoding, Refusal

pytestmark = pytest.mark.req("DIALER-02")


def rows_of(content: str | bytes, delimiter: str = ",", piece: int = 1 << 20) -> list[Row]:
    data = content.encode() if isinstance(content, str) else content
    pieces = (data[at : at + piece] for at in range(0, len(data), piece))
    return list(CsvRows(pieces, delimiter, Encoding.UTF_8))


def told(rows: list[Row]) -> list[tuple[int, object]]:
    """Lines with cells, or with why they were refused."""
    return [(row.line, row.refusal.value if row.refusal else tuple(row.cells)) for row in rows]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system_and_blank_ones_are_left_out(end: str) -> None:
    text = end.join(["a,b", "", "1,2", '"x', 'y",3', "last,"])
    assert told(rows_of(text)) == [
        (1, ("a", "b")),
        (3, ("1", "2")),
        (4, (f"x{end}y", "3")),
        (6, ("last", "")),
    ]


@given(
    table=st.lists(
        st.lists(st.text(alphabet='ab",;\n\r =+é\U0001f600', max_size=6), min_size=2, max_size=4), max_size=8
    ),
    piece=st.integers(1, 40),
)
def test_what_a_csv_writer_has_written_is_read_in_whatever_pieces_it_comes(table: list[list[str]], piece: int) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    assert [list(row.cells) for row in rows_of(out.getvalue(), piece=piece)] == table


@given(
    data=st.binary(max_size=300).map(
        lambda raw: raw.replace(b"\x01", b'"').replace(b"\x02", b",").replace(b"\x03", b"\n")
    ),
    piece=st.integers(1, 50),
)
def test_any_bytes_are_rows_that_end_in_order_and_reading_on_behind_each_gives_the_rest(
    data: bytes, piece: int
) -> None:
    rows = rows_of(data, piece=piece)
    assert rows == rows_of(data)
    ends = [row.end.offset for row in rows]
    assert ends == sorted(set(ends))
    for number, row in enumerate(rows):
        rest = list(CsvRows([data[row.end.offset :]], ",", Encoding.UTF_8, row.end))
        assert rest == rows[number + 1 :]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert told(rows_of(b"\xef\xbb\xbfname,phone\n")) == [(1, ("name", "phone"))]


def test_formulas_stay_the_text_they_are() -> None:
    cells = ("=cmd|' /C calc'!A0", "@SUM(1+1)", "+1", "-1")
    assert told(rows_of(",".join(cells))) == [(1, cells)]


def test_bytes_that_are_no_text_and_nul_refuse_their_row_alone() -> None:
    content = b"a,b\nx\xff,1\ny,\0\n\xc3\xa9,2\n"
    assert told(rows_of(content)) == [(1, ("a", "b")), (2, "encoding"), (3, "nul"), (4, ("é", "2"))]


def test_a_row_that_is_too_large_is_refused_alone_and_never_kept() -> None:
    huge = b"a,b\n" + b"x" * (1 << 20) + b",1\nc,d\n"
    assert told(rows_of(huge, piece=4096)) == [(1, ("a", "b")), (2, "too_large"), (3, ("c", "d"))]
    kept = list(lines(huge[at : at + 4096] for at in range(0, len(huge), 4096)))
    assert [line.raw is None for line in kept] == [False, True, False]
    assert kept[-1].end == len(huge)


def test_a_large_row_within_quotes_is_refused_alone() -> None:
    field = '"' + "y" * (MAX_ROW_BYTES // 2) + "\n" + "z" * (MAX_ROW_BYTES // 2) + '"'
    rows = told(rows_of(f"a,b\n{field},1\nc,d\n"))
    assert rows[0] == (1, ("a", "b"))
    assert rows[-1] == (4, ("c", "d"))
    assert (2, "quoting") in rows


@pytest.mark.parametrize("length", [3, 100, MAX_ROW_LINES * 3])
def test_a_quote_that_nothing_closes_costs_its_line_and_not_the_rest_of_the_file(length: int) -> None:
    rows = [f"name {n},{n}" for n in range(length)]
    rows[1] = '"open,1'
    found = told(rows_of("\n".join(rows)))
    assert found[1] == (2, "quoting")
    assert [line for line, _cells in found] == list(range(1, length + 1))
    assert found[2] == (3, ("name 2", "2"))


def test_a_file_in_which_no_quote_is_closed_is_read_in_reasonable_time() -> None:
    """Each line leaves its last field open, and closes the one of the line before."""
    found = rows_of('a","x\n' * 3000)
    assert len(found) < 3001
    assert {row.refusal for row in found} <= {Refusal.QUOTING, None}


@pytest.mark.parametrize(
    ("head", "delimiter"),
    [
        ("name,phone\nAnn,1\n", ","),
        ("name;phone\nMeier, Ann;1\n", ";"),
        ("name\tphone\n", "\t"),
        ("a|b|c\n1,5|2|3\n", "|"),
        ('"a;b",c\n1,2\n', ","),
        ("phone\n1\n", ","),
        ("", ","),
    ],
)
def test_the_delimiter_is_found_by_looking(head: str, delimiter: str) -> None:
    assert sniffed(head.encode(), Encoding.UTF_8) == delimiter


def test_rows_of_json_are_lines_with_their_numbers() -> None:
    data = b'{"a": 1}\n\n{"b": 2}'
    assert list(json_rows([data[:5], data[5:]])) == [
        Row(1, Position(9, 2), ('{"a": 1}\n',)),
        Row(3, Position(18, 4), ('{"b": 2}',)),
    ]
    assert [row.refusal for row in json_rows([b"x" * (MAX_ROW_BYTES + 1)])] == [Refusal.TOO_LARGE]


def test_random_bytes_of_a_megabyte_are_survived() -> None:
    data = random.Random(1).randbytes(1 << 20)
    assert rows_of(data)[-1].end.offset <= len(data)
