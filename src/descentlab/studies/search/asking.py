"""Settings asked of an Optuna sampler, batch by batch.

What was asked is kept in the study, so that its configurations stay a function of the
file. Every batch is asked of a new sampler, which is told all that is known; so a search
that was stopped asks for the same settings as one that was not.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from descentlab.core.catalogue import imported
from descentlab.core.errors import SpecError, unknown
from descentlab.studies.search.samples import drawn
from descentlab.studies.search.spaces import Categorical, Dimension, Float, Int, holds
from descentlab.studies.search.spec import Asked, Optuna
from descentlab.studies.spec import Study

SAMPLERS = {
    "tpe": "TPESampler",
    "gp": "GPSampler",
    "cmaes": "CmaEsSampler",
    "nsgaii": "NSGAIISampler",
    "random": "RandomSampler",
}
"""Optuna's samplers by the names of study files; all of these keep their state in trials."""


def begun(study: Study) -> Study:
    """Return a study that has something to train: a search by batches with its first batch."""
    if isinstance(study.search, Optuna) and not study.search.asked:
        return longer(study, ())
    return study


def longer(study: Study, values: Sequence[float]) -> Study:
    """Return a study with one more batch of settings; see :func:`ask`."""
    assert isinstance(study.search, Optuna)
    lower = study.searched_metric.endswith("_loss")
    asked = (*study.search.asked, *ask(study.search, values, lower_is_better=lower))
    return study.model_copy(update={"search": study.search.model_copy(update={"asked": asked})})


def ask(search: Optuna, values: Sequence[float], *, lower_is_better: bool) -> tuple[Asked, ...]:
    """Return the next batch of settings, none of them asked before.

    Args:
        search: what was asked so far, and of which sampler.
        values: the figure of each setting asked so far; NaN if it diverged, which ranks last.
        lower_is_better: whether the metric is a loss.

    Raises:
        SpecError: Optuna or the sampler is not there or does not take its options, or the
            space has fewer settings than trials.
    """
    optuna = _optuna()
    sampler = _sampler(optuna, search)
    direction = "minimize" if lower_is_better else "maximize"
    study = optuna.create_study(direction=direction, sampler=sampler)
    known = {_key(asked.values): value for asked, value in zip(search.asked, values, strict=True)}
    for asked, value in zip(search.asked, values, strict=True):
        study.add_trial(_told(optuna, search.space, asked, value))
    size = min(search.batch, search.trials - len(search.asked))
    found: list[Asked] = []
    fresh = drawn(search.space, [search.seed, len(search.asked)], search.trials)
    while len(found) < size:
        asked = _asked(optuna, study, search.space)
        if _key(asked.values) in known:  # a sampler may repeat itself
            asked = next((Asked(values=v) for v in fresh if _key(v) not in known), None)
        if asked is None:
            raise SpecError(
                f"search: {search.trials} different settings are needed, but the space seems to "
                f"have only {len(known)}; ask for fewer trials"
            )
        known[_key(asked.values)] = math.nan
        found.append(asked)
    return tuple(found)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise SpecError(
            "search: 'kind: optuna' needs the package optuna; install it with "
            "\"pip install 'descentlab[optuna]'\", or choose another kind of search"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _sampler(optuna: Any, search: Optuna) -> Any:
    name = search.sampler
    if ":" not in name and name not in SAMPLERS:
        text = unknown("sampler", name, SAMPLERS)
        raise SpecError(f"search.sampler: {text}; or give 'package.module:Class'")
    try:
        own = SAMPLERS.get(name)
        make = getattr(optuna.samplers, own) if own else imported(name, "sampler")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            found = make(**{"seed": search.seed + len(search.asked), **search.options})
        if not isinstance(found, optuna.samplers.BaseSampler):
            raise TypeError("it is no optuna.samplers.BaseSampler")
        return found
    except (TypeError, ValueError, ImportError) as error:
        raise SpecError(f"search.sampler: '{name}' cannot be made: {error}") from None


def _asked(optuna: Any, study: Any, space: Mapping[str, Dimension]) -> Asked:
    try:
        trial = study.ask()
        values: dict[str, Any] = {}
        for path, dimension in space.items():
            if all(holds(values, on, wanted) for on, wanted in dimension.when.items()):
                values[path] = _suggested(trial, path, dimension)
    except ImportError as error:
        raise SpecError(f"search.sampler: a package is missing ({error}); install it") from None
    return Asked(values=values, attributes=dict(study.trials[-1].system_attrs))


def _told(optuna: Any, space: Mapping[str, Dimension], asked: Asked, value: float) -> Any:
    """Return a finished trial; one that diverged is pruned, which samplers rank last."""
    state = optuna.trial.TrialState
    sound = math.isfinite(value)
    params = {
        path: choices.index(found) if (choices := getattr(space[path], "choices", None)) else found
        for path, found in asked.values.items()
    }
    return optuna.trial.create_trial(
        state=state.COMPLETE if sound else state.PRUNED,
        value=value if sound else None,
        params=params,
        distributions={path: _distribution(optuna, space[path]) for path in params},
        system_attrs=dict(asked.attributes),
    )


def _suggested(trial: Any, path: str, dimension: Dimension) -> Any:
    """Return a sampler's choice; a list's are known to it by their numbers."""
    if isinstance(dimension, Categorical):
        return dimension.choices[trial.suggest_categorical(path, range(dimension.size))]
    if isinstance(dimension, Float):
        return trial.suggest_float(path, dimension.low, dimension.high, log=dimension.log)
    assert isinstance(dimension, Int)
    low, high = dimension.edges()
    return trial.suggest_int(path, low, high, step=dimension.step, log=dimension.log)


def _distribution(optuna: Any, dimension: Dimension) -> Any:
    kinds = optuna.distributions
    if isinstance(dimension, Categorical):
        return kinds.CategoricalDistribution(range(dimension.size))
    if isinstance(dimension, Float):
        return kinds.FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    assert isinstance(dimension, Int)
    low, high = dimension.edges()
    return kinds.IntDistribution(low, high, log=dimension.log, step=dimension.step)


def _key(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True)
