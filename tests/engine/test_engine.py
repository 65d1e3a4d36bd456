"""The engine against independent references and its own promises.

A run is compared with a literal NumPy float64 loop; a run does not feel its
neighbours; work may stop and go on anywhere; divergence is a result.
"""

from __future__ import annotations

import itertools

import jax
import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.core.keys import named_key
from descentlab.engine import lanes
from descentlab.engine.cost import estimate, seconds
from descentlab.engine.lanes import Job, train
from descentlab.engine.program import Program
from descentlab.engine.strategy import Platform, Strategy, choose

from .conftest import curves

ALONE = Strategy("map", 1, 1)
LAYOUTS = [
    Strategy("map", 1, 2),
    Strategy("map", 3, 1),
    Strategy("vmap", 2, 1),
    Strategy("vmap", 7, 2),
]


def reference(x, y, parameters, rate, beta, batches):
    """A network with one hidden layer of tanh, cross-entropy, SGD with momentum, in plain NumPy."""
    w1, b1, w2, b2 = (p.copy() for p in parameters)
    velocity = [np.zeros_like(p) for p in (w1, b1, w2, b2)]
    losses = []
    for chosen in batches:
        xb, yb = x[chosen], y[chosen]
        h = np.tanh(xb @ w1 + b1)
        z = h @ w2 + b2
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        losses.append(-np.log(p[np.arange(len(yb)), yb]))
        d = p.copy()
        d[np.arange(len(yb)), yb] -= 1
        d /= len(yb)
        e = d @ w2.T * (1 - h * h)
        gradients = [xb.T @ e, e.sum(axis=0), h.T @ d, d.sum(axis=0)]
        for number, g in enumerate(gradients):
            velocity[number] = beta * velocity[number] + g
        w1, b1, w2, b2 = (v - rate * u for v, u in zip((w1, b1, w2, b2), velocity, strict=True))
    return losses


def test_a_run_equals_a_numpy_loop_over_the_same_batches(cohort):
    one = cohort(rates=[0.05], seeds=[3], precision="float64")
    program = Program(one, ALONE)
    x, y = one.arrays.parts["train"]
    n = len(x)
    with program.precision():
        start = program.start(*program.inputs(one.runs))
        leaves = [np.asarray(leaf[0]) for leaf in jax.tree.leaves(start.parameters)]
        orders = [
            np.asarray(one.training.batches.order(jax.random.fold_in(named_key(3, "order"), e), n))
            for e in range(4)
        ]
    assert all(sorted(order[order < n]) == list(range(n)) for order in orders)
    batches = [b[b < n] for order in orders for b in order.reshape(-1, 32)]
    matrices = [leaf for leaf in leaves if leaf.ndim == 2]
    (w1,) = [m for m in matrices if 4 in m.shape]
    (w2,) = [m for m in matrices if 4 not in m.shape]
    b1, b2 = (next(v for v in leaves if v.shape == (k,)) for k in (8, 3))
    w1, w2 = (w if w.shape == shape else w.T for w, shape in ((w1, (4, 8)), (w2, (8, 3))))
    losses = reference(x, y, (w1, b1, w2, b2), 0.05, 0.9, batches)
    per_epoch = one.steps_per_epoch
    expected = [
        np.concatenate(losses[e * per_epoch : (e + 1) * per_epoch]).mean() for e in range(4)
    ]
    rows = curves(one, ALONE)["c0-s3"]
    np.testing.assert_allclose(rows[1:, one.metrics.index("train_loss")], expected, rtol=1e-10)
    assert np.isnan(rows[0, 0])  # before the first update there is no running mean


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_every_layout_gives_the_same_curves_within_rounding(cohort, layout):
    many = cohort(rates=[0.01, 0.1, 0.5], seeds=[0, 1, 2], precision="float64")
    alone, together = curves(many, ALONE), curves(many, layout)
    for name, rows in alone.items():
        np.testing.assert_allclose(together[name], rows, rtol=1e-9, atol=1e-12, err_msg=name)


def test_one_at_a_time_is_bit_equal_in_any_order_and_number_of_lanes(cohort):
    many = cohort(rates=[0.01, 0.1], seeds=[0, 1])
    alone = curves(many, ALONE)
    again = curves(many, Strategy("map", 1, 2), runs=many.runs[::-1])
    mapped = curves(many, Strategy("map", 3, 1))
    for name, rows in alone.items():
        np.testing.assert_array_equal(again[name], rows)
        np.testing.assert_array_equal(mapped[name], rows)


def test_at_one_width_company_and_place_do_not_change_a_bit(cohort):
    """What ``reproducible`` promises: width fixed, everything else free, NaN neighbours too."""
    many = cohort(rates=[0.1, 1e30, 0.3], seeds=[0, 1, 2], model={"kind": "mlp", "hidden": [8]})
    layout = Strategy("vmap", 4, 1)
    by_id = {run.id: run for run in many.runs}
    target = by_id["c0-s1"]
    program = Program(many, layout)
    alone = curves(many, layout, chunks=[(target,)], program=program)[target.id]
    assert np.isfinite(alone[1:]).all()
    for company in itertools.permutations(["c1-s0", "c2-s1", "c0-s2"], 3):
        others = [by_id[name] for name in company]
        for place in range(4):
            chunk = (*others[:place], target, *others[place:])
            found = curves(many, layout, chunks=[chunk], program=program)[target.id]
            np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize(
    ("batches", "every"),
    [
        ("full", 1),
        ("single", 7),
        ({"kind": "replacement", "size": 16}, "epoch"),
        ({"kind": "shuffled", "size": 32}, 1),
        ({"kind": "shuffled", "size": 50, "last": "drop"}, "epoch"),
    ],
)
def test_stopping_anywhere_and_going_on_changes_nothing(cohort, batches, every):
    one = cohort(
        rates=[0.05],
        seeds=[1, 2],
        batches=batches,
        epochs=None,
        steps=23,
        record={"every": every, "train": "evaluated"},
    )
    program = Program(one, Strategy("vmap", 2, 1))
    with program.precision():
        seeds, floats = program.inputs(one.runs)
        data = {k: tuple(map(jax.numpy.asarray, v)) for k, v in one.arrays.parts.items()}
        start = program.start(seeds, floats)
        whole, rows, _ = program.advance(start, seeds, floats, data, 0, 23)
        for cut in (1, 7, 11, 22):
            middle, first, _ = program.advance(start, seeds, floats, data, 0, cut)
            end, second, _ = program.advance(middle, seeds, floats, data, cut, 23)
            for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(end), strict=True):
                np.testing.assert_array_equal(a, b)
            made = [first[:, : len(one.records(-1, cut))], second[:, : len(one.records(cut, 23))]]
            np.testing.assert_array_equal(
                np.concatenate(made, axis=1), rows[:, : len(one.records(-1, 23))]
            )


@pytest.mark.parametrize(
    ("every", "steps", "expected"),
    [(5, 12, [0, 5, 10, 12]), (4, 8, [0, 4, 8]), (9, 4, [0, 4]), (1, 3, [0, 1, 2, 3])],
)
def test_records_are_made_at_multiples_at_the_start_and_at_the_end(cohort, every, steps, expected):
    one = cohort(epochs=None, steps=steps, record={"every": every, "train": "evaluated"})
    assert one.records(-1, steps) == expected
    rows = curves(one, ALONE)["c0-s0"]
    assert len(rows) == len(expected) and np.isfinite(rows).all()


def test_more_records_than_a_call_returns_are_all_kept(cohort, monkeypatch):
    one = cohort(epochs=None, steps=40, record={"every": 1, "train": "evaluated"})
    whole = curves(one, ALONE)["c0-s0"]
    monkeypatch.setattr("descentlab.engine.program.ROWS", 6)
    np.testing.assert_array_equal(curves(one, ALONE)["c0-s0"], whole)
    assert len(whole) == 41


def test_divergence_is_recorded_at_its_step_and_takes_nobody_down(cohort):
    many = cohort(
        rates=[0.1, 1e30],
        model={"kind": "mlp", "hidden": [8]},
        epochs=None,
        steps=20,
        record={"every": 1, "train": "evaluated"},
    )
    program = Program(many, Strategy("vmap", 2, 1))
    last = list(train([Job(program, many.runs)], 1))[-1]
    assert last.diverged[0] == -1
    first_bad = int(last.diverged[1])
    assert 0 < first_bad < 20
    rows = curves(many, Strategy("vmap", 2, 1))
    assert np.isfinite(rows["c0-s0"]).all()
    loss = rows["c1-s0"][:, many.metrics.index("train_loss")]
    assert np.isfinite(loss[:first_bad]).all()
    only = list(train([Job(Program(many, ALONE), (many.runs[1],))], 1))
    assert only[-1].finished  # nothing is trained on once every run of a chunk has diverged


def test_the_same_seed_is_the_same_luck_whatever_the_optimizer(cohort):
    programs = [
        Program(cohort(optimizer=optimizer, seeds=[5]), ALONE)
        for optimizer in ("adam", {"kind": "sgd", "learning_rate": 0.1})
    ]
    starts = [p.start(*p.inputs(p.cohort.runs)).parameters for p in programs]
    for a, b in zip(*(jax.tree.leaves(s) for s in starts), strict=True):
        np.testing.assert_array_equal(a, b)


def test_dropout_is_off_in_evaluations_unless_asked_for(cohort):
    changes = {
        "data": {"kind": "iris", "split": {"test": 30}},
        "model": {"kind": "mlp", "hidden": [32], "dropout": 0.5},
        "epochs": 1,
    }
    plain, noisy = (cohort(**changes, evaluate_dropout=flag) for flag in (False, True))
    one, other = (curves(c, ALONE)["c0-s0"] for c in (plain, noisy))
    column = plain.metrics.index("train_loss")
    np.testing.assert_array_equal(one[1:, column], other[1:, column])  # training is the same
    test = plain.metrics.index("test_loss")
    assert (one[:, test] != other[:, test]).all()


def test_the_dropout_rate_is_data_and_is_not_trained(cohort):
    one = cohort(model={"kind": "mlp", "hidden": [8], "dropout": 0.5}, optimizer="adam")
    program = Program(one, ALONE)
    assert "model.dropout" in one.runs[0].floats
    leaves = jax.tree.leaves(program.state_shape().parameters)
    assert sum(leaf.size for leaf in leaves) == 4 * 8 + 8 + 8 * 3 + 3


def test_lanes_stop_when_the_consumer_goes(cohort, monkeypatch):
    monkeypatch.setattr(lanes, "STRETCH_SECONDS", 0.01)
    many = cohort(rates=[0.1] * 3, seeds=[0], epochs=None, steps=100_000, record={"every": 1000})
    program = Program(many, ALONE)
    stretches = train([Job(program, (run,)) for run in many.runs], 2)
    next(stretches)
    stretches.close()
    import threading

    for thread in [t for t in threading.enumerate() if t.name.startswith("lane-")]:
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_a_fault_inside_a_lane_reaches_the_caller(cohort):
    one = cohort()
    program = Program(one, ALONE)
    program._one.advance = lambda *a: 1 / 0  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        list(train([Job(program, one.runs)], 1))


def test_estimates_are_of_the_right_size(cohort):
    one = cohort()
    cost = estimate(one)
    assert cost.parameters == 4 * 8 + 8 + 8 * 3 + 3
    # two products forward, and back: two for weights, one for the hidden layer
    assert cost.update_flops == 2 * 32 * (2 * 4 * 8 + 3 * 8 * 3)
    assert 3 * 4 * cost.parameters < cost.run_bytes < 100_000
    assert 0 < seconds(cost, one, ALONE, 1) < 1


CPU = Platform("cpu", 2, 8 << 30)
GPU = Platform("gpu", 16, 80 << 30)


@pytest.mark.parametrize(
    ("run_bytes", "runs", "cohorts", "platform", "expected"),
    [
        (40 << 20, 50, 10, CPU, "map:1x2"),  # large: one at a time, a lane a core
        (10 << 10, 56, 1, CPU, "vmap:28x2"),  # small, one cohort: halves
        (10 << 10, 5, 9, CPU, "vmap:5x2"),  # small, many cohorts: whole
        (10 << 10, 1000, 1, CPU, "vmap:100x2"),  # chunks that fit the cache
        (40 << 20, 50, 10, GPU, "vmap:50x1"),
        (4 << 30, 50, 1, GPU, "vmap:10x1"),
    ],
)
def test_layouts_are_chosen_by_platform_and_size(run_bytes, runs, cohorts, platform, expected):
    assert str(choose(run_bytes, runs, cohorts, platform)) == expected


def test_a_reproducible_layout_depends_on_the_structure_alone():
    found = {
        choose(10 << 10, runs, cohorts, Platform("cpu", cores, 1), reproducible=True).width
        for runs, cohorts, cores in itertools.product((1, 7, 500), (1, 9), (1, 2, 64))
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    "text", ["", "vmap", "vmap:0x1", "loop:1x1", "vmap:2x", "vmap:2x0", "map:99999999x1"]
)
def test_a_strategy_that_is_none_is_refused(text):
    with pytest.raises(SpecError, match="--strategy"):
        Strategy.parse(text)
