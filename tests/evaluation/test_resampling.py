"""Draws of confusion matrices against draws of their cells one by one, and of the rows of data."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from descentlab.evaluation import counts, resampling
from descentlab.evaluation.counts import Cells, Margins, count_cells
from descentlab.evaluation.proportions import f1_interval
from descentlab.evaluation.resampling import Sums, bootstrap_interval, posterior_interval, quantiles

MATRIX = np.array([[40, 6, 2], [9, 12, 0], [1, 4, 5]])
FIGURES = {
    "balanced_accuracy": counts.balanced_accuracy,
    "macro_f1": lambda m: counts.macro(counts.f1(m)),
    "weighted_f1": lambda m: counts.weighted(counts.f1(m), m.support),
    "matthews": counts.matthews,
    "kappa": counts.kappa,
}


def margins_of(matrices) -> Margins:
    return Margins(np.einsum("dkk->dk", matrices), matrices.sum(axis=2), matrices.sum(axis=1))


def posterior_matrices(matrix, draws, seed):
    """Draw whole matrices from the Dirichlet posterior that the documentation states."""
    classes = len(matrix)
    prior = np.full((classes, classes), 0.25 / (classes - 1))
    np.fill_diagonal(prior, 0.25)
    random = np.random.default_rng(seed)
    return random.dirichlet((matrix + prior).ravel(), draws).reshape(draws, classes, classes)


def close(found, expected, atol):
    for name, ends in expected.items():
        np.testing.assert_allclose(found[name], ends, atol=atol, err_msg=name)


def test_the_posterior_is_the_dirichlet_one_that_is_documented() -> None:
    drawn = margins_of(posterior_matrices(MATRIX, 200_000, seed=1))
    expected = {name: quantiles(figure(drawn), 0.9) for name, figure in FIGURES.items()}
    found = posterior_interval(Cells.of(MATRIX), FIGURES, level=0.9, draws=100_000)
    close(found, expected, atol=4e-3)


def test_f1_of_one_class_has_the_closed_forms_posterior() -> None:
    # Beside its diagonal a class has a prior of 1/4 in its row and 1/4 in its column.
    one = {str(k): partial(lambda k, m: counts.f1(m)[..., k], k) for k in range(3)}
    found = posterior_interval(Cells.of(MATRIX), one, draws=100_000)
    hits = np.diag(MATRIX)
    low, high = f1_interval(hits, MATRIX.sum(0) + MATRIX.sum(1) - 2 * hits)
    for k in range(3):
        np.testing.assert_allclose(found[str(k)], (low[k], high[k]), atol=6e-3)


def test_more_than_32_classes_are_drawn_as_well_in_their_short_form(monkeypatch) -> None:
    random = np.random.default_rng(2)
    labels = random.integers(0, 40, 4000)
    predictions = np.where(random.random(4000) < 0.7, labels, random.integers(0, 40, 4000))
    cells = count_cells(labels, predictions, 40)
    short = posterior_interval(cells, FIGURES, draws=10_000)
    monkeypatch.setattr(resampling, "FEW_CLASSES", 40)
    monkeypatch.setattr(resampling, "WORK", 10**9)
    dense = posterior_interval(cells, FIGURES, draws=10_000, seed=3)
    for name, (low, high) in dense.items():
        figure = float(FIGURES[name](cells.margins()))
        assert short[name][1] - short[name][0] == pytest.approx(high - low, rel=0.06), name
        # The dense draws are drawn towards the prior, the short form's mean is the figure.
        np.testing.assert_allclose(short[name], (low, high), atol=0.02, err_msg=name)
        assert sum(short[name]) / 2 == pytest.approx(figure, abs=4e-3), name


@pytest.mark.parametrize("classes", [2, 3, 32, 33, 300])
def test_a_posterior_interval_holds_the_figure_and_stays_in_its_range(classes: int) -> None:
    random = np.random.default_rng(classes)
    for right in (0.0, 0.5, 1.0):
        labels = np.tile(np.arange(classes), 3)
        wrong = (labels + random.integers(1, classes, len(labels))) % classes
        predictions = np.where(random.random(len(labels)) < right, labels, wrong)
        cells = count_cells(labels, predictions, classes)
        for name, (low, high) in posterior_interval(cells, FIGURES, draws=2000).items():
            figure = float(FIGURES[name](cells.margins()))
            assert low <= figure <= high, (name, right)
            least = -1 if name in ("matthews", "kappa") else 0
            assert least <= low < high <= 1, (name, right)


def test_the_bootstrap_over_cells_is_that_over_rows() -> None:
    random = np.random.default_rng(4)
    row, column = np.nonzero(MATRIX)
    labels, predictions = (np.repeat(x, MATRIX[row, column]) for x in (row, column))
    n = len(labels)
    drawn = np.zeros((6000, 3, 3))
    for replicate in drawn:
        chosen = random.integers(0, n, n)
        np.add.at(replicate, (labels[chosen], predictions[chosen]), 1)
    expected = {
        name: quantiles(figure(margins_of(drawn)), 0.95) for name, figure in FIGURES.items()
    }
    close(bootstrap_interval(Cells.of(MATRIX), FIGURES, draws=40_000), expected, atol=0.012)


def test_a_bootstrap_leaves_out_replicates_in_which_a_figure_is_undefined() -> None:
    cells = Cells.of(np.array([[1, 0], [0, 1]]))  # half of the replicates have one class only
    assert bootstrap_interval(cells, {"matthews": counts.matthews})["matthews"] == (1, 1)


@pytest.mark.parametrize("interval", [posterior_interval, bootstrap_interval])
def test_the_seed_decides_and_blocks_do_not_matter_much(interval, monkeypatch) -> None:
    cells = Cells.of(MATRIX)
    once = interval(cells, FIGURES, seed=5)
    assert interval(cells, FIGURES, seed=5) == once
    assert interval(cells, FIGURES, seed=6) != once
    monkeypatch.setattr(resampling, "BLOCK", 2000)
    close(interval(cells, FIGURES, seed=5), once, atol=1e-2)


def test_a_higher_level_has_a_wider_interval() -> None:
    cells = Cells.of(MATRIX)
    for interval in (posterior_interval, bootstrap_interval):
        narrow, wide = (interval(cells, FIGURES, level=level) for level in (0.8, 0.99))
        for name in FIGURES:
            assert wide[name][0] < narrow[name][0] < narrow[name][1] < wide[name][1]


def test_a_narrower_interval_comes_with_more_examples() -> None:
    few, many = (
        posterior_interval(Cells.of(times * MATRIX), FIGURES, draws=4000) for times in (1, 100)
    )
    for name in FIGURES:
        ratio = (few[name][1] - few[name][0]) / (many[name][1] - many[name][0])
        assert ratio == pytest.approx(10, rel=0.15), name


def test_sums_into_margins_are_those_of_whole_matrices() -> None:
    random = np.random.default_rng(7)
    row = np.sort(random.integers(0, 6, 40))  # several cells with the same classes
    column = random.integers(0, 5, 40)
    draws = random.random((9, 40))
    matrices = np.zeros((9, 6, 6))
    for cell in range(40):
        matrices[:, row[cell], column[cell]] += draws[:, cell]
    found, expected = Sums(row, column, 6).margins(draws), margins_of(matrices)
    for name in ("hits", "support", "predicted"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-12)


def test_quantiles_leave_nan_out() -> None:
    values = np.append(np.arange(101.0), [np.nan, np.nan])
    assert quantiles(values, 0.9) == pytest.approx((5, 95))
    assert np.isnan(quantiles(np.array([np.nan]), 0.9)).all()


@pytest.mark.parametrize("classes", [12, 30])
@pytest.mark.parametrize("guessing", [True, False])
def test_the_prior_does_not_shift_intervals_of_many_small_classes(classes, guessing) -> None:
    """Ten examples a class: guesses must not look better than chance, nor good answers worse."""
    random, right = np.random.default_rng(classes), 1 / classes if guessing else 0.9
    joint = np.full((classes, classes), (1 - right) / (classes - 1) / classes)
    np.fill_diagonal(joint, right / classes)
    figures = {"balanced": counts.balanced_accuracy, "kappa": counts.kappa}
    truth = {"balanced": right, "kappa": (right - 1 / classes) / (1 - 1 / classes)}
    covered = dict.fromkeys(figures, 0)
    for seed in range(100):
        matrix = random.multinomial(10 * classes, joint.ravel()).reshape(classes, classes)
        found = posterior_interval(Cells.of(matrix), figures, draws=300, seed=seed)
        for name, (low, high) in found.items():
            covered[name] += low - 1e-9 <= truth[name] <= high + 1e-9
    assert min(covered.values()) > 83


def test_figures_with_a_sign_are_not_cut_off_at_zero() -> None:
    random = np.random.default_rng(1)
    matrix = random.multinomial(400, np.full(1600, 1 / 1600)).reshape(40, 40)
    figure = float(counts.kappa(Cells.of(matrix).margins()))
    low, high = posterior_interval(Cells.of(matrix), {"kappa": counts.kappa})["kappa"]
    assert low < figure - 0.01 and high > figure + 0.01
