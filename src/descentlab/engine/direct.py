"""Training with values instead of names: any model, any Optax transformation, arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from descentlab.core.errors import SpecError
from descentlab.data.dataset import Dataset
from descentlab.engine import direct_input, direct_parts
from descentlab.engine.direct_fit import Probe, fitted
from descentlab.engine.training import Arrays, Cohort, Run, Training

if TYPE_CHECKING:
    import pandas as pd

    from descentlab.engine.lanes import Stretch
    from descentlab.engine.strategy import Strategy

Pair = tuple[Any, Any]


@dataclasses.dataclass(frozen=True)
class Trained:
    """What :func:`train` returns: records and trained models of every configuration and seed.

    Attributes:
        configurations: the varied settings, by configuration number.
        seeds: the seeds.
        models: the trained models by (configuration, seed).
    """

    configurations: list[dict[str, float]]
    seeds: list[int]
    models: dict[tuple[int, int], Any]
    _records: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row a run: settings, seed, ``diverged``, each metric at the last record."""
        return self._records.groupby(["configuration", "seed"]).tail(1).reset_index(drop=True)

    def curves(self, metric: str) -> pd.DataFrame:
        """Return ``configuration, seed, step, epoch, value`` of a recorded metric."""
        self._check(metric)
        table = self._records[["configuration", "seed", "step", "epoch", metric]]
        return table.rename(columns={metric: "value"}).dropna(ignore_index=True)

    def best(self, metric: str) -> dict[str, float]:
        """Return the settings with the best mean over seeds; diverged runs rank last."""
        self._check(metric)
        frame = self.frame()
        sign = 1 if metric.endswith("_loss") else -1
        ranking = [
            (int(rows["diverged"].sum()), sign * float(rows[metric].mean()), number)
            for number, rows in frame.groupby("configuration")
        ]
        return self.configurations[min(ranking)[2]]

    def _check(self, metric: str) -> None:
        columns = list(self._records.columns)
        known = columns[columns.index("epoch") + 1 :]
        if metric not in known:
            raise SpecError(f"unknown metric '{metric}' (recorded: {', '.join(known)})")


def train(
    model: Any,
    data: Pair,
    *,
    optimizer: Any,
    loss: str | Callable[[Any, Any], Any] = "cross_entropy",
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int | None = 64,
    settings: Mapping[str, Sequence[float]] | None = None,
    seeds: int | Sequence[int] = 1,
    validation: Pair | None = None,
    test: Pair | None = None,
    objective: Literal["classification", "regression"] = "classification",
    every: Literal["epoch"] | int = "epoch",
    train_record: Literal["running", "evaluated"] = "running",
    precision: Literal["float32", "float64"] = "float32",
    strategy: Strategy | str | None = None,
    reproducible: bool = False,
) -> Trained:
    """Train a model with every combination of settings and every seed, side by side.

    Args:
        model: makes an Equinox module, ``model(key=key)`` (and, where its signature
            names them, with settings as keywords); or a module, from whose weights
            every run then starts. The module takes one example, as Equinox's own do, and
            gives one output a class, one logit (``binary_cross_entropy``), or one output
            a target (regression).
        data: training inputs ``[n, …]`` and targets ``[n]`` (class numbers) or
            ``[n, outputs]`` (regression).
        optimizer: an ``optax.GradientTransformation``, or a function that makes one
            of the settings that its signature names; the settings are traced arrays.
        loss: a loss of study files by name, or a function of outputs ``[batch, …]``
            and targets that returns one loss an example.
        epochs: number of epochs; give this or ``steps``.
        steps: number of updates.
        batch_size: examples of a batch, reshuffled every epoch, the last partial one
            kept; None for all examples.
        settings: values to vary, by name; all combinations are trained. Each name must
            be in the signature of the model's or the optimizer's function; values are
            floats there, so what decides a shape or a branch cannot be varied here.
        seeds: a number of seeds or the seeds; they decide initial weights, order and dropout.
        validation: inputs and targets evaluated at every record.
        test: inputs and targets evaluated at every record.
        objective: what targets are; classification records accuracy as well.
        every: a record each epoch, or each so many updates.
        train_record: training metrics as a running mean over batches, or evaluated anew.
        precision: float32 or float64.
        strategy: a layout instead of the chosen one, or its text, such as ``vmap:64x2``.
        reproducible: see :func:`descentlab.engine.strategy.choose`.

    Returns:
        Records and models of all runs. A run that diverged is marked, not raised.

    Raises:
        SpecError: the arguments do not fit together.
        DataError: the arrays do not.

    Example:
        >>> import equinox as eqx, numpy as np, optax, descentlab
        >>> x = np.random.default_rng(0).normal(size=(64, 2)); y = (x[:, 0] > 0).astype(int)
        >>> result = descentlab.train(
        ...     lambda key: eqx.nn.Linear(2, 2, key=key), (x, y),
        ...     optimizer=optax.sgd, settings={"learning_rate": [0.1, 1.0]}, epochs=5, seeds=3)
        >>> len(result.frame())
        6
    """
    direct_input.words(objective, train_record, precision)
    laid_out = direct_input.layout(strategy)
    parts = direct_input.examples_of(data, validation, test, objective)
    pace = direct_input.pace(epochs, steps, batch_size, every, len(parts["training"]))
    runs = direct_input.combinations(settings), direct_input.seeds_of(seeds)
    build, make = direct_parts.makers(model, optimizer, list(runs[0][0]))
    floats = {name: np.asarray(value, precision) for name, value in runs[0][0].items()}
    probe = Probe(build, floats, precision, pace.batch)
    dataset, goal = fitted(parts, objective, loss, probe)
    direct_parts.check_optimizer(make, build, floats, precision)
    training = Training(
        build=build,
        batched=False,
        objective=goal,
        optimizer=make,
        batches=pace.batches,
        steps=pace.steps,
        every=pace.every,
        train_record=train_record,
        precision=precision,
    )
    return _trained(training, dataset, *runs, laid_out, reproducible)


def _trained(
    training: Training,
    dataset: Dataset,
    combinations: list[dict[str, float]],
    seeds: list[int],
    strategy: Strategy | None,
    reproducible: bool,
) -> Trained:
    """Train one cohort, all combinations with all seeds, and collect what it leaves."""
    from descentlab.engine.lanes import train as train_jobs

    runs = tuple(
        Run(f"{number}-s{seed}", seed, floats)
        for seed in seeds
        for number, floats in enumerate(combinations)
    )
    arrays = Arrays.of(dataset, training.objective, training.precision)
    cohort = Cohort("train", training, arrays, runs)
    jobs, lanes = _jobs(cohort, strategy, reproducible)
    last: list[Stretch] = []
    records: list[Any] = []
    for stretch in train_jobs(jobs, lanes):
        records.append(_records(stretch, combinations))
        if stretch.finished:
            last.append(stretch)
    return Trained(combinations, seeds, _models(cohort, last), _joined(records))


def _jobs(cohort: Cohort, strategy: Strategy | None, reproducible: bool) -> tuple[list[Any], int]:
    from descentlab.engine.cost import estimate
    from descentlab.engine.lanes import Job
    from descentlab.engine.program import Program
    from descentlab.engine.strategy import Platform, choose

    layout = strategy or choose(
        estimate(cohort).run_bytes, len(cohort.runs), 1, Platform.current(), reproducible
    )
    program = Program(cohort, layout)
    width = layout.width
    chunks = [cohort.runs[i : i + width] for i in range(0, len(cohort.runs), width)]
    return [Job(program, chunk) for chunk in chunks], min(layout.lanes, len(chunks))


def _records(stretch: Stretch, combinations: list[dict[str, float]]) -> pd.DataFrame:
    import pandas as pd

    cohort = stretch.job.program.cohort
    frames = []
    for run, rows, diverged in zip(stretch.job.runs, stretch.rows, stretch.diverged, strict=True):
        number = int(run.id.split("-", 1)[0])
        bad = diverged >= 0
        frame = pd.DataFrame(rows, columns=list(cohort.metrics))
        frame.insert(0, "step", stretch.steps)
        if bad:  # figures from then on are no figures
            frame.loc[frame["step"] >= diverged, list(cohort.metrics)] = np.nan
        frame.insert(1, "epoch", frame["step"] / cohort.steps_per_epoch)
        head = {"configuration": number, **combinations[number], "seed": run.seed}
        for position, (name, value) in enumerate(head.items()):
            frame.insert(position, name, value)
        frame.insert(len(head), "diverged", bad)
        frames.append(frame)
    return pd.concat(frames)


def _joined(records: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(records).sort_values(["configuration", "seed", "step"], ignore_index=True)


def _models(cohort: Cohort, last: list[Stretch]) -> dict[tuple[int, int], Any]:
    import equinox as eqx
    import jax

    from descentlab.core.keys import named_key
    from descentlab.engine.parameters import is_setting, trainable

    models = {}
    for stretch in last:
        for index, run in enumerate(stretch.job.runs):
            with stretch.job.program.precision():
                floats = {
                    k: np.asarray(v, cohort.training.precision) for k, v in run.floats.items()
                }
                model = cohort.training.build(floats, named_key(run.seed, "init"))
                static = eqx.partition(model, trainable, is_leaf=is_setting)[1]
                own = jax.tree.map(lambda x, i=index: x[i], stretch.state.parameters)
            models[int(run.id.split("-", 1)[0]), run.seed] = eqx.combine(
                own, static, is_leaf=is_setting
            )
    return models
