from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from descentlab.report.answers import Answers, answers, lower_is_better


def finals(result, ident: str, metric: str) -> np.ndarray:
    """The last values of the runs that did not diverge, by another road than the report's."""
    seeds = [s for c, s in result.runs if c == ident and (c, s) not in result.diverged]
    return np.array([result.runs[ident, seed][metric][-1] for seed in sorted(seeds)])


def check_numbers(result, found: Answers) -> None:
    best = finals(result, found.rows[0].id, found.primary)
    for row in found.rows:
        for metric, interval in row.metrics.items():
            values = finals(result, row.id, metric)
            assert interval.n == len(values)
            if len(values) < 2:
                assert interval.low is None
                continue
            assert interval.mean == pytest.approx(values.mean(), rel=1e-12)
            half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
            assert interval.high - interval.mean == pytest.approx(half, abs=1e-12)
        own = finals(result, row.id, found.primary)
        if row.gap and len(own) == len(best) and np.ptp(own - best) > 1e-12:
            test = stats.ttest_rel(own, best).confidence_interval(0.95)
            assert (row.gap.low, row.gap.high) == pytest.approx(tuple(test))


@pytest.mark.parametrize("name", ["logistic_descent", "mnist_ten", "digits", "with_divergence"])
def test_the_figures_are_scipys(fakes: ModuleType, tmp_path: Path, name: str) -> None:
    result = getattr(fakes, name)(tmp_path)
    check_numbers(result, answers(result))


def test_rows_are_ranked_by_the_primary_metric(fakes: ModuleType, tmp_path: Path) -> None:
    loss = answers(fakes.logistic_descent(tmp_path))
    means = [row.metrics["train_loss"].mean for row in loss.rows]
    assert means == sorted(means)
    accuracy = answers(fakes.mnist_ten(tmp_path))
    means = [row.metrics["test_accuracy"].mean for row in accuracy.rows]
    assert means == sorted(means, reverse=True)
    assert accuracy.best is accuracy.rows[0]
    assert accuracy.best.name == "Sigmoid / CE / RMSProp"


def test_diverged_runs_are_counted_and_rank_last(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.with_divergence(tmp_path)
    found = answers(result)
    assert [(row.id, row.diverged, row.used) for row in found.rows[-2:]] == [
        ("c00", 2, 3),
        ("c04", 5, 0),
    ]
    assert found.diverged == 7
    assert found.complete
    partly = found.rows[-2].metrics["test_accuracy"]
    assert partly.n == 3
    assert partly.mean == pytest.approx(finals(result, "c00", "test_accuracy").mean())
    assert math.isnan(found.rows[-1].metrics["test_accuracy"].mean)


def test_one_seed_has_no_interval_and_no_verdict(fakes: ModuleType, tmp_path: Path) -> None:
    found = answers(fakes.mnist_ten(tmp_path, seeds=1))
    assert all(row.metrics["test_accuracy"].low is None for row in found.rows)
    assert all(row.gap is None or not row.gap.excludes(0) for row in found.rows)


def test_configurations_without_runs_come_last(fakes: ModuleType, tmp_path: Path) -> None:
    found = answers(fakes.incomplete(tmp_path))
    assert not found.complete
    assert (found.done, found.planned) == (33, 45)
    assert [row.id for row in found.rows[-2:]] == ["c07", "c08"]
    assert found.rows[-1].gap is None
    few = next(row for row in found.rows if row.id == "c06")
    assert few.used == 3
    assert few.gap.n == 3  # only shared seeds are compared


def test_nothing_at_all(fakes: ModuleType, tmp_path: Path) -> None:
    result = fakes.digits(tmp_path)
    result.runs = {}
    found = answers(result)
    assert found.best is None
    assert found.primary is None
    assert len(found.rows) == 9


def test_losses_are_better_when_lower() -> None:
    assert lower_is_better("test_loss")
    assert not lower_is_better("validation_accuracy")
