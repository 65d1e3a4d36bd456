"""Solutions as files: YAML and CSV, one or a class, and whatever else people write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from descentlab.core.errors import DataError, DescentLabError, SpecError
from descentlab.explain.checking.solution import parse_solutions, read_solutions
from descentlab.explain.checking.written import read_number


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("0.680", 0.68, 1e-3),
        ("-3", -3.0, 1.0),
        ("8.", 8.0, 1.0),
        (".5", 0.5, 0.1),
        ("9.5e-4", 9.5e-4, 1e-5),
        ("9.5×10^-4", 9.5e-4, 1e-5),
        ("9.5 * 10**(-4)", 9.5e-4, 1e-5),
        ("1.2E3", 1200.0, 100.0),
        ("۰٫۰۰۰۹", 0.0009, 1e-4),
        ("٣٫١٤", 3.14, 0.01),
        ("−0.25", -0.25, 0.01),
        ("+7", 7.0, 1.0),
    ],
)
def test_numbers_are_read_with_the_unit_of_their_last_digit(text, value, unit):
    number = read_number(text)
    assert number.value == pytest.approx(value, rel=1e-15)
    assert number.unit == pytest.approx(unit, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0,68", "write the decimal sign as a point, 0.68"),
        ("1/3", "is a fraction"),
        ("66%", "is a percentage"),
        ("abc", "is no number"),
        ("", "there is no number"),
        ("1e999", "too many digits"),
        ("9" * 60, "too many digits"),
        ("nan", "is no number"),
        ("0x10", "is no number"),
        (".", "is no number"),
    ],
)
def test_what_is_no_number_says_what_to_write(text, says):
    with pytest.raises(ValueError, match=says):
        read_number(text)


def test_yaml_keeps_values_as_they_are_written():
    (solution,) = parse_solutions("exercise: x\nH3: 0.7550\ny: 1e-3\nh: [1.0, [2]]\n", "ann.yaml")
    assert solution.name == "ann"
    assert solution.exercise == "x"
    texts = {label: number.text for label, number in solution.numbers.items()}
    assert texts == {"H3": "0.7550", "y": "1e-3", "h[1]": "1.0", "h[2,1]": "2"}
    assert solution.at("h[2,1]") == "ann.yaml, line 4, column 11"


@pytest.mark.parametrize(
    "text",
    [
        "name,value\nH3,0.755\ny3,0.680\n",
        "H3,0.755\ny3,0.680\n",
        "H3;0.755\r\ny3;0.680\r\n",
        "\ufeffname,value\nH3, 0.755\n\ny3 ,0.680",
        "H3\t0.755\ny3\t0.680",
        "H3،۰٫۷۵۵\ny3،۰٫۶۸۰",
    ],
)
def test_csv_of_name_and_value(text):
    (solution,) = parse_solutions(text.encode(), "ann.csv")
    assert {n: w.value for n, w in solution.numbers.items()} == {"H3": 0.755, "y3": 0.68}


@pytest.mark.parametrize(
    "text",
    [
        "solution,name,value\nann,H3,0.755\nbob,H3,0.7\nann,y3,0.68\n",
        "student,H3,y3\nann,0.755,0.68\nbob,0.7,\n",
    ],
)
def test_a_class_in_one_file(text):
    found = {s.name: dict(s.numbers) for s in parse_solutions(text, "class.csv")}
    assert set(found) == {"ann", "bob"}
    assert found["ann"]["y3"].value == 0.68
    assert set(found["bob"]) == {"H3"}


def test_elements_in_csv_are_quoted_or_not():
    (solution,) = parse_solutions('W[1],2\n"W[1,2]",3\n', "a.csv")
    assert {n: w.value for n, w in solution.numbers.items()} == {"W[1]": 2.0, "W[1,2]": 3.0}


@pytest.mark.parametrize(
    ("text", "source", "says"),
    [
        ("H3: 1\nH3: 2\n", "s.yaml", "the key 'H3' is there twice"),
        ("H3,1\nH3,2\n", "s.csv", "line 2, column 4: 'H3' is there twice (first in line 1)"),
        ("H3: abc\n", "s.yaml", "line 1, column 5: 'H3': 'abc' is no number"),
        ("H3: {a: 1}\n", "s.yaml", "expected a number or a list"),
        ("- 1\n", "s.yaml", "a name and a number each"),
        ("", "s.yaml", "a name and a number each"),
        ("", "s.csv", "empty"),
        ("H3,1,2,3\n1,2\n", "s.csv", "cells for 4 heads"),
        ("H3: [1, 2\n", "s.yaml", "not valid YAML"),
        ("name,value\nH3\n", "s.csv", "line 2: 1 cells"),
        ("H3:\n", "s.yaml", "there is no number"),
        ("\n".join(f"x{i}: 1" for i in range(5000)), "s.yaml", "no exercise asks for so many"),
        ("\n".join(f"x{i},1" for i in range(5000)), "s.csv", "line 4001"),
    ],
)
def test_bad_files_say_what_is_wrong_and_where(text, source, says):
    with pytest.raises(SpecError) as caught:
        parse_solutions(text, source)
    assert says in str(caught.value)


def test_a_folder_is_a_class_and_a_bad_file_in_it_is_kept_with_its_fault(tmp_path):
    (tmp_path / "ann.yaml").write_text("H3: 0.755\n")
    (tmp_path / "bob.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "notes.txt").write_text("nothing")
    found = {s.name: s.fault for s in read_solutions(str(tmp_path))}
    assert found["ann"] is None
    assert "UTF-8" in str(found["bob"])
    assert set(found) == {"ann", "bob"}


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_solutions(str(tmp_path / "no.yaml"))
    with pytest.raises(DataError, match="no solutions in this folder"):
        read_solutions(str(tmp_path))


@given(st.text(max_size=80), st.sampled_from(["s.yaml", "s.csv"]))
def test_any_text_is_read_or_refused(text, source):
    try:
        parse_solutions(text, source)
    except DescentLabError as error:
        assert source in str(error)
