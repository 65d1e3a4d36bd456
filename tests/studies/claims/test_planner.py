"""How many seeds a decision needs, and adding them without the errors of peeking."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from scipy import stats

from descentlab.core.errors import SpecError, StoreError
from descentlab.evaluation.sequential import look_levels
from descentlab.store.folder import Folder
from descentlab.studies.claims.planner import plan_seeds, seeds_for
from descentlab.studies.claims.until import looks
from descentlab.studies.result import StudyResult
from descentlab.studies.run import run
from descentlab.studies.spec import Study
from tests.studies.claims.conftest import STUDY_FILE
from tests.studies.claims.test_verdicts import losses

BETTER = {"kind": "better", "a": {"optimizer": "adam"}, "b": {"optimizer": "rmsprop"}}


@pytest.mark.parametrize(("distance", "power"), [(0.5, 0.8), (1.0, 0.8), (1.0, 0.95)])
def test_the_number_of_seeds_has_the_power_asked_for(distance: float, power: float) -> None:
    n = seeds_for(1.0, distance, 0.05, power)
    assert n is not None
    random = np.random.default_rng(0)
    rates = []
    for count in (n - 1, n):
        values = random.normal(distance, 1, (20_000, count))
        test = stats.ttest_1samp(values, 0, axis=1)
        rates.append(((test.pvalue < 0.05) & (test.statistic > 0)).mean())
    assert rates[0] < power + 0.01 and rates[1] > power - 0.01


def test_no_spread_needs_two_and_no_distance_cannot_be_found() -> None:
    assert seeds_for(0.0, 1.0, 0.05, 0.8) == 2
    assert seeds_for(1.0, 0.0, 0.05, 0.8) is None
    assert seeds_for(1.0, 1e-9, 0.05, 0.8) is None


def test_a_plan_takes_the_spread_of_the_deciding_comparison(made) -> None:
    result = made(losses, [BETTER, {"kind": "reaches", "target": 9.0}])
    better, reaches = plan_seeds(result, detect=0.05)
    values = better.verdict.evidence[0].advantage.values
    assert better.spread == pytest.approx(values.std(ddof=1))
    assert better.seeds == seeds_for(better.spread, 0.05, 0.025, 0.8)
    assert better.distance == reaches.distance == 0.05
    own = plan_seeds(result)[1]
    assert own.distance == pytest.approx(own.verdict.evidence[0].advantage.mean)


def test_without_claims_or_with_one_seed_there_is_nothing_to_plan(made) -> None:
    with pytest.raises(StoreError, match="no claims"):
        plan_seeds(made(losses, []))


def test_one_seed_knows_no_spread(made) -> None:
    with pytest.raises(StoreError, match="has 1 seed so far; run the study with at least two"):
        plan_seeds(made(losses, [BETTER], seeds=1))


def study(**changes) -> Study:
    raw = copy.deepcopy(STUDY_FILE) | {"claims": [{**BETTER, "metric": "test_loss"}], "seeds": 2}
    return Study.parse(raw | changes)


def test_looks_add_seeds_to_one_folder_until_the_claim_is_decided(tmp_path) -> None:
    folder, seen = Folder(tmp_path / "r"), []
    hopeful = [{"kind": "reaches", "which": {"optimizer": "sgd"}, "target": -1.0}]
    for each in looks(study(claims=hopeful), folder, 9):
        seen.append(len(each.seeds))
        run(each, folder, more_seeds=True)
    result = StudyResult(folder)
    assert seen[0] == 3 and len(seen) < 5
    assert result.claims()[0].verdict == "supported"
    level = look_levels(seen, 9)[-1]
    assert result.claims()[0].level == pytest.approx(1 - level)
    assert result.study.seeds == tuple(range(seen[-1]))
    again = [len(each.seeds) for each in looks(study(claims=hopeful), folder, 9)]
    assert again == seen[-1:]  # nothing is trained again; the plan is the same


def test_a_plan_of_looks_cannot_be_changed_after_seeing_results(tmp_path) -> None:
    folder = Folder(tmp_path / "r")
    for each in looks(study(), folder, 6):
        run(each, folder, more_seeds=True)
    with pytest.raises(SpecError, match="was begun with 6"):
        next(looks(study(), folder, 20))


def test_looks_that_make_no_sense_are_refused(tmp_path) -> None:
    folder = Folder(tmp_path / "r")
    with pytest.raises(SpecError, match="no claims"):
        next(looks(study(claims=[]), folder, 9))
    with pytest.raises(SpecError, match="at least 3, found 2"):
        next(looks(study(), folder, 2))
    run(study(seeds=3), folder)
    with pytest.raises(SpecError, match="seen before a plan of looks was made"):
        next(looks(study(seeds=3), folder, 9))


def test_seeds_may_come_if_that_is_meant_and_none_may_go(tmp_path) -> None:
    run(study(), tmp_path / "r")
    before = {p: p.read_bytes() for p in (tmp_path / "r" / "segments").iterdir()}
    with pytest.raises(StoreError, match="another study"):
        run(study(seeds=3), tmp_path / "r")
    result = run(study(seeds=3), tmp_path / "r", more_seeds=True)
    assert len(result.frame()) == 6 * 3
    assert all(path.read_bytes() == content for path, content in before.items())
    with pytest.raises(StoreError, match="another study"):
        run(study(seeds=2), tmp_path / "r", more_seeds=True)
