"""What a study file says: one run in full, what varies, the seeds, the question."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, field_validator, model_validator

from descentlab.core.spec import Spec
from descentlab.data.batches import CATALOGUE as BATCHES
from descentlab.data.specs import CATALOGUE as DATA
from descentlab.models.specs import CATALOGUE as MODELS
from descentlab.objectives.specs import CATALOGUE as OBJECTIVES
from descentlab.optimizers.schedule_specs import CATALOGUE as SCHEDULES
from descentlab.optimizers.specs import CATALOGUE as OPTIMIZERS
from descentlab.studies.claims.spec import CLAIMS
from descentlab.studies.search.brackets import Bracket
from descentlab.studies.search.spec import SEARCHES, Optuna

STUDY = "study.yaml"
"""The file in a results folder that holds the resolved study."""

Loss = Literal["cross_entropy", "nll", "binary_cross_entropy", "mse", "half_mse"]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=1 << 32)]


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return value


def _default(kind: str) -> Any:
    return Field(default=kind, validate_default=True)


class Record(Spec):
    """What is recorded and how often.

    A record is made at step 0, then ``every`` epoch or that many updates, and at the
    end. ``train: running`` is the mean over the batches since the last record, as
    training saw them (parameters moving, dropout on); ``evaluated`` is a pass over
    the training set. ``parts`` are evaluated at every record, all that the data has by
    default; a search need not look at the test set. ``predictions`` keeps the test
    outputs, ``checkpoint`` the state at the end, ``draws`` records the shares of the training
    examples that the epoch has drawn so far, and drawn just once.

    What an optimizer reports, such as the learning rate that a schedule made of its own, is
    read at every update and needs no record. ``gradient_norms`` reads the norms of the
    batch's gradients too, over all parameters and layer by layer, before any clipping.
    ``fast_weights`` evaluates, beside what the optimizer offers for evaluation (Lookahead's
    slow weights, an average), the weights that it moves.
    """

    every: Literal["epoch"] | Annotated[Count, BeforeValidator(_no_boolean)] = "epoch"
    train: Literal["running", "evaluated"] = "running"
    parts: tuple[Literal["validation", "test"], ...] | None = None
    predictions: bool = False
    checkpoint: bool = False
    draws: bool = False
    gradient_norms: bool = False
    fast_weights: bool = False

    @model_validator(mode="after")
    def _test_is_evaluated(self) -> Record:
        if self.predictions and self.parts is not None and "test" not in self.parts:
            raise ValueError("predictions are made for the test part: name it in 'parts'")
        return self


class RunSpec(Spec):
    """One training, described fully; every float in it is data of the compiled program."""

    objective: Annotated[Any, PlainValidator(OBJECTIVES.validate)] = _default("classification")
    data: Annotated[Any, PlainValidator(DATA.validate)]
    model: Annotated[Any, PlainValidator(MODELS.validate)]
    loss: Loss = "cross_entropy"
    optimizer: Annotated[Any, PlainValidator(OPTIMIZERS.validate)]
    schedule: Annotated[Any, PlainValidator(SCHEDULES.validate)] = _default("constant")
    batches: Annotated[Any, PlainValidator(BATCHES.validate)] = _default("shuffled")
    epochs: Annotated[Count, BeforeValidator(_no_boolean)] | None = None
    steps: Annotated[Count, BeforeValidator(_no_boolean)] | None = None
    precision: Literal["float32", "float64"] = "float32"
    record: Record = Record()
    evaluate_dropout: bool = False

    @model_validator(mode="after")
    def _one_length(self) -> RunSpec:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give either 'epochs' or 'steps', and not both")
        return self


class ReportSpec(Spec):
    """How the report lays the answers out: one table per ``by``, ``rows`` × ``columns``.

    The names are factors: varied paths or named groups. ``metric`` is the primary one.
    """

    metric: str | None = None
    by: tuple[str, ...] = ()
    rows: str | None = None
    columns: str | None = None


Grid = dict[str, list[Any] | dict[str, dict[str, Any]]]


class Study(Spec):
    """A question, a run, what varies, and the seeds.

    ``vary`` is one grid or a list of grids whose configurations are joined. A grid's
    key is a path in ``run`` with a list of values, or a name of one's own with
    alternatives by label, each of which sets several paths together.
    """

    name: str
    question: str = ""
    run: dict[str, Any]
    vary: tuple[Grid, ...] = ()
    search: Annotated[Any, PlainValidator(SEARCHES.validate)] | None = None
    seeds: tuple[Seed, ...] = (0,)
    claims: tuple[Annotated[Any, PlainValidator(CLAIMS.validate)], ...] = ()
    report: ReportSpec = ReportSpec()

    @model_validator(mode="after")
    def _one_source(self) -> Study:
        if self.search is None:
            return self
        if self.vary:
            raise ValueError("give either 'vary' or 'search', and not both")
        epochs = self.run.get("epochs")
        whole = isinstance(epochs, int) and not isinstance(epochs, bool) and epochs > 0
        if hasattr(self.search, "factor"):
            if not whole:
                raise ValueError("the rungs of a search are whole epochs: give 'run.epochs'")
            self._check_rungs(int(self.run["epochs"]))
        return self

    def _check_rungs(self, epochs: int) -> None:
        """Refuse what would leave a rung without figures."""
        minimum = getattr(self.search, "minimum", 1)
        if minimum > epochs:
            raise ValueError(f"search.minimum: {minimum} epochs, but 'run.epochs' is {epochs}")
        record = self.run.get("record")
        if isinstance(record, dict) and record.get("every", "epoch") != "epoch":
            raise ValueError(
                "a search with rungs reads figures after whole epochs: leave 'run.record.every' "
                "at 'epoch'"
            )
        bad = [
            path for path in self.search.space  # type: ignore[union-attr]
            if path in ("epochs", "steps") or path.split(".")[0] == "record"
        ]  # fmt: skip
        if bad:
            raise ValueError(
                f"search.space.{bad[0]}: the rungs of a search decide for how many epochs a "
                "setting is trained and recorded; leave it out of the space"
            )

    @property
    def rungs(self) -> list[Bracket]:
        """The brackets of a search that eliminates settings; none for other studies."""
        if self.search is None or not hasattr(self.search, "factor"):
            return []
        return self.search.brackets(int(self.run["epochs"]))

    @property
    def share(self) -> float:
        """How much of its epochs a setting is trained for, on average."""
        if not self.rungs:
            return 1.0
        settings = sum(bracket.counts[0] for bracket in self.rungs)
        return sum(bracket.epochs for bracket in self.rungs) / (settings * int(self.run["epochs"]))

    @property
    def searched_metric(self) -> str:
        """The metric that a search ranks by: its own, the report's, or validation accuracy."""
        own = self.search.metric if self.search is not None else None
        return own or self.report.metric or "validation_accuracy"

    @property
    def metrics(self) -> dict[str, str]:
        """The metrics that the study speaks of, by their place in the file."""
        places = {f"claims.{i}.metric": claim.metric for i, claim in enumerate(self.claims)}
        places["report.metric"] = self.report.metric
        if self.search is not None:
            ranked = isinstance(self.search, Optuna) or hasattr(self.search, "factor")
            places["search.metric"] = self.searched_metric if ranked else self.search.metric
        return {place: metric for place, metric in places.items() if metric is not None}

    @field_validator("name")
    @classmethod
    def _fit_for_a_folder(cls, name: str) -> str:
        if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
            raise ValueError(
                "expected at most 100 letters (a to z), digits, '.', '_' and '-', the first of "
                "them a letter or a digit, such as 'my-study'"
            )
        return name

    @field_validator("vary", mode="before")
    @classmethod
    def _one_grid(cls, value: Any) -> Any:
        grids = [value] if isinstance(value, dict) else value or []
        if not isinstance(grids, (list, tuple)) or not all(isinstance(g, dict) for g in grids):
            raise ValueError("expected a grid (paths with lists of values) or a list of grids")
        for grid in grids:
            for path, values in grid.items():
                _check_factor(path, values)
        return grids

    @field_validator("seeds", mode="before")
    @classmethod
    def _some_seeds(cls, value: Any) -> Any:
        value = _no_boolean(value)
        if isinstance(value, int):
            if not 1 <= value <= 100_000:
                raise ValueError("expected a number of seeds from 1 to 100000, or a list of seeds")
            return tuple(range(value))
        if not isinstance(value, (list, tuple)):
            raise ValueError("expected a number of seeds, or a list of seeds")
        if not value:
            raise ValueError("expected at least one seed")
        for index, seed in enumerate(value):
            _no_boolean(seed)
            if seed in value[:index]:
                raise ValueError(f"the seed {seed} is there twice")
        return value


def _check_factor(path: Any, values: Any) -> None:
    if not isinstance(path, str):
        raise ValueError(f"expected a path in 'run' or a name, found {path!r}")
    if isinstance(values, dict):
        if not values or not all(isinstance(a, dict) and a for a in values.values()):
            raise ValueError(
                f"the group '{path}': expected labels, each with the paths that it sets, such as "
                "'fast: {optimizer.learning_rate: 0.1}'"
            )
    elif not isinstance(values, list) or not values:
        raise ValueError(f"'{path}': expected a list of at least one value, found {values!r}")
