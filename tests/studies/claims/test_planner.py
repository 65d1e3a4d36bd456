"""How many seeds a decision needs, and adding them without the errors of peeking."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from scipy import stats

from descentlab.core.errors import SpecError, StoreError
from descentlab.evaluation.sequential import look_levels
from descentlab.store.folder import Folder
from descentlab.store.provenance import read_provenance, write_provenance
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
    assert seeds_for(0.0, 0.0, 0.05, 0.8) is None
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
    assert (own.seeds, own.seconds, own.reason) == (None, None, "decided already")


@pytest.mark.parametrize("detect", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_to_be_found_is_a_finite_positive_number(made, detect: float) -> None:
    with pytest.raises(SpecError, match="--detect: expected a finite number above 0"):
        plan_seeds(made(losses, [BETTER]), detect=detect)


def test_claims_that_more_seeds_cannot_decide_have_no_number(made) -> None:
    def outcome(labels, seed, random):
        if labels["optimizer"] != "rmsprop":
            same = 0.5 + (0.1 * seed if labels["model.activation"] == "relu" else 0)
            return {"test_loss": [2.0, same]}
        return None

    sides = {"a": {"optimizer": "adam"}, "b": {"optimizer": "sgd"}}
    claims = [
        {"name": "same", "kind": "better", **sides},
        {"name": "lost", "kind": "better", "among": {"optimizer": "rmsprop"},
         "a": {"model.activation": "relu"}, "b": {"model.activation": "tanh"}},
        {"name": "tie", "kind": "reaches", "target": 0.5,
         "which": {"optimizer": "adam", "model.activation": "tanh"}},
    ]  # fmt: skip
    found = plan_seeds(made(outcome, claims))
    assert [each.seeds for each in found] == [None] * 3
    assert found[0].reason.startswith("identical")
    assert "diverged" in found[1].reason and "on the bound" in found[2].reason
    assert json.dumps([each.to_json() for each in found], allow_nan=False)


def test_all_comparisons_of_a_claim_are_planned_for_together(made) -> None:
    """Five rivals just as far away: the number found decides all five with the power asked for."""
    claim = {"kind": "best", "of": {"optimizer": "adam", "model.activation": "tanh"}}
    result = made(losses, [claim])
    needed = plan_seeds(result, detect=0.006)[0]
    spreads = [e.advantage.values.std(ddof=1) for e in needed.verdict.evidence]
    assert needed.spread == pytest.approx(max(spreads)) and needed.seeds is not None
    alone = seeds_for(max(spreads), 0.006, 0.05 / 5, 0.8)
    assert alone is not None and needed.seeds > alone
    random = np.random.default_rng(0)
    values = random.normal(0.006, np.array(spreads)[:, None, None], (5, 4000, needed.seeds))
    found = stats.ttest_1samp(values, 0, axis=2)
    decided = ((found.pvalue < 0.05 / 5) & (found.statistic > 0)).all(axis=0)
    assert decided.mean() > 0.79


def test_the_time_is_that_of_all_seeds_in_a_new_folder(made) -> None:
    result = made(losses, [BETTER])
    provenance = result.provenance
    provenance["sessions"] = [{"seconds": 36.0}]
    write_provenance(result.folder, provenance)
    needed = plan_seeds(StudyResult(result.folder), detect=0.01)[0]
    assert needed.seeds and needed.seconds == pytest.approx(needed.seeds * 6)


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


def test_the_plan_is_there_before_anything_is_trained_and_is_gone_on_with(tmp_path) -> None:
    folder = Folder(tmp_path / "r")
    assert len(next(looks(study(), folder, 9)).seeds) == 3  # and then a kill
    assert read_provenance(folder)["sequential"] == {"looks": [3, 4, 6, 9], "most": 9}
    assert StudyResult(folder).frame().empty
    again = next(looks(study(), folder, 9))
    result = run(again, folder, more_seeds=True)
    assert read_provenance(folder)["sequential"]["most"] == 9 and len(result.frame()) == 18
    assert len(next(looks(study(), folder, 9)).seeds) == 3


def test_a_study_that_cannot_be_run_leaves_no_plan(tmp_path) -> None:
    claim = {**BETTER, "metric": "validation_loss"}
    with pytest.raises(SpecError, match="unknown metric"):
        next(looks(study(claims=[claim]), Folder(tmp_path / "r"), 9))
    assert not (tmp_path / "r").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="holds other files"):
        next(looks(study(), Folder(tmp_path / "other"), 9))
    assert [item.name for item in (tmp_path / "other").iterdir()] == ["thesis.txt"]


def sequential(made, seeds: int, missing: int = 0, **changes) -> StudyResult:
    """Return a folder with a plan of looks at 3, 4, 6 and 9 and so many seeds of results."""

    def outcome(labels, seed, random):
        return None if seed >= seeds else losses(labels, seed, random)

    result = made(outcome, [BETTER], seeds=seeds, **changes)
    plan = {"looks": [3, 4, 6, 9], "most": 9}
    write_provenance(result.folder, {**result.provenance, "sequential": plan})
    for path in sorted((result.folder.local / "segments").iterdir())[:missing]:
        path.unlink()
    return StudyResult(result.folder)


@pytest.mark.parametrize(
    ("seeds", "missing", "seen"),
    [(3, 0, 3), (4, 0, 4), (5, 0, 4), (6, 0, 6), (8, 0, 6), (9, 0, 9), (2, 0, 0)],
)
def test_between_looks_the_last_one_counts(made, seeds: int, missing: int, seen: int) -> None:
    verdict = sequential(made, seeds).claims()[0]
    assert verdict.seeds == seen
    been = [look for look in (3, 4, 6, 9) if look <= seeds]
    if been:
        assert verdict.level == pytest.approx(1 - look_levels(been, 9)[-1])
    else:
        assert verdict.verdict == "undecided" and "first look, at 3 seeds" in verdict.reason


def test_a_seed_that_is_not_finished_in_full_is_no_look(made) -> None:
    """One run of the first seed is missing, so no seed may be looked at."""
    verdict = sequential(made, 6, missing=1).claims()[0]
    assert (verdict.seeds, verdict.verdict) == (0, "undecided")


def test_looking_at_any_time_gives_few_false_verdicts() -> None:
    """Between looks at 3, 4, 6 and 9 seeds a folder is seen at every number of seeds."""
    values = np.random.default_rng(0).normal(size=(4000, 9))
    looks_at = [3, 4, 6, 9]
    levels = dict(zip(looks_at, look_levels(looks_at, 9), strict=True))
    wrong, peeked = np.zeros(4000, bool), np.zeros(4000, bool)
    for count in range(3, 10):
        look = max(n for n in levels if n <= count)
        for found, n in ((wrong, look), (peeked, count)):
            tested = stats.ttest_1samp(values[:, :n], 0, axis=1)
            found |= tested.pvalue <= levels[look]
    assert wrong.mean() < 0.063 and peeked.mean() > wrong.mean()


def test_a_plan_in_a_folder_with_looks_has_their_levels(made) -> None:
    needed = plan_seeds(sequential(made, 6), detect=0.02)[0]
    levels = look_levels([3, 4, 6, 9], 9)
    spread = needed.spread
    enough = [
        n for n, level in zip((3, 4, 6, 9), levels, strict=True)
        if (seeds_for(spread, 0.02, level, 0.8) or 99) <= n
    ]  # fmt: skip
    assert needed.seeds == (enough[0] if enough else None)
    hopeless = plan_seeds(sequential(made, 6), detect=1e-6)[0]
    assert hopeless.seeds is None and hopeless.reason == "more than the 9 seeds that are planned"


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
    with pytest.raises(SpecError, match="18 finished runs that may have been seen before a plan"):
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
