"""YAML of unknown quality is read strictly, within bounds, and faults say where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from descentlab.core.errors import SpecError
from descentlab.core.yaml import read_yaml, write_yaml

words = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_what_is_written_is_read_back(value):
    assert read_yaml(write_yaml(value), "file") == value


def test_exponents_without_a_dot_are_numbers():
    assert read_yaml("a: 1e-3\nb: 1E5\nc: -2e+1", "file") == {"a": 0.001, "b": 1e5, "c": -20.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", "line 1"),
        ("a: 1\na: 2", "'a' is there twice"),
        ("a:\n  b: 1\n  b: 2", "line 3"),
        ("x: " + "[" * 3000, "nested too deeply"),
        ("x: " + "[" * 300 + "]" * 300, "nested too deeply"),
        ("\n".join(" " * i + f"a{i}:" for i in range(1500)), "nested too deeply"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "\n".join(
                f"{b}: &{b} [{','.join(['*' + a] * 10)}]"
                for a, b in zip("abcdefg", "bcdefgh", strict=True)
            ),
            "more than",
        ),
        ("a: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("a: \x00", "not valid YAML"),
        ("a" * (5 << 20), "bytes"),
    ],
)
def test_bad_documents_are_refused_with_the_place(text, message):
    with pytest.raises(SpecError, match=message):
        read_yaml(text, "study.yaml")
