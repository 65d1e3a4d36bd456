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

EFFICIENCY = 0.5
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
    """Trace one update and one record of a single run, without compiling, and add up."""
    program = Program(cohort, Strategy("map", 1, 1))
    state = program.state_shape()
    seeds, floats = program.inputs(cohort.runs[:1])
    data = {
        name: tuple(jax.ShapeDtypeStruct(x.shape, x.dtype) for x in part)
        for name, part in cohort.arrays.parts.items()
    }
    batch = cohort.training.batches.batch_size(cohort.arrays.examples)
    with program.precision():
        own = jax.tree.map(
            lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), (state, seeds, floats)
        )
        inputs = jax.ShapeDtypeStruct((batch, *data["train"][0].shape[1:]), data["train"][0].dtype)
        forward = jax.make_jaxpr(OneRun(cohort).forward)(*own, inputs)
    width, flops = _sizes(forward.jaxpr)
    state_bytes = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(own[0]))
    parameters = sum(x.size for x in jax.tree.leaves(own[0].parameters))
    itemsize = np.dtype(cohort.training.precision).itemsize
    evaluated = [n for n in data if n != "train" or cohort.training.train_record == "evaluated"]
    return Cost(
        run_bytes=state_bytes + parameters * itemsize + 2 * width,
        parameters=parameters,
        update_flops=3 * flops,
        record_flops=sum(flops * data[n][0].shape[0] // batch for n in evaluated),
    )


def seconds(cost: Cost, cohort: Cohort, strategy: Strategy, runs: int) -> float:
    """Expected wall-clock seconds of ``runs`` runs, all lanes busy; within a factor of about two."""
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
    """Bytes of all intermediate values of a program, and the operations of its matrix products."""
    width = flops = 0
    for equation in _needed(jaxpr):
        inner = [p for p in equation.params.values() if hasattr(p, "eqns") or hasattr(p, "jaxpr")]
        for program in inner:
            more = _sizes(getattr(program, "jaxpr", program))
            width, flops = width + more[0], flops + more[1]
        if not inner:
            width += sum(v.aval.size * v.aval.dtype.itemsize for v in equation.outvars)
        if equation.primitive.name == "dot_general":
            contracted = equation.params["dimension_numbers"][0][0]
            left = equation.invars[0].aval.shape
            out = equation.outvars[0].aval.size
            flops += 2 * out * int(np.prod([left[axis] for axis in contracted]))
    return width, flops


def _needed(jaxpr: Any) -> list[Any]:
    """Return the equations that the outputs depend on; the compiler drops the others."""
    wanted = {v for v in jaxpr.outvars if not hasattr(v, "val")}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if any(v in wanted for v in equation.outvars):
            wanted.update(v for v in equation.invars if not hasattr(v, "val"))
            kept.append(equation)
    return kept
