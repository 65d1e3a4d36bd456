"""Schedules and the length of their run: by step, by epoch, left out, too long, too short."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.optimizers.schedule_specs import CATALOGUE, Clock, Warmup

CLOCK = Clock(batches=120, per_epoch=10)


def factors(raw, clock=CLOCK, count=None):
    schedule = CATALOGUE.validate(raw)
    schedule.check(clock)
    function = schedule.build(clock)
    count = clock.length("step") if count is None else count
    return np.array([float(function(jnp.asarray(t, jnp.int32))) for t in range(count)])


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"kind": "cosine", "final": 0.1}, "decay_steps"),
        ({"kind": "polynomial", "power": 2.0}, "decay_steps"),
        ({"kind": "one_cycle"}, "cycle_steps"),
        ({"kind": "warmup_stable_decay", "warmup_steps": 10, "decay_steps": 30}, "stable_steps"),
    ],
)
def test_a_length_that_is_left_out_ends_with_the_run(raw, field):
    whole = {"stable_steps": 80}.get(field, 120)
    np.testing.assert_array_equal(factors(raw), factors(raw | {field: whole}))
    for other in (whole - 1, whole + 1):
        with pytest.raises(SpecError, match=rf"run\.schedule\.{field}: .*there are 120"):
            factors(raw | {field: other})
    held = factors(raw | {field: whole - 20, "hold": True})
    np.testing.assert_allclose(held[101:], held[101], rtol=1e-6)  # at its final value by then
    with pytest.raises(SpecError, match="leave"):
        factors(raw | {field: whole + 1, "hold": True})


def test_after_a_warm_up_the_rest_of_the_run_is_left():
    found = factors({"kind": "warmup", "warmup_steps": 20, "then": "cosine"})
    np.testing.assert_allclose(found[:20], np.arange(20) / 20, rtol=1e-6)
    np.testing.assert_allclose(
        found[20:], 0.5 * (1 + np.cos(np.pi * np.arange(100) / 100)), rtol=1e-5, atol=1e-7
    )
    with pytest.raises(SpecError, match=r"run\.schedule\.then\.decay_steps: .*120.* there are 100"):
        factors({"kind": "warmup", "warmup_steps": 20,
                 "then": {"kind": "cosine", "decay_steps": 120}})  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        {"kind": "step", "every": 3, "factor": 0.5},
        {"kind": "cosine"},
        {"kind": "inverse_time", "decay": 0.3},
        {"kind": "warmup", "warmup_steps": 2, "then": {"kind": "polynomial"}},
        {"kind": "inverse_sqrt", "warmup_steps": 4},
    ],
)
@pytest.mark.parametrize("accumulate", [1, 2, 4])
def test_by_epoch_every_length_counts_epochs(raw, accumulate):
    """The k-th update's rate is that of the epoch in which its batches begin."""
    clock = CLOCK._replace(accumulate=accumulate)
    per_step = factors(raw, Clock(12, 1))  # a run of as many updates as there are epochs
    found = factors(raw | {"by": "epoch"}, clock)
    epochs = np.arange(len(found)) * accumulate // 10
    np.testing.assert_allclose(found, per_step[epochs], rtol=1e-6)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"kind": "step", "every": 120}, r"run\.schedule\.every: 120, but the run has 120"),
        ({"kind": "warmup", "warmup_steps": 120}, r"run\.schedule\.warmup_steps: 120"),
        ({"kind": "inverse_sqrt", "warmup_steps": 500}, r"run\.schedule\.warmup_steps: 500"),
        ({"kind": "cosine_restarts", "period": 121}, r"run\.schedule\.period: 121"),
        ({"kind": "warmup_stable_decay", "warmup_steps": 60, "decay_steps": 61},
         r"run\.schedule\.stable_steps: .*121 of them .*there are 120"),
        ({"kind": "step", "every": 12, "by": "epoch"}, "12, but the run has 12"),
    ],
)  # fmt: skip
def test_what_would_not_end_within_the_run_is_refused(raw, says):
    with pytest.raises(SpecError, match=says):
        factors(raw)


def test_accumulation_shortens_what_a_schedule_counts():
    assert Clock(120, 10, 4).length("step") == 30 and Clock(120, 10, 4).length("epoch") == 12
    with pytest.raises(SpecError, match="there are 30"):
        factors({"kind": "cosine", "decay_steps": 120}, Clock(120, 10, 4))


def test_only_the_outer_schedule_says_its_unit():
    inner = {"kind": "cosine", "by": "epoch"}
    with pytest.raises(SpecError, match="'then' counts as"):
        Warmup.parse({"kind": "warmup", "warmup_steps": 2, "then": inner}, "run.schedule")


@pytest.mark.parametrize("raw", ["cosine", {"kind": "step", "every": 2, "by": "epoch"}])
def test_without_a_run_there_is_no_length(raw):
    with pytest.raises(SpecError, match=r"run\.schedule"):
        CATALOGUE.validate(raw).build()
