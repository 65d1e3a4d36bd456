"""Checking somebody's working: verdicts, the first wrong number, guesses, conventions, classes."""

from __future__ import annotations

import functools
import re

import pytest

from descentlab.core.errors import SpecError
from descentlab.explain.checking.check import Checker
from descentlab.explain.checking.solution import Solution, parse_solutions
from descentlab.explain.checking.summary import as_csv, first_wrong, to_json
from descentlab.explain.checking.verdict import sentences
from descentlab.explain.checking.written import read_number
from descentlab.explain.exercise import library, parse_exercise
from descentlab.explain.language import Language
from tests.explain.students import right_workings, workings

PUBLISHED = """
H3: 0.755
y3: 0.680
H4: 0.86
y4: 0.702
O5: 0.835
y5: 0.697
E: 0.019
d_w35: 0.028
d_w45: 0.029
d_w13: 0.0009
d_w23: 0.0024
d_w14: 0.0027
d_w24: 0.0069
w13_new: 0.0991
w14_new: 0.3973
w23_new: 0.7976
w24_new: 0.5931
w35_new: 0.272
w45_new: 0.871
"""


@functools.cache
def checker(name: str, code: str = "en") -> Checker:
    return Checker.of(name, Language(code))  # type: ignore[arg-type]


def checked(name, text, source="solution.yaml"):
    return checker(name).check(parse_solutions(text, source)[0])


def statuses(found):
    return {item.name: item.status for item in found.items}


def test_a_published_solution_has_one_wrong_number_and_the_rest_is_carried():
    found = checked("backprop-2-2-1", PUBLISHED)
    assert found.first_wrong is not None
    assert found.first_wrong.name == "H4"
    assert found.first_wrong.expected == pytest.approx(0.68)
    assert "w24*x2 taken as 0.72" in str(found.first_wrong.guess)
    verdicts = statuses(found)
    assert [n for n, s in verdicts.items() if s == "wrong"] == ["H4"]
    assert [n for n, s in verdicts.items() if s == "ok"] == ["H3", "y3"]
    assert all(s == "carried" for n, s in verdicts.items() if n not in ("H3", "y3", "H4"))
    assert found.score == pytest.approx(18 / 19)  # carried numbers are not punished again


def test_a_slip_of_copying_alone_leaves_what_was_worked_from_the_right_number_right():
    text = "\n".join([
        "H3: 0.755", "y3: 0.6803", "H4: 0.86", "y4: 0.6637", "O5: 0.8014", "y5: 0.6903",
    ])  # fmt: skip
    verdicts = statuses(checked("backprop-2-2-1", text))
    assert verdicts["H4"] == "wrong"
    assert {verdicts[n] for n in ("y4", "O5", "y5")} == {"ok"}
    assert verdicts["E"] == "missing"


def test_sentences_tell_a_misread_value_from_a_slip_and_unknown_names_from_right_ones():
    from descentlab.explain.checking.verdict import sentences

    misread = list(sentences(checked("backprop-2-2-1", "w24: 0.8\nH4: 0.86"), Language()))
    assert misread[0].endswith("0.8 is written, and the exercise gives 0.6.")
    partly = list(sentences(checked("backprop-2-2-1", "H3: 0.755\nq: 1"), Language()))
    assert partly[0] == "Every number that is this exercise's is right."


def test_two_slips_are_two_wrong_numbers_and_the_first_is_named():
    found = checked("backprop-2-2-1", "H3: 0.655\ny3: 0.658\nH4: 0.68\ny4: 0.564\n")
    assert [i.name for i in found.items if i.status == "wrong"] == ["H3", "y4"]
    assert found.first_wrong is not None
    assert found.first_wrong.name == "H3"
    assert statuses(found)["y3"] == "carried"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("0.6802", "ok"),  # truncated
        ("0.6803", "ok"),  # rounded
        ("0.68", "ok"),
        ("0.680267", "ok"),
        ("6.80e-1", "ok"),
        ("۰٫۶۸۰", "ok"),
        ("٠٫٦٨٠", "ok"),
        ("0.6805", "wrong"),
        ("0.6800", "wrong"),  # four digits are claimed, and two are right
        ("0.69", "ok"),  # one unit in the last place
        ("0.70", "wrong"),
    ],
)
def test_the_digits_written_set_the_tolerance(given, status):
    assert statuses(checked("backprop-2-2-1", f"y3: {given}"))["y3"] == status


def test_what_follows_exactly_from_exact_numbers_must_be_exact():
    assert statuses(checked("momentum-by-hand", "d_w1_1: -41"))["d_w1_1"] == "wrong"
    assert statuses(checked("momentum-by-hand", "d_w1_1: -40"))["d_w1_1"] == "ok"


def test_a_given_value_misread_is_wrong_and_what_follows_carried():
    found = checked("backprop-2-2-1", "w24: 0.8\nH4: 0.86\n")
    assert statuses(found)["w24"] == "wrong"
    assert statuses(found)["H4"] == "carried"


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("H4: -0.68", "H4", "the sign"),
        ("H4: 0.54", "H4", r"w14\*x1 was left out"),
        ("H4: 0.76", "H4", "value of H3"),
        ("y3: 0.755", "y3", r"H3 in place of sigmoid\(H3\)"),
        ("y3: 0.6637", "y3", "value of y4"),
        ("E: 0.0362", "E", "without the half"),
        ("H3: 0.755\ny5: 0.6903\nE: 0.0181\nd_w35: 0.0554", "d_w35", "twice"),
        ("H3: 0.575", "H3", "digits exchanged"),
        ("H3: 0.685", "H3", "sign -|w13\\*x1"),
        ("y5: 0.6903\nd_O5: 0.1314", "d_O5", r"left out|- y5"),
        ("y5: 0.6903\nd_O5: 0.0996", "d_O5", "another function's derivative"),
        ("w13_new: 0.10093", "w13_new", "sign \\+"),
        ("y3: 0.3197", "y3", "H3 with the sign -"),
        ("y5: 0.6903\nd_y4: 0.03552", "d_y4", "w45_new in place of w45"),
    ],
)
def test_a_known_slip_is_guessed(text, name, says):
    found = checked("backprop-2-2-1", text)
    item = next(i for i in found.items if i.name == name)
    assert item.status == "wrong"
    assert re.search(says, str(item.guess))


def test_the_slip_that_an_exercise_knows_is_named_in_its_words():
    exercise = checker("logistic-gradient").key.found.exercise
    slip = exercise.slips[0]
    from descentlab.core.formulas import evaluate, parse

    values = checker("logistic-gradient").key.numbers.values
    wrong = evaluate(parse(slip.formula), values)
    listed = [f"{x:.5f}" for x in wrong] if getattr(wrong, "shape", ()) else f"{wrong:.5f}"
    text = f"{slip.quantity}: {listed}".replace("'", "")
    found = checked("logistic-gradient", text)
    assert found.first_wrong is not None
    assert slip.says.en in str(found.first_wrong.guess)


@pytest.mark.parametrize(
    ("exercise", "text", "convention"),
    [
        ("momentum-by-hand", "w1_new: 1.7728\nw2_new: -.2944", "averaged-velocity"),
        ("backprop-2-2-1", "E: 0.0362\nd_w35: 0.0553\nw35_new: 0.2447", "squared-error"),
    ],
)
def test_another_convention_that_makes_all_of_it_right_is_recognised(exercise, text, convention):
    found = checked(exercise, text)
    assert found.first_wrong is not None
    assert found.convention is not None
    assert found.convention[0] == convention
    assert found.first_wrong.guess == found.convention[1]


def test_another_convention_with_a_slip_in_it_is_still_guessed():
    """Of the averaged velocity all but w2_new, whose digits are exchanged: -0.2944."""
    found = checked("momentum-by-hand", "w1_new: 1.7728\nw2_new: -0.2494\nw3_new: -1.1648")
    assert found.convention is None
    assert found.first_wrong is not None
    guesses = {i.name: str(i.guess) for i in found.items if i.status == "wrong"}
    assert "another convention: the velocity as an average" in guesses["w1_new"]
    assert "another convention: the velocity as an average" in guesses["w3_new"]
    assert "convention" not in guesses["w2_new"]


def test_twelve_digits_are_rounded_ones_too():
    """Rounding to so many is as small as the machine's; it is not exactness."""
    key = checker("backprop-2-2-1").key
    names = ["y4", "y5", "d_y4", "d_H4"]
    numbers = {n: read_number(f"{key.right[key.labels[n]]:.12g}") for n in names}
    found = checker("backprop-2-2-1").check(Solution("fine", numbers, "fine.yaml"))
    assert found.first_wrong is None


def test_rounding_where_a_function_turns_is_no_error():
    """With y = 0.503 and y5 = 0.5049 the error is 1.8e-6; from 0.50 alone it would be 4.5e-6."""
    text = """
exercise: near
title: t
text: t
given: {y: 0.503, z: 0.0196}
quantities: {a: 0.5 + z/4, E: "half_mse(a, y)"}
"""
    of = Checker(parse_exercise(text, "near.yaml"))
    right = of.check(parse_solutions("a: 0.50\nE: 0.0000018\n", "s.yaml")[0])
    assert right.first_wrong is None
    wrong = of.check(parse_solutions("a: 0.50\nE: 0.00018\n", "s.yaml")[0])
    assert wrong.first_wrong is not None


def test_guesses_that_nobody_would_believe_are_not_made():
    long = checked("backprop-2-2-1", "w45_new: 0.8730\nd_w14: 0.00293").first_wrong
    assert long is not None
    assert "taken as" not in str(long.guess)  # nobody has a table of such products
    zero = checked("dropout-train-and-test", "test: 0").first_wrong
    assert zero is not None
    assert "point" not in str(zero.guess)
    climbed = checked("adam-two-steps", "w_1: 0.9").first_wrong
    assert climbed is not None
    assert "factor 0" not in str(climbed.guess)


def test_numbers_with_too_few_digits_are_told():
    found = checked("backprop-2-2-1", "H3: 1\ny3: 0.6803\nE: 0\n")
    assert [i.name for i in found.items if i.is_coarse] == ["H3", "E"]
    said = list(sentences(found, Language()))
    assert "Right, but with too few digits to be told from a guess (2): H3, E." in said
    exact = checked("dropout-train-and-test", "train: 0\ntest: 2\n")
    assert not any(i.is_coarse for i in exact.items)


def test_names_that_are_not_there_are_unknown_and_the_nearest_is_named():
    found = checked("backprop-2-2-1", "H3: 0.755\nh4: 0.68\nw13new: 0.0991")
    assert statuses(found)["h4"] == "unknown"
    guesses = {i.name: i.guess for i in found.items if i.status == "unknown"}
    assert "H4" in str(guesses["h4"])
    assert "w13_new" in str(guesses["w13new"])


def test_elements_of_vectors_are_numbers_of_their_own():
    found = checked("momentum-by-hand", "y_1: [2, 5]\nd_w1_1: -40\ny_2: [1.8, 9.1]")
    assert statuses(found)["y_1[2]"] == "ok"
    assert statuses(found)["y_2[2]"] == "wrong"
    found = checked("momentum-by-hand", "y_1: 2\nd_w1_1: -40")
    assert "y_1[1]" in str(next(i for i in found.items if i.name == "y_1").guess)


def test_the_last_update_has_two_names():
    assert statuses(checked("momentum-by-hand", "w1_2: 8.08"))["w1_new"] == "ok"
    with pytest.raises(SpecError, match="another name of 'w1_new'"):
        checked("momentum-by-hand", "w1_2: 8.08\nw1_new: 8.08")


def test_a_solution_of_another_exercise_is_refused_and_its_own_named():
    with pytest.raises(SpecError, match="they fit backprop-2-2-1"):
        checked("momentum-by-hand", PUBLISHED)
    with pytest.raises(SpecError, match="a solution of 'adam-two-steps'"):
        checked("backprop-2-2-1", "exercise: adam-two-steps\nH3: 0.755")


def test_guesses_and_statuses_speak_persian():
    found = checker("backprop-2-2-1", "fa").check(parse_solutions(PUBLISHED, "s.yaml")[0])
    assert "جابه‌جا" in str(found.first_wrong and found.first_wrong.guess)


def test_a_class_is_checked_as_each_of_it_alone():
    known = checker("backprop-2-2-1")
    class_set = [s for _, _, s in workings(known.key, 40, 5)]
    together = known.check_all(class_set)
    for solution, found in zip(class_set, together, strict=True):
        assert known.check(solution).to_json() == found.to_json()


def test_one_of_a_class_that_cannot_be_read_costs_the_others_nothing():
    text = "solution,H3,y3\nann,0.755,0.680\nbob,abc,0.68\ncid,0.755,0.65\n"
    known = checker("backprop-2-2-1")
    found = known.check_all(parse_solutions(text, "class.csv"))
    assert [f.fault is None for f in found] == [True, False, True]
    assert "line 3, column 5" in str(found[1].fault)
    assert first_wrong(found) == [("y3", 1, found[2].first_wrong.guess)]  # type: ignore[union-attr]
    plain = to_json("backprop-2-2-1", found)
    assert plain["summary"]["unreadable"] == 1
    assert len(as_csv(found).splitlines()) == 4


@pytest.mark.parametrize("name", sorted(library()))
def test_each_exercise_no_false_alarms_slips_located_and_conventions_recognised(name):
    """The benchmark does the same with 500 solutions of each."""
    known = checker(name)
    for found in known.check_all(right_workings(known.key, 30, 11)):
        assert found.count("wrong") == 0
    planted = workings(known.key, 30, 12)
    answers = known.check_all([solution for _, _, solution in planted])
    labels = [found.first_wrong and found.first_wrong.name for found in answers]
    assert sum(a == b for a, (_, b, _) in zip(labels, planted, strict=True)) >= 29
    for convention, _, key in known.conventions:
        found = known.check(worked(key))
        assert found.convention is not None, convention


def worked(key):
    """Return all that is asked, worked by an answer key's convention."""
    slots = [(slot.label, key.right[i]) for i, slot in enumerate(key.graph.slots) if i in key.asked]
    numbers = {label: read_number(f"{value:.8g}") for label, value in slots}
    return Solution("worked", numbers, "worked.yaml")


def test_derivatives_with_numbers_of_ones_own_follow_ones_own_numbers():
    """y4 does not follow from H4 here, and d_w14 is made from that y4."""
    text = "y5: 0.7\nH4: 0.68\ny4: 0.9\nd_w14: 0.00119"
    verdicts = statuses(checked("backprop-2-2-1", text))
    assert verdicts["y4"] == "wrong"
    assert verdicts["d_w14"] == "carried"


def test_an_exercise_of_ones_own_is_checked_too():
    text = (
        "exercise: mine\ntitle: t\ntext: t\ngiven: {a: 2, b: 4}\nquantities: {c: a/b, d: c^2 + a}\n"
    )
    known = Checker(parse_exercise(text, "mine.yaml"))
    found = known.check(parse_solutions("c: 0.5\nd: 2.5", "s.yaml")[0])
    assert statuses(found) == {"c": "ok", "d": "wrong"}
