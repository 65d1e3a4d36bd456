"""Shares of examples that an epoch of single draws sees, against their closed forms."""

from __future__ import annotations

import numpy as np

from descentlab.studies.load import load_study
from descentlab.studies.result import StudyResult
from descentlab.studies.run import run

EXAMPLES = (1, 2, 10, 1000)
SEEDS = 200
STANDARD_ERRORS = 4.0
"""Of eight figures one is further off by chance in less than one of a thousand draws of seeds."""


def _seen(n):
    """Mean and standard deviation of the share that n draws with replacement see."""
    unseen = (1 - 1 / n) ** n
    both = (1 - 2 / n) ** n if n > 1 else 0.0
    variance = unseen / n + (1 - 1 / n) * both - unseen**2
    return 1 - unseen, np.sqrt(max(variance, 0.0))


def _seen_once(n):
    """Mean and standard deviation of the share that they see just once."""
    once = (1 - 1 / n) ** (n - 1)
    both = (1 - 1 / n) * (1 - 2 / n) ** (n - 2) if n > 2 else (1 - 1 / n)
    variance = once / n + (1 - 1 / n) * both - once**2
    return once, np.sqrt(max(variance, 0.0))


def test_the_closed_forms_are_those_of_all_sequences_of_draws():
    for n in (1, 2, 3, 4, 5):
        draws = np.stack(np.meshgrid(*[np.arange(n)] * n), axis=-1).reshape(-1, n)
        counts = (draws[:, :, None] == np.arange(n)).sum(axis=1)
        for shares, closed in (
            ((counts > 0).mean(axis=1), _seen(n)),
            ((counts == 1).mean(axis=1), _seen_once(n)),
        ):
            np.testing.assert_allclose([shares.mean(), shares.std()], closed, atol=1e-7)


def test_an_epoch_of_single_draws_sees_the_shares_of_the_closed_forms(tmp_path):
    study = load_study("sampling-coverage", seeds=SEEDS)
    study = study.model_copy(update={"vary": ({"data.examples": list(EXAMPLES)},), "claims": ()})
    run(study, tmp_path / "r")
    result = StudyResult(tmp_path / "r")
    for configuration in result.configurations:
        n = configuration.run.data.examples
        for metric, (mean, deviation) in {
            "train_seen": _seen(n),
            "train_seen_once": _seen_once(n),
        }.items():
            curve = result.curves(metric, [configuration.id])
            shares = curve[curve["step"] == n]["value"]
            assert len(shares) == SEEDS
            error = STANDARD_ERRORS * deviation / np.sqrt(SEEDS)
            assert abs(shares.mean() - mean) <= error + 1e-6, (n, metric)
