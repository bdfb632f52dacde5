"""Every message about a JSON table leads to the line of the fault."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.json_lines import parse_with_lines
from ReirradiationReviewLib.core.protocols import load_protocol
from ReirradiationReviewLib.core.resources import PROTOCOL_FOLDER

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_any_json_is_read_as_json_reads_it(value, ascii_only):
    text = json.dumps(value, indent=2, ensure_ascii=ascii_only)
    assert parse_with_lines(text, "f")[0] == value


@given(
    st.dictionaries(st.text(max_size=8), st.integers() | st.lists(st.integers(), min_size=1, max_size=3), max_size=6)
)
def test_lines_are_those_of_an_indented_text(document):
    # With indent, json.dumps writes one key or one entry on each line, in order: an independent count.
    lines = parse_with_lines(json.dumps(document, indent=1), "f")[1]
    line = 2
    for key, value in document.items():
        assert lines[key,] == line
        if isinstance(value, list):
            assert [lines[key, number] for number in range(len(value))] == list(range(line + 1, line + 1 + len(value)))
            line += len(value) + 1
        line += 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n "a": 1,\n "b" 2\n}', r"line 3, column 6"),
        ('{\n "a": 1,\n\n "a": 2\n}', r"line 4: key 'a' stands twice.*first on line 2"),
        ('{"a": [1,\n NaN]}', "line 2: NaN"),
        ('{"a":\n -Infinity}', "line 2: -Infinity"),
        ("", "line 1, column 1"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "digits"),
    ],
)
def test_a_text_that_is_no_table_is_refused_with_its_line(text, message):
    with pytest.raises(ReirradiationError, match=f"f.*{message}"):
        parse_with_lines(text, "f")


@pytest.fixture
def a_text():
    return (PROTOCOL_FOLDER / "hytec_2021_spine.json").read_text(encoding="utf-8")


def line_with(text, part, after=""):
    start = text.index(after)
    return text.count("\n", 0, text.index(part, start)) + 1


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        ('"limit": 25', '"limit": -25', "sbrt_dmax"),
        ('"ThecalSac"', '"Thecal Sac"', "cumulative_dmax"),
        ('"unit": "months"', '"unit": "Gy"', "interval"),
        ('{"min": 1, "max": 5}', '{"min": 9, "max": 5}', "cumulative_dmax"),
        ('"relative_to": "cumulative_undiscounted"', '"relative_to": "all"', "sbrt_share"),
    ],
)
def test_a_fault_in_a_protocol_is_said_with_the_line_it_stands_on(tmp_path, a_text, old, new, row):
    path = tmp_path / "mine.json"
    changed = a_text.replace(old, new, 1)
    path.write_text(changed, encoding="utf-8")
    line = line_with(changed, new, f'"id": "{row}"')
    with pytest.raises(ReirradiationError, match=rf"^mine\.json, line {line}, row '{row}'"):
        load_protocol(path)


def test_all_rows_at_fault_are_named_at_once(tmp_path, a_text):
    path = tmp_path / "mine.json"
    path.write_text(
        a_text.replace('"limit": 70', '"limit": 0').replace('"limit": 25', '"limit": "x"'), encoding="utf-8"
    )
    with pytest.raises(ReirradiationError) as refusal:
        load_protocol(path)
    lines = str(refusal.value).split("\n")
    assert ["'cumulative_dmax'" in lines[0], "'sbrt_dmax'" in lines[1], len(lines)] == [True, True, 2]


def test_a_missing_key_is_said_at_the_row_it_is_missing_from(tmp_path, a_text):
    path = tmp_path / "mine.json"
    changed = a_text.replace('      "id": "sbrt_share",\n', "", 1)
    path.write_text(changed, encoding="utf-8")
    line = line_with(changed, '"limit": 0.5') - 8  # the row's opening brace
    with pytest.raises(ReirradiationError, match=rf"line {line}, row 3, key 'id': is missing"):
        load_protocol(path)


def test_a_file_saved_with_a_byte_order_mark_is_read(tmp_path, a_text):
    path = tmp_path / "mine.json"
    path.write_text(a_text, encoding="utf-8-sig")
    assert load_protocol(path).id == "hytec_2021_spine"
