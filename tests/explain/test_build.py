"""Bad exercises: the message says where, what is wrong, and what to write instead.

In every text below ‸ stands just before what the message must point at.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descentlab.core.errors import SpecError
from descentlab.explain.build import build
from descentlab.explain.exercise import parse_exercise, with_convention
from descentlab.explain.numbers import Numbers

HEAD = "exercise: mine\ntitle: mine\ntext: mine\n"
CARET = "‸"


def made(text):
    """Build an exercise and what each of its conventions makes of it."""
    found = parse_exercise(HEAD + text, "mine.yaml")
    graph = build(found)
    for convention in found.exercise.conventions:
        build(with_convention(found, convention))
    return graph


def check(text, *said):
    """The text is refused, at its caret, in these words."""
    before = (HEAD + text).partition(CARET)[0]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    with pytest.raises(SpecError) as caught:
        made(text.replace(CARET, ""))
    message = str(caught.value)
    assert message.startswith(f"mine.yaml, line {line}, column {column}: "), message
    for part in said:
        assert part in message, message
    assert "Traceback" not in message


LOSS = "given: {w: 1, u: 2}\nquantities:\n  h: 2*w\n  L: h^2\n"
UPDATE = LOSS + "loss: L\nupdate: {optimizer: {kind: sgd, learning_rate: 0.1}, parameters: [w]"

FORMULAS = {
    "unknown name": ("2*‸weigth + 1", "unknown name 'weigth'", "did you mean 'weight'?"),
    "comparison": ("weight ‸> 2", "'>' is no part of a formula", "arithmetic and functions"),
    "equation": ("2 ‸= weight", "'=' is no part of a formula", "the name is the key before it"),
    "attribute": ("weight‸.real", "'.' is no part of a formula", "a point belongs inside a number"),
    "call": ("2 + ‸__import__(weight)", "unknown function '__import__'"),
    "product without a sign": ("2‸weight", "a product is written with *, as 2*weight"),
    "open bracket": ("2*‸(weight + 1", "never closed by ')'"),
    "nothing after plus": ("weight +‸", "expected a number, a name or '('", "ends here"),
    "too few arguments": ("2*‸mse(weight)", "mse(a, y) takes 2, and 1 are given"),
    "misspelt function": ("2*‸sigmod(weight)", "did you mean 'sigmoid'?"),
    "division by zero": ("3 + 2‸/(weight - 1)", "division by zero: 'weight - 1' is 0"),
    "logarithm of a negative": ("1 + ‸log(weight - 3)", "log(weight - 3)", "log of -2"),
    "root of a negative": ("‸sqrt(-weight)", "sqrt of -1"),
    "overflow": ("1 - ‸exp(1000*weight)", "no finite value", "'1000*weight' = 1000"),
    "a power that is none": ("(weight - 2)‸^0.5", "no finite value"),
    "vectors that do not fit": ("1 + v‸*[1, 2]", "'v' is a vector of 3", "a vector of 2"),
    "matrix and vector": ("[[1, 2], [3, 4]] ‸@ v", "is 2 × 2 numbers", "'v' is a vector of 3"),
    "an element that is not there": ("v‸[4]", "no element [4]", "counted from 1"),
    "an element 0": ("v‸[0]", "whole number from 1"),
    "a singular matrix": ("‸solve([[1, 1], [1, 1]], [1, 2])", "singular"),
    "itself": ("2*‸a", "a circle: a → a"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("style", ["  a: {}", '  a: "{}"', '  "a":   {}'])
def test_a_faulty_formula(name, style):
    formula, *said = FORMULAS[name]
    if formula[0] == "[":
        style = '  a: "{}"'
    check(f"given: {{weight: 1, v: [1, 2, 3]}}\nquantities:\n{style.format(formula)}\n", *said)


@pytest.mark.parametrize("section", ["quantities", "after"])
def test_a_faulty_formula_in_any_section(section):
    other = "after:\n  x: 1\n" if section == "quantities" else "quantities:\n  x: 1\n"
    check(f"given: {{w: 1}}\n{other}{section}:\n  b: 1 + ‸z\n", "unknown name 'z'")


ORDER = {
    "before it is given": ("  a: 1 + ‸b\n  b: 2\n", "'a' uses 'b' before it is given (in line 7)",
                           "move it up"),
    "circle": ("  a: w + ‸b\n  b: 2*c\n  c: a^2\n", "a circle: a → b → c → a"),
    "a circle further down": ("  a: w\n  b: a + ‸c\n  c: 2*b\n", "a circle: b → c → b"),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDER)
def test_names_in_the_wrong_order(name):
    text, *said = ORDER[name]
    check("given: {w: 1}\nquantities:\n" + text, *said)


NAMES = {
    "given and a quantity": ("given: {w: 1}\nquantities:\n  ‸w: 2\n", "'w' is there twice"),
    "twice in a section": ("given: {w: 1}\nquantities:\n  a: 2\n  ‸a: 3\n", "'a' is there twice"),
    "a column and a quantity": ("table: {columns: [x], rows: [[1]]}\nquantities:\n  ‸x: 2\n",
                                "'x' is there twice: in table and quantities"),
    "a quantity and what comes after": ("quantities:\n  x: 2\nafter:\n  ‸x: 2\n", "twice"),
    "a function's": ("given: {‸sum: 1}\nquantities:\n  a: 2\n", "'sum' is a function's"),
    "a column with a function's": ("table: {columns: [x, ‸mean], rows: [[1, 2]]}\n"
                                   "quantities:\n  a: 2\n", "'mean' is a function's"),
    "no name": ("given: {‸2w: 1}\nquantities:\n  a: 2\n", "is no name", "such as w13"),
    "with a dash": ("quantities:\n  ‸a-b: 2\n", "is no name", "letters, digits and _"),
    "a gradient's": (UPDATE.replace("u: 2", "‸d_w: 2") + "}\n", "as a given value and as a",
                     "rename yours"),
    "a setting's": (UPDATE.replace("u: 2", "‸learning_rate: 2") + "}\n", "a setting of the opt"),
    "a new parameter's": (UPDATE.replace("  h:", "  ‸w_new: 2\n  h:") + "}\n", "as a quantity and"),
    "another update's": (UPDATE.replace("u: 2", "‸L_2: 2") + ", steps: 3}\n", "'L_2' is there"),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_that_clash_or_are_none(name):
    check(*NAMES[name])


MINIMISED = {
    "a loss that is none": (LOSS + "loss: ‸M\n", "unknown quantity 'M'", "known: L, h"),
    "a vector": ("given: {w: [1, 2]}\nquantities:\n  L: w^2\nloss: ‸L\ngradients: [w]\n",
                 "the loss 'L' must be one number"),
    "gradient of nothing": (LOSS + "loss: L\ngradients: [w, ‸W]\n", "unknown name 'W'"),
    "gradient without influence": (LOSS + "loss: L\ngradients: [w, h, ‸u]\n",
                                   "'u' has no influence on the loss 'L'"),
    "gradient of the loss": (LOSS + "loss: L\ngradients: [w, ‸L]\n", "is the loss itself"),
    "parameter without influence": (LOSS + "loss: L\nupdate: {optimizer: sgd, "
                                    "parameters: [w, ‸u]}\n", "'u' has no influence"),
    "parameter without a value": (LOSS + "loss: L\nupdate: {optimizer: sgd, parameters: [‸b]}\n",
                                  "the parameter 'b' has no first value", "known: u, w"),
    "a quantity as a parameter": (LOSS + "loss: L\nupdate: {optimizer: sgd, parameters: [‸h]}\n",
                                  "the parameter 'h' has no first value"),
    "a slope without end": ("given: {w: 0}\nquantities:\n  L: ‸sqrt(w)\nloss: L\ngradients: [w]\n",
                            "the gradient d_w = 1/(2*L) has no finite value"),
    "steps with a table": ("table: {columns: [x], rows: [[1]]}\n"
                           + UPDATE.replace("2*w", "w*sum(x)") + ", ‸steps: 2}\n",
                           "a table takes 'batch' and 'epochs'"),
    "batches without a table": (UPDATE + ", ‸batch: 2}\n", "'batch' needs a table"),
    "asked for what is not there": (LOSS + "asked: [h, ‸H]\n", "unknown name 'H'"),
    "asked for a step that is not": (UPDATE + ", steps: 2}\nasked: [w_1, ‸w_3]\n", "'w_3'"),
    "misspelt optimizer": (UPDATE.replace("{kind: sgd", "‸{kind: sdg") + "}\n",
                           "unknown optimizer 'sdg'; did you mean 'sgd'?"),
    "setting out of range": (UPDATE.replace("0.1", "0.1, momentum: ‸1.5") + "}\n", "less than 1"),
    "too many steps": (UPDATE + ", steps: ‸101}\n", "less than or equal to 100"),
    "no loss": (LOSS.replace("given", "‸given", 0) + "gradients: [w]\n", "need a 'loss'"),
}  # fmt: skip


@pytest.mark.parametrize("name", MINIMISED)
def test_what_cannot_be_minimised(name):
    text, *said = MINIMISED[name]
    if name == "no loss":  # nothing in the file is to blame but the whole
        with pytest.raises(SpecError, match=r"mine\.yaml, line 1, column 1: .*need a 'loss'"):
            made(text)
        return
    check(text, *said)


def test_a_later_update_that_fails_is_named():
    text = "given: {w: 2}\nquantities:\n  a: 2‸/(w - 1)\n  L: w + 0*a\nloss: L\n"
    text += "update: {optimizer: {kind: sgd, learning_rate: 1.0}, parameters: [w], steps: 3}\n"
    check(text, "division by zero: 'w_1 - 1' is 0")


def test_updates_that_diverge_are_refused():
    text = "given: {w: 1}\nquantities:\n  L: w‸^4\nloss: L\n"
    text += "update: {optimizer: {kind: sgd, learning_rate: 10.0}, parameters: [w], steps: 9}\n"
    check(text, "no finite value", "'w_5'")


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "newton"])
def test_later_updates_are_judged_by_their_own_numbers(optimizer):
    # A gradient of +1 instead of -19 would lead w below zero, where there is no logarithm.
    text = "given: {w: 0.05}\nquantities:\n  L: w - log(w)\nloss: L\nupdate:\n"
    text += f"  optimizer: {{kind: {optimizer}, learning_rate: 0.06}}\n"
    text = text.replace("0.06", "0.001") if optimizer == "sgd" else text
    graph = made(text + "  parameters: [w]\n  steps: 3\n")
    if optimizer == "sgd":
        w = 0.05
        for _ in range(3):
            w = w - 0.001 * (1 - 1 / w)
        assert graph.values["w_new"] == pytest.approx(w)


TABLES = {
    "a short row": ("[[1, 2], ‸[3]]", "row 2 has 1 numbers for 2 columns"),
    "a long row": ("[‸[1, 2, 3], [3, 4]]", "row 1 has 3 numbers for 2 columns"),
    "text": ("[[1, 2], [3, ‸four]]", "expected a number", "'four'"),
    "no number": ("[[1, 2], [3, ‸.nan]]", "expected a finite number"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_faulty_tables(name):
    rows, *said = TABLES[name]
    check(f"table:\n  columns: [x, y]\n  rows: {rows}\nquantities:\n  L: mse(x, y)\n", *said)


GIVEN = {
    "text": ("w: ‸abc", "expected a number or a list of numbers, found 'abc'"),
    "nothing": ("‸w:", "expected a number"),
    "truth": ("w: ‸true", "found True"),
    "empty": ("w: ‸[]", "found []"),
    "ragged": ("w: ‸[[1, 2], [3]]", "rows of different lengths"),
    "too deep": ("w: ‸[[[1]]]", "at most rows of numbers"),
    "infinite": ("w: ‸.inf", "expected a finite number"),
    "no number": ("w: ‸[1, .nan]", "expected a finite number"),
}  # fmt: skip


@pytest.mark.parametrize("name", GIVEN)
def test_faulty_given_values(name):
    value, *said = GIVEN[name]
    if name == "nothing":
        value, said = "w: ‸null", ["found None"]
    check(f"given:\n  u: 1\n  {value}\nquantities:\n  a: u\n", *said)


FIELDS = {
    "misspelt": ("given: {w: 1}\n‸quantites:\n  a: w\n", "did you mean 'quantities'?"),
    "deeper": (UPDATE + ", ‸epoch: 2}\n", "unknown field; did you mean 'epochs'?"),
    "of a slip": (LOSS + "slips:\n  - ‸{quantity: L, formula: h, say: no}\n", "slips.0.says: this",
                  "column 31: slips.0.say: unknown field; did you mean 'says'?"),
    "a list of formulas": ("quantities: ‸[a, b]\n", "expected fields with values"),
    "a formula that is none": ("quantities:\n  a: ‸[1, 2]\n", "expected text"),
    "not YAML": ("given: {w: 1\nquantities‸:\n  a: 2\n", "not valid YAML"),
    "a list as a key": ("quantities:\n  ? ‸[a, b]\n  : 2\n", "not valid YAML"),
    "a number as a key": ("given: {‸1: 1}\nquantities:\n  a: 2\n", "write it in quotes"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_unknown_fields_and_wrong_kinds(name):
    check(*FIELDS[name])


CONVENTIONS = {
    "path": ("{‸quantites.L: h}", "unknown field 'quantites'; did you mean 'quantities'?"),
    "deeper path": ("{‸update.optimizr.momentum: 0.9}", "did you mean 'optimizer'?"),
    "into a number": ("{‸update.optimizer.learning_rate.x: 1}", "has no fields to set"),
    "formula": ("{quantities.L: h^2 + ‸H}", "'L': unknown name 'H'"),
    "new formula": ("{quantities.M: 1 + ‸H}", "'M': unknown name 'H'"),
    "field of the optimizer": ("{‸update.optimizer.momentun: 0.9}", "did you mean 'momentum'?"),
    "value": ("{update.optimizer.momentum: ‸2}", "less than 1"),
    "inside a mapping": ("{update.optimizer: {kind: sgd, learning_rate: ‸-1}}", "greater than"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_faulty_convention_is_found_where_it_stands(name):
    change, *said = CONVENTIONS[name]
    check(f"{UPDATE}}}\nconventions:\n  - {{name: c, says: c, set: {change}}}\n", *said)


SLIPS = {
    "of nothing": ("{quantity: ‸M, formula: h, says: s}", "unknown name 'M'"),
    "formula": ("{quantity: L, formula: 2*‸H, says: s}", "'L': unknown name 'H'"),
    "not arithmetic": ("{quantity: L, formula: h ‸! 2, says: s}", "no part of a formula"),
    "shape": ('{quantity: L, formula: "‸[h, w]", says: s}', "this is a vector of 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_a_faulty_slip(name):
    slip, *said = SLIPS[name]
    check(f"{LOSS}slips:\n  - {slip}\n", *said)


def test_too_much():
    names = "".join(f"  a{i}: w\n" for i in range(200))
    with pytest.raises(SpecError, match=r"mine\.yaml, line 1, column 1: 201 names; .* at most 200"):
        made(f"given: {{w: 1}}\nquantities:\n{names}")
    many = [1] * 70
    check(
        f"given: {{w: {many}}}\nquantities:\n  ‸a: outer(w, w)\n", "more than 4,000 numbers", "'a'"
    )
    check(f"given:\n  ‸w: {[1] * 4001}\nquantities:\n  a: sum(w)\n", "more than 4,000 numbers")
    rows = [[1]] * 100
    text = f"table:\n  columns: [x]\n  rows: {rows}\n{UPDATE.replace('2*w', 'mse(w*x, x)')}"
    check(text.replace("update:", "‸update:") + ", batch: 1, epochs: 100}\n", "fewer updates")


def test_long_and_deep_formulas():
    for formula, said in (
        ("(" * 40 + "‸(" + "1" + ")" * 41, "nested more than 40 levels deep"),
        ("w + " * 100 + "w ‸+ w", "more than 100 operations in a row"),
        ("w*1.0 + " * 125 + "‸w", "1,001 characters; at most 1,000"),
    ):
        check(f"given: {{w: 1}}\nquantities:\n  a: {formula}\n", said)


def test_persian_and_arabic_digits_are_digits():
    graph = made("given: {w: 2}\nquantities:\n  a: ۳*w + ٤\n")
    assert graph.values["a"] == 10
    check("given: {w: 2}\nquantities:\n  a: ۳*w + ٤*‸u\n", "unknown name 'u'")


@given(st.text(max_size=40))
def test_no_text_is_a_traceback(formula):
    try:
        graph = made("given: {w: 2}\nquantities:\n  a: " + repr(formula) + "\n")
    except SpecError as error:
        assert str(error).startswith("mine.yaml")
    else:
        assert np.all(np.isfinite(graph.values["a"]))


@given(st.binary(max_size=60))
def test_no_file_is_a_traceback(raw):
    try:
        build(parse_exercise(raw, "mine.yaml"))
    except SpecError as error:
        assert str(error).startswith("mine.yaml")


def test_a_step_whose_gradients_have_formulas_knows_its_numbers_without_jax():
    graph = made(UPDATE + ", steps: 3}\nafter: {all: w + w_1 + w_new}\n")
    for name, value in Numbers(graph).values.items():
        np.testing.assert_allclose(graph.values[name], value, rtol=1e-12)
