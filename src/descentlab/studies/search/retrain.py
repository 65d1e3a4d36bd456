"""The best setting of a search trained anew, from scratch, against a baseline: a study."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from descentlab.core.errors import SpecError
from descentlab.core.yaml import read_yaml
from descentlab.studies.configurations import at_path, relative, set_path
from descentlab.studies.spec import Study

if TYPE_CHECKING:
    from descentlab.studies.configurations import Configuration
    from descentlab.studies.result import StudyResult


def retrain_study(
    result: StudyResult, *, epochs: int | None = None, seeds: int = 5, first_seed: int = 1000,
    baseline: Iterable[str] = (),
) -> Study:  # fmt: skip
    """Return a study of a search's best setting, with seeds that the search has not seen.

    Args:
        result: a search that is over.
        epochs: how long to train; as long as the search by default.
        seeds: number of seeds.
        first_seed: the first of them; those of the search are left out.
        baseline: ``PATH=VALUE`` settings that differ from the best in the baseline; the
            study then claims that the best is better.

    Raises:
        SpecError: the search has no best setting yet, or the baseline is the same.
    """
    best = _best(result)
    run = best.run.resolved() | ({"epochs": epochs} if epochs is not None else {})
    values = dict(_setting(change, run) for change in baseline)
    fresh = (s for s in itertools.count(first_seed) if s not in result.study.seeds)
    metric = result.search.metric if result.search is not None else result.primary
    raw: dict[str, Any] = {
        "name": f"{result.study.name}-retrained"[:100],
        "question": f"Is the best setting that {result.study.name} found good with fresh seeds?",
        "run": run,
        "seeds": list(itertools.islice(fresh, seeds)),
        "report": {"metric": metric},
    }
    if values:
        same = {path: at_path(run, path) for path in values}
        if same == values:
            raise SpecError("--baseline: it is the best setting itself; nothing is to compare")
        raw["vary"] = {"setting": {"best found": same, "baseline": values}}
        sides = {"a": {"setting": "best found"}, "b": {"setting": "baseline"}}
        raw["claims"] = [
            {
                "name": "the best found beats the baseline",
                "kind": "better",
                "metric": metric,
                **sides,
            }
        ]
    return Study.parse(raw)


def _best(result: StudyResult) -> Configuration:
    if result.search is None:
        return result.best()
    finished = [t for t in result.search.trials if t.status == "finished" and t.value == t.value]
    if not result.search.over or not finished:
        raise SpecError(
            f"{result.folder}: the search has found no best setting yet; run it to its end first"
        )
    return finished[0].configuration


def _setting(change: str, run: dict[str, Any]) -> tuple[str, Any]:
    path, equals, text = change.partition("=")
    path = relative(path.strip())
    if not equals or not path:
        raise SpecError(f"--baseline: expected PATH=VALUE, found '{change}'")
    value = read_yaml(text, f"--baseline {path}")
    try:
        at_path(run, path)
        set_path(copy.deepcopy(run), path, value)
    except (KeyError, IndexError, ValueError, TypeError):
        raise SpecError(
            f"--baseline {path}: there is no such place in the study; "
            "to change a kind, give it whole, such as 'optimizer={kind: sgd, momentum: 0.9}'"
        ) from None
    return path, value
