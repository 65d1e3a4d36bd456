"""What is read at every update: applied rates, gradients' norms; fast weights, and draws."""

from __future__ import annotations

import copy
import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from descentlab.core.errors import SpecError, StoreError
from descentlab.core.keys import named_key
from descentlab.data.batches import CATALOGUE as BATCHES
from descentlab.report.html import page
from descentlab.store.folder import Folder
from descentlab.studies.result import StudyResult
from descentlab.studies.run import Options, execute, prepare, run
from descentlab.studies.spec import Study

STUDY = {
    "name": "readings",
    "run": {
        "data": {"kind": "digits", "split": {"validation": 0.2, "test": 0.2}},
        "model": {"kind": "mlp", "hidden": [8]},
        "optimizer": {"kind": "sgd", "learning_rate": 0.5},
        "epochs": 4,
    },
    "seeds": 2,
}
PER_EPOCH = 17


@pytest.fixture
def raw():
    return copy.deepcopy(STUDY)


def rates_of(
    result: StudyResult, configuration: str = "c00", seed: int = 1, first: int = 1
) -> np.ndarray:
    frame = result.curves("learning_rate")
    own = frame[(frame["configuration"] == configuration) & (frame["seed"] == seed)]
    assert own["step"].tolist() == list(range(first, 4 * PER_EPOCH + 1))
    np.testing.assert_allclose(own["epoch"], own["step"] / PER_EPOCH)
    return own["value"].to_numpy()


def test_the_rate_applied_at_each_update_is_what_optax_has(raw, tmp_path):
    raw["run"]["schedule"] = {"kind": "warmup", "warmup_steps": 10, "then": "cosine"}
    raw["vary"] = {"optimizer.learning_rate": [0.5, 0.1]}
    result = run(Study.parse(raw), tmp_path)
    theirs = optax.warmup_cosine_decay_schedule(0.0, 1.0, 10, 4 * PER_EPOCH)
    expected = np.array([float(theirs(t)) for t in range(4 * PER_EPOCH)])
    for configuration, rate in (("c00", 0.5), ("c01", 0.1)):
        np.testing.assert_allclose(rates_of(result, configuration), rate * expected, atol=2e-7)
    assert result.readings == ["learning_rate"] and "learning_rate" not in result.metrics
    assert "The two agree" in page(result)


def test_by_epoch_the_rate_stays_within_an_epoch(raw, tmp_path):
    raw["run"]["schedule"] = {"kind": "step", "every": 2, "factor": 0.1, "by": "epoch"}
    found = rates_of(run(Study.parse(raw), tmp_path))
    np.testing.assert_allclose(found, np.repeat([0.5, 0.5, 0.05, 0.05], PER_EPOCH), rtol=1e-6)


def test_a_schedule_counts_updates_and_not_the_batches_they_are_made_of(raw, tmp_path):
    raw["run"]["schedule"] = {"kind": "inverse_time", "decay": 1.0}
    raw["run"]["optimizer"]["accumulate"] = 4
    found = rates_of(run(Study.parse(raw), tmp_path), first=4)  # before that nothing is applied
    expected = [0.5 / (1 + t // 4) for t in range(4 * PER_EPOCH - 3)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("stops", [1, 3])
def test_readings_of_a_study_that_was_stopped_have_no_gap_and_no_double(raw, tmp_path, stops):
    raw["run"] |= {"schedule": "cosine", "record": {"every": 7, "gradient_norms": True}}
    whole = run(Study.parse(raw), tmp_path / "whole")
    options = Options()
    study = Study.parse(raw)
    for end in (stops, stops + 1):
        going = execute(prepare(study, options), Folder(tmp_path / "cut"), options)
        for _ in itertools.islice(going, end):
            pass
        going.close()
    cut = run(study, tmp_path / "cut")
    assert whole.readings == [
        "learning_rate",
        "gradient_norm",
        "gradient_norm_1",
        "gradient_norm_2",
    ]
    for name in whole.readings:
        assert whole.curves(name).equals(cut.curves(name))
        final = whole.curves(name).groupby(["configuration", "seed"])["value"].last()
        np.testing.assert_array_equal(whole.frame()[name], final)


def test_gradient_norms_are_those_of_the_batch_at_the_weights_before_the_update(raw, tmp_path):
    """Of a linear model from zeros, full batch: the gradients are averages of the data."""
    raw["run"] |= {"model": "logistic", "batches": "full", "precision": "float64", "epochs": 2,
                   "record": {"gradient_norms": True, "train": "evaluated"}}  # fmt: skip
    raw["run"]["optimizer"]["clip"] = {"kind": "norm", "at": 1e-3}  # read before clipping
    from descentlab.studies.datasets import Datasets

    study = Study.parse(raw)
    result = run(study, tmp_path)
    data = Datasets().load(prepare(study).configurations[0].run).train
    onehot = np.eye(10)[np.asarray(data.targets)]
    errors = 0.1 - onehot  # softmax of zeros is uniform
    weights = np.asarray(data.inputs).reshape(len(onehot), -1).T @ errors
    gradient = np.concatenate([weights.ravel(), errors.sum(axis=0)]) / len(onehot)
    first = result.curves("gradient_norm").groupby("seed")["value"].first()
    np.testing.assert_allclose(first, np.linalg.norm(gradient), rtol=1e-6)
    assert "Gradient norms" not in page(result)  # one layer is no profile
    assert "Update by update" in page(result)


def test_a_claim_may_be_of_a_reading(raw, tmp_path):
    raw["run"]["record"] = {"gradient_norms": True}
    raw["vary"] = {"model.initial": ["torch", {"kind": "normal", "std": 3.0}]}
    claim = {"name": "large weights, large gradients", "kind": "better", "at": "best"}
    claim |= {"a": {"model.initial": "normal"}, "b": {"model.initial": "torch"}}
    raw["claims"] = [claim | {"metric": "gradient_norm_1"}]
    raw["seeds"] = 5
    raw["run"]["optimizer"]["learning_rate"] = 1e-6
    (verdict,) = run(Study.parse(raw), tmp_path).claims()
    assert verdict.verdict == "supported"
    text = " ".join(page(StudyResult(tmp_path)).split())  # no good direction: more is "better"
    assert re.search(r"has a [^.<]*gradient[^.<]*[0-9.]+[^<]* higher than", text)
    raw["claims"][0]["metric"] = "gradient_norm_7"
    with pytest.raises(SpecError, match="gradient_norm_1"):
        run(Study.parse(raw), tmp_path / "again")


def test_nothing_is_read_and_no_file_written_where_nothing_was_asked_for(raw, tmp_path):
    result = run(Study.parse(raw), tmp_path)
    assert result.readings == [] and not (tmp_path / "readings").exists()
    with pytest.raises(SpecError, match="learning_rate"):
        result.curves("learning_rate")


def test_a_diverged_run_is_read_up_to_where_it_was_seen(raw, tmp_path):
    raw["run"] |= {"loss": "mse", "schedule": {"kind": "inverse_time", "decay": 0.0}}
    raw["vary"] = {"optimizer.learning_rate": [1e12, 0.01]}
    result = run(Study.parse(raw), tmp_path)
    frame = result.frame()
    bad = frame[frame["diverged"]]
    assert len(bad) == 2 and bad["learning_rate"].isna().all()
    for row in bad.itertuples():
        curve = result.curves("learning_rate", configurations=[row.configuration])
        assert curve[curve["seed"] == row.seed]["step"].max() <= row.diverged_step


@pytest.mark.parametrize("kind", ["single", "shuffled", "replacement", "full"])
def test_draws_are_counted_in_the_epochs_order(raw, tmp_path, kind):
    size = {} if kind in ("single", "full") else {"size": 30}
    batches = {"kind": kind, **size}
    raw["run"] |= {"model": "logistic", "batches": batches, "epochs": 2,
                   "record": {"draws": True, "every": 5}}  # fmt: skip
    result = run(Study.parse(raw), tmp_path)
    spec, n = BATCHES.validate(batches), 1079
    for row in result.curves("train_seen").itertuples():
        epoch, done = divmod(row.step - 1, spec.steps_per_epoch(n)) if row.step else (0, -1)
        if kind == "full":
            drawn = np.arange(n if row.step else 0)
        else:
            key = named_key(jnp.uint32(row.seed), "order")
            order = np.asarray(spec.order(jax.random.fold_in(key, epoch), n))
            drawn = order[: (done + 1) * spec.batch_size(n)]
        times = np.bincount(drawn[drawn < n], minlength=n)
        assert row.value == pytest.approx((times >= 1).mean(), rel=1e-6)
        once = result.curves("train_seen_once")
        own = once[(once["seed"] == row.seed) & (once["step"] == row.step)]["value"].iloc[0]
        assert own == pytest.approx((times == 1).mean(), rel=1e-6)


def test_fast_weights_are_evaluated_beside_the_slow_ones(raw, tmp_path):
    """With k = 3 the slow weights' figures change at every third step alone; the fast ones' every.

    At α = 1 both are the same after a synchronisation, and the fast ones are plain SGD's.
    """
    inner = raw["run"]["optimizer"]
    raw["run"] |= {"steps": 12, "epochs": None, "record": {"every": 1, "fast_weights": True}}
    raw["run"]["optimizer"] = {"kind": "lookahead", "inner": inner, "k": 3, "alpha": 1.0}
    result = run(Study.parse(raw), tmp_path / "slow")
    raw["run"] |= {"optimizer": inner, "record": {"every": 1}}
    plain = run(Study.parse(raw), tmp_path / "plain")
    own = lambda of, name: of.curves(name, ["c00"]).query("seed == 0")["value"].to_numpy()  # noqa: E731
    slow, fast = own(result, "test_loss"), own(result, "test_fast_loss")
    np.testing.assert_allclose(fast, own(plain, "test_loss"), rtol=1e-6)
    np.testing.assert_array_equal(slow, np.repeat(fast[::3], 3)[: len(slow)])
    assert "train_fast_loss" not in result.metrics  # a running mean has no fast weights
    assert "Fast and slow weights" in page(result)


def test_gradients_are_drawn_layer_by_layer_in_the_panels_of_the_tables(raw, tmp_path):
    """Ten sigmoid layers from small weights: the medians in the picture fall to the left."""
    raw["run"] |= {"steps": 3, "epochs": None, "record": {"gradient_norms": True}}
    raw["run"]["model"] = {"kind": "mlp", "hidden": [8] * 10, "activation": "sigmoid"}
    raw["vary"] = {"model.initial": ["glorot", {"kind": "normal", "std": 3.0}]}
    result = run(Study.parse(raw), tmp_path)
    text = page(result)
    assert "Gradients by layer, first update" in text and "Gradients by layer, last update" in text
    names = [f"gradient_norm_{i}" for i in range(1, 12)]
    assert result.readings == ["gradient_norm", *names]
    first = result.readings_at(names, "first")
    for name in names:  # as the curve has it
        curve = result.curves(name).query("step == 1").set_index(["configuration", "seed"])
        own = first.set_index(["configuration", "seed"])[name]
        np.testing.assert_array_equal(own.sort_index(), curve["value"].sort_index())
    glorot = first[first["configuration"] == "c00"][names].median().to_numpy()
    assert (np.diff(glorot) > 0).all()


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_norms_whose_squares_are_no_floats_are_read(scale):
    from descentlab.engine.readings import gradient_norms

    layers = [{"w": np.full((2, 2), 3.0), "b": np.array([4.0, 0.0])}, {"w": np.full((1, 4), 12.0)}]
    scaled = jax.tree.map(lambda x: jnp.asarray(scale * x, jnp.float32), layers)
    found = gradient_norms(scaled)
    expected = {"gradient_norm": 628**0.5, "gradient_norm_1": 52**0.5, "gradient_norm_2": 24.0}
    for name, norm in expected.items():
        assert float(found[name]) == pytest.approx(scale * norm, rel=1e-6)


def test_what_is_read_at_every_update_is_no_metric_to_rank_by(raw, tmp_path):
    raw["run"]["record"] = {"gradient_norms": True}
    raw["report"] = {"metric": "gradient_norm"}
    with pytest.raises(SpecError, match=r"report\.metric: unknown metric 'gradient_norm'"):
        run(Study.parse(raw), tmp_path)


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    [
        ({"kind": "lookahead", "inner": "adam", "k": 3, "adaptive": True,
          "inner_state": "pull_back", "accumulate": 2}, {"kind": "warmup", "warmup_steps": 5}),
        ({"kind": "muon", "clip": "norm"}, "one_cycle"),
        ({"kind": "schedule_free_adamw"}, {"kind": "warmup_stable_decay", "decay_steps": 20}),
        ({"kind": "saddle_free", "method": "lanczos", "rank": 4, "damping": 1.0},
         {"kind": "step", "every": 1, "by": "epoch", "factor": 0.5}),
    ],
)  # fmt: skip
def test_a_folder_goes_on_from_its_checkpoints_to_the_bit(raw, tmp_path, optimizer, schedule):
    """Stopped twice within its epochs: checkpoint files, segments and readings are read back."""
    raw["run"] |= {"optimizer": optimizer, "schedule": schedule, "epochs": 2}
    study = Study.parse(raw)
    whole = run(study, tmp_path / "whole")
    options, folder = Options(), Folder(tmp_path / "cut")
    for _ in range(2):
        going = execute(prepare(study, options), folder, options)
        for _ in itertools.islice(going, 2):
            pass
        going.close()
    assert list((tmp_path / "cut" / "checkpoints").glob("*.npz"))
    cut = run(study, tmp_path / "cut")
    for name in [*whole.metrics, *whole.readings]:
        assert whole.curves(name).equals(cut.curves(name))


def test_readings_that_are_lost_or_damaged_are_made_anew(raw, tmp_path, monkeypatch):
    """Several segments a chunk: each has its readings beside it, and neither goes without."""
    from descentlab.engine import lanes
    from descentlab.studies import execute as executing

    monkeypatch.setattr(executing, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(lanes, "_longer", lambda length, done, seconds: 17)
    raw["run"] |= {"schedule": "cosine", "model": "logistic", "epochs": 3}
    study = Study.parse(raw)
    expected = run(study, tmp_path).curves("learning_rate")
    files = sorted((tmp_path / "readings").iterdir())
    assert len(files) > 1
    files[0].unlink()
    found = run(study, tmp_path)
    assert found.curves("learning_rate").equals(expected)
    names = {path.name for path in (tmp_path / "segments").iterdir()}
    assert {path.name for path in (tmp_path / "readings").iterdir()} == names
    damaged = sorted((tmp_path / "readings").iterdir())[-1]
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(StoreError, match=rf"readings/{damaged.name} is damaged .*; delete it and"):
        found.curves("learning_rate")
    damaged.unlink()
    assert run(study, tmp_path).curves("learning_rate").equals(expected)
    (tmp_path / "segments" / damaged.name).unlink()  # its readings are of no use then
    (tmp_path / "readings" / "k0-aa-00000000-00000017.parquet").write_bytes(b"left by a kill")
    assert run(study, tmp_path).curves("learning_rate").equals(expected)
    names = {path.name for path in (tmp_path / "segments").iterdir()}
    assert {path.name for path in (tmp_path / "readings").iterdir()} == names
