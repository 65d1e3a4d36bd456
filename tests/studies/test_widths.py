"""Networks trained in the corner of wider ones: the same curves, fewer programs."""

from __future__ import annotations

import copy
import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from descentlab.engine.strategy import Platform
from descentlab.store.folder import Folder
from descentlab.studies import widths
from descentlab.studies.configurations import configurations
from descentlab.studies.datasets import Datasets
from descentlab.studies.plan import plan
from descentlab.studies.result import StudyResult
from descentlab.studies.run import Options, execute, prepare, run
from descentlab.studies.spec import Study

STUDY = {
    "name": "widths",
    "run": {
        "data": {"kind": "digits", "split": {"validation": 0.2, "test": 0.2}},
        "model": {"kind": "mlp", "hidden": [8]},
        "optimizer": {"kind": "adam", "learning_rate": 0.01},
        "epochs": 2,
    },
    "vary": {"model.hidden": [[8], [12], [20], [48]], "optimizer.learning_rate": [0.01, 0.003]},
    "seeds": 2,
}
CPU = Platform("cpu", 2, 1 << 33)


@pytest.fixture
def raw():
    return copy.deepcopy(STUDY)


def planned(raw, **options):
    study = Study.parse(raw)
    return plan(configurations(study), study.seeds, CPU, **options)


def records(result: StudyResult) -> pd.DataFrame:
    return pd.concat([result.curves(metric).assign(metric=metric) for metric in result.metrics])


@pytest.mark.parametrize(
    ("model", "optimizer"),
    [
        ({"activation": "relu"}, {"kind": "adam", "learning_rate": 0.01}),
        ({"activation": "tanh"}, {"kind": "rmsprop", "learning_rate": 0.01}),
        ({"activation": "gelu", "initial": "he"},
         {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
        ({"activation": "tanh"}, {"kind": "schedule_free_adamw", "learning_rate": 0.01}),
    ],
)  # fmt: skip
def test_the_curves_are_those_of_a_program_for_each_width(raw, tmp_path, model, optimizer) -> None:
    raw["run"]["model"] |= model
    raw["run"]["optimizer"] = optimizer
    assert len(planned(raw)) == 1 and len(planned(raw, reproducible=True)) == 4
    together = records(run(Study.parse(raw), tmp_path / "together"))
    alone = records(run(Study.parse(raw), tmp_path / "alone", reproducible=True))
    keys = ["configuration", "seed", "step", "metric"]
    assert together[keys].equals(alone[keys])
    np.testing.assert_allclose(together["value"], alone["value"], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    "optimizer",
    [
        {"kind": "adam", "learning_rate": 0.01},
        {"kind": "adagrad", "flavour": "torch", "l1": 0.001, "clip": {"kind": "adaptive"}},
        {"kind": "nadam", "l2": 0.01, "clip": {"kind": "norm", "at": 0.1}},
        {"kind": "adabelief", "weight_decay": 0.1},
        {"kind": "lion", "flavour": "optax"},
        {"kind": "schedule_free_sgd", "accumulate": 2},
    ],
    ids=str,
)
def test_units_that_a_network_lacks_stay_exactly_zero(raw, optimizer) -> None:
    from descentlab.engine.lanes import Job, train
    from descentlab.engine.program import Program

    raw["run"]["optimizer"] = {"learning_rate": 0.01, **optimizer}
    (one,) = planned(raw)
    program = Program(one.cohort, one.strategy)
    runs = one.cohort.runs[: one.strategy.width]
    last = list(train([Job(program, runs)], 1))[-1]
    hidden = {c.id: c.run.model.hidden[0] for c in configurations(Study.parse(raw))}
    first, second = last.state.parameters.layers
    for index, each in enumerate(runs):
        width = hidden[each.id.split("-")[0]]
        assert not np.any(first.weight[index][:, width:]) and not np.any(first.bias[index][width:])
        assert not np.any(second.weight[index][width:])
        assert np.all(np.any(np.asarray(first.weight[index][:, :width]), axis=0))


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"kind": "mlp", "hidden": [8], "activation": "sigmoid"}},
        {"model": {"kind": "mlp", "hidden": [8], "dropout": 0.1}},
        {"record": {"checkpoint": True}},
        {"optimizer": {"kind": "muon", "learning_rate": 0.01}},
    ],
)
def test_what_would_change_by_it_is_compiled_for_each_width(raw, change) -> None:
    raw["run"] |= change
    assert len(planned(raw)) == 4


@pytest.mark.parametrize("epochs_worth", [0.1, 3.0, 10.0, 30.0, 100.0, 1000.0])
def test_the_cheapest_cut_is_taken(raw, epochs_worth) -> None:
    """All ways to cut eight widths, counted out."""
    sizes = [8, 16, 24, 40, 64, 96, 160, 256]
    raw["vary"]["model.hidden"] = [[size] for size in sizes]
    datasets = Datasets()
    groups = widths.groups_of(configurations(Study.parse(raw)))
    found = widths.shared(groups, datasets, epochs_worth, "cpu")

    def cost(parts) -> float:
        updates = 2 * 17 * 64  # epochs, updates an epoch, examples of each
        work = [len(part) * 2 * 4 * 64 * max(part) * updates * epochs_worth for part in parts]
        return widths.COMPILE_SECONDS * len(parts) + sum(work) / widths.RATE["cpu"]

    ways = []
    for cuts in itertools.product([False, True], repeat=7):
        edges = [0, *(i + 1 for i, cut in enumerate(cuts) if cut), 8]
        ways.append([sizes[a:b] for a, b in itertools.pairwise(edges)])
    chosen = [sorted({c.run.model.hidden[0] for c, _ in group.members}) for group in found]
    assert cost(sorted(chosen)) == pytest.approx(min(map(cost, ways)))
    assert sorted(size for part in chosen for size in part) == sizes


def test_a_stopped_study_goes_on_at_another_width(raw, tmp_path) -> None:
    folder = Folder(tmp_path / "r")
    progress = execute(prepare(Study.parse(raw)), folder, Options())
    for _ in range(2):
        next(progress)
    progress.close()
    assert any((tmp_path / "r" / "checkpoints").iterdir())
    result = run(Study.parse(raw), folder, reproducible=True)
    alone = run(Study.parse(raw), tmp_path / "alone", reproducible=True)
    assert result.complete
    np.testing.assert_allclose(
        records(result)["value"], records(alone)["value"], rtol=2e-3, atol=2e-3
    )


def test_a_program_takes_runs_that_its_cohort_got_later(raw) -> None:
    """As in a search by batches, whose cohorts grow."""
    from descentlab.engine.lanes import Job, train
    from descentlab.studies.execute import Programs

    raw["vary"] = {"model.hidden": [[8], [48]]}
    (before,) = planned(raw)
    raw["vary"] = {"model.hidden": [[8], [12], [48]]}
    (after,) = planned(raw)
    assert before.cohort.name == after.cohort.name
    programs, layout = Programs(), dataclasses.replace(before.strategy, width=1)
    for each in before.cohort.runs[:2]:
        list(train([Job(programs.of(before.cohort, layout), (each,))], 1))
    compiled = programs.compilations
    for each in after.cohort.runs[:3]:
        (last,) = train([Job(programs.of(after.cohort, layout), (each,))], 1)
        assert (last.diverged < 0).all()
    assert programs.compilations == compiled + 1  # of the new width's initial weights
