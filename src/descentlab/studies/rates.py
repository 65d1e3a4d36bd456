"""The learning rate that a run declares, update by update, from its specification alone."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from descentlab.optimizers.schedule_specs import Clock
from descentlab.studies.spec import RunSpec


def declared_rates(
    run: RunSpec, batches: Int[np.ndarray, " n"], per_epoch: int
) -> Float[np.ndarray, " n"]:
    """Return the rate of the last update that was made after so many batches.

    Args:
        run: the run.
        batches: numbers of batches; NaN is returned before the first update.
        per_epoch: batches of an epoch.
    """
    import jax
    import jax.numpy as jnp

    each = run.optimizer.batches_per_update
    length = run.steps if run.steps is not None else (run.epochs or 0) * per_epoch
    schedule = run.schedule.build(Clock(length, per_epoch, each))
    counts = np.asarray(batches) // each - 1
    with jax.enable_x64(True):
        factors = np.asarray(jax.vmap(schedule)(jnp.asarray(np.maximum(counts, 0), jnp.int32)))
    return np.where(counts >= 0, run.optimizer.base_rate * factors, np.nan)
