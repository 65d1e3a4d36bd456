"""What a cohort costs before it is compiled: memory, floating-point work, expected time."""

from __future__ import annotations

import dataclasses
import time
from functools import cache
from typing import Any

import jax
import numpy as np

from descentlab.engine.program import Program
from descentlab.engine.step import OneRun
from descentlab.engine.strategy import Strategy
from descentlab.engine.training import Cohort

EFFICIENCY = 0.6
"""Share of the measured matrix-product peak that training reaches, for estimates."""

STEP_SECONDS = 12e-6
"""Overhead of one update of a chunk on a CPU, for estimates."""

COMPILE_SECONDS = 1.2
"""Time to compile one program that is not in the cache, for estimates."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """Estimates for one run: live bytes while training, operations of an update and of a record."""

    run_bytes: int
    parameters: int
    update_flops: int
    record_flops: int


def estimate(cohort: Cohort) -> Cost:
    """Trace the gradients of one batch of a single run, without compiling, and add up.

    A forward pass is taken as a third of them.
    """
    program = Program(cohort, Strategy("map", 1, 1))
    state = program.state_shape()
    seeds, floats = program.inputs(cohort.runs[:1])
    data = {
        name: tuple(jax.ShapeDtypeStruct(x.shape, x.dtype) for x in part)
        for name, part in cohort.arrays.parts.items()
    }
    batch = cohort.training.batches.batch_size(cohort.arrays.examples)
    with program.precision():
        state, seed, floats = jax.tree.map(
            lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), (state, seeds, floats)
        )
        inputs, targets = (
            jax.ShapeDtypeStruct((batch, *x.shape[1:]), x.dtype) for x in data["train"]
        )
        one = OneRun(cohort)
        traced = jax.make_jaxpr(one.gradients)(state.parameters, seed, floats, inputs, targets)
    live, flops = _sizes(traced.jaxpr)
    size = lambda tree: sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(tree))  # noqa: E731
    evaluated = [n for n in data if n != "train" or cohort.training.train_record == "evaluated"]
    examples = sum(data[name][0].shape[0] for name in evaluated)
    return Cost(
        run_bytes=size(state) + live + size(inputs),
        parameters=sum(x.size for x in jax.tree.leaves(state.parameters)),
        update_flops=flops,
        record_flops=flops * examples // (3 * batch),
    )


def seconds(cost: Cost, cohort: Cohort, strategy: Strategy, runs: int) -> float:
    """Expected wall-clock seconds of ``runs`` runs, all lanes busy; within a factor of two."""
    training = cohort.training
    records = training.steps // training.every + 1
    work = runs * (training.steps * cost.update_flops + records * cost.record_flops)
    chunks = -(-runs // strategy.width)
    rounds = -(-chunks // strategy.lanes)
    serial = strategy.width if strategy.form == "map" else 1
    overhead = rounds * serial * (training.steps + records) * STEP_SECONDS
    return work / (EFFICIENCY * matrix_peak()) + overhead


@cache
def matrix_peak() -> float:
    """Measure the device's float32 matrix-product rate in operations a second (about 50 ms)."""
    size, repeats = 512, 5
    product = jax.jit(lambda a, b: a @ b)
    a = jax.numpy.ones((size, size), jax.numpy.float32)
    product(a, a).block_until_ready()
    best = float("inf")
    for _ in range(repeats):
        begun = time.perf_counter()
        product(a, a).block_until_ready()
        best = min(best, time.perf_counter() - begun)
    return 2 * size**3 / best


def _sizes(jaxpr: Any) -> tuple[int, int]:
    """Bytes of the results of matrix products, twice, and the products' operations.

    Elementwise work fuses into its neighbours, so that about one more array a product lives.
    """
    live = flops = 0
    for equation in _needed(jaxpr):
        for inner in equation.params.values():
            if hasattr(inner, "eqns") or hasattr(inner, "jaxpr"):
                more = _sizes(getattr(inner, "jaxpr", inner))
                live, flops = live + more[0], flops + more[1]
        if equation.primitive.name == "dot_general":
            contracted = equation.params["dimension_numbers"][0][0]
            left = equation.invars[0].aval.shape
            out = equation.outvars[0].aval
            flops += 2 * out.size * int(np.prod([left[axis] for axis in contracted]))
            live += 2 * out.size * out.dtype.itemsize
    return live, flops


def _needed(jaxpr: Any) -> list[Any]:
    """Return the equations that the outputs depend on; the compiler drops the others."""
    wanted = {v for v in jaxpr.outvars if not hasattr(v, "val")}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if any(v in wanted for v in equation.outvars):
            wanted.update(v for v in equation.invars if not hasattr(v, "val"))
            kept.append(equation)
    return kept
