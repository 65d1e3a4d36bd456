"""One update of a real network, worked out: ``descentlab explain DIR --run ID --step N``."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from descentlab.engine.platform import enable_cache
from descentlab.explain.graph import Graph
from descentlab.explain.network.forward import forward
from descentlab.explain.network.numbers import SOLVERS, NetworkNumbers, Traced, trace
from descentlab.explain.network.retraining import Moment, Report, choose, retrained
from descentlab.objectives.specs import Landscape
from descentlab.store.folder import Folder
from descentlab.studies.result import StudyResult

NEXT_TO_NOTHING = "Where a gradient is a sum that cancels to next to nothing"


@dataclasses.dataclass(frozen=True)
class RunTrace:
    """The worked calculation of one update of a run.

    Attributes:
        graph: from the batch to the new parameters.
        numbers: its values.
        title: a line.
        text: what is calculated.
        digits: significant digits to round to.
        notes: sentences on how the trace and the run compare.
        run: the run's id.
        step: the update, counted from 1.
    """

    graph: Graph
    numbers: NetworkNumbers
    title: str
    text: str
    digits: int
    notes: list[str]
    run: str
    step: int


def explain_run(
    folder: Folder | str | os.PathLike[str],
    run: str | None = None,
    step: int | None = None,
    progress: Report | None = None,
) -> RunTrace:
    """Return one update of a run of a study, from the batch to the new parameters.

    The run is trained again up to that update, with its own data, order, dropout masks and
    precision. The numbers of the update are worked out in float64 and compared with what the
    engine made of it.

    Args:
        folder: a results folder.
        run: ``c03`` (with the study's first seed), ``c03:1`` (with seed 1) or the run's id,
            ``c03-s1``; the first run by default.
        step: the update, counted from 1; the first by default.
        progress: is told now and then which share of the training up to there is done.

    Raises:
        StoreError: there is no study in the folder, or its data was another.
        SpecError: there is no such run or update, or its model is not one of the lab's own.
        Disagreement: the trace is not what the engine does.
    """
    result = StudyResult(folder)
    enable_cache()
    number = 1 if step is None else step
    moment = retrained(choose(result, run), number, progress)
    traced = trace(moment, forward(moment))
    name = moment.chosen.id
    return RunTrace(
        graph=traced.numbers.graph,
        numbers=traced.numbers,
        title=f"{result.study.name}: update {number:,} of run {name}",
        text=_text(moment),
        digits=4,
        notes=_notes(moment, traced),
        run=name,
        step=number,
    )


def _text(moment: Moment) -> str:
    spec, cohort = moment.spec, moment.cohort
    steps, per_epoch = cohort.training.steps, cohort.steps_per_epoch
    labels = ", ".join(f"{k} = {v}" for k, v in moment.chosen.configuration.labels.items())
    start = f"Update {moment.step:,} of {steps:,} of run {moment.chosen.id}"
    start += f" ({labels})" if labels else ""
    rule = spec.optimizer.kind
    if isinstance(spec.objective, Landscape):
        return f"{start}: {rule} on {spec.objective.function}."
    epoch, batch = divmod(moment.step - 1, per_epoch)
    count = len(moment.inputs)
    examples = f"{count:,} example{'' if count == 1 else 's'}"
    widths = [layer.weight.shape[0] for layer in moment.before.parameters.layers]
    sizes = "-".join(map(str, [*widths, cohort.training.objective.outputs]))
    kind = getattr(spec.model, "activation", None) if len(widths) > 1 else None
    dropped = f", dropout {spec.model.dropout:g}" if moment.masks else ""
    through = f"a {sizes} network ({kind}{dropped})" if kind else f"a {sizes} linear model"
    return (
        f"{start}, batch {batch + 1:,} of {per_epoch:,} in epoch {epoch + 1:,}: {examples} through "
        f"{through}, {spec.loss}, {rule}."
    )


def _notes(moment: Moment, traced: Traced) -> list[str]:
    spec, step = moment.spec, moment.step
    notes = ["All numbers are worked out in float64, from the run's own state before the update."]
    if spec.precision == "float32" or traced.apart > 1e-6:
        notes.append(
            f"The run itself, in {spec.precision}, differs by at most {traced.apart:.1e} of the "
            "largest change of a parameter."
        )
    else:
        notes.append(
            "The run's own new parameters are the same within "
            f"{max(traced.apart, np.finfo(float).eps):.0e} of the largest change of a parameter."
        )
    if traced.apart > 0.01:
        solver = spec.optimizer.kind in SOLVERS
        where = "Where its equations are nearly singular" if solver else NEXT_TO_NOTHING
        notes.append(f"{where}, rounding decides the step.")
    if step > 1:
        notes.append(f"The run was trained again up to update {step - 1:,}.{_same(moment)}")
    if not traced.worked:
        notes.append(
            f"{spec.optimizer.kind}, set as it is, has no worked form here: the new parameters are "
            "the optimizer's own, from these gradients."
        )
    if (size := moment.cohort.training.batches.batch_size(moment.cohort.arrays.examples)) > (
        count := len(moment.inputs)
    ):
        notes.append(f"This is the epoch's last batch: {count:,} examples of {size:,}.")
    return notes


def _same(moment: Moment) -> str:
    """Say how the training and the folder's records compare."""
    if moment.apart is None:
        return " The folder has no record of it to compare with."
    if moment.apart == 0:
        return f" Its record at update {moment.record:,} is the folder's to the bit."
    return (
        f" Its record at update {moment.record:,} differs from the folder's by at most "
        f"{moment.apart:.1e}, relative."
    )
