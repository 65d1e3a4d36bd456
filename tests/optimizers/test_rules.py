"""Every rule in every flavour against a literal transcription and against the real library.

Both get the same 200 gradients: a number, a vector, matrices, and an array of three axes,
with coordinates from 1e-8 to 1e3; the rate drops to a tenth after 70 updates and again after
140. Compared is, at every update and coordinate, the distance between the two paths, relative
to the largest displacement of that coordinate so far (not the present one, through which a
coordinate that turns back passes as zero).

Where nothing pulls parameters to zero they start at zero: displacements do not depend on the
start then, and one of 1e-10 could not be told from rounding next to a parameter of 1.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from descentlab.core.spec import split_floats, with_floats
from descentlab.optimizers.specs import CATALOGUE
from tests.optimizers import libraries, literal
from tests.optimizers.cases import CASES, FREE

STEPS = 200
SHAPES = {"number": (), "vector": (12,), "matrix": (4, 3), "cube": (2, 3, 2)}
MAGNITUDES = np.logspace(-8, 3, 12)
TOLERANCE = 1e-10
RESOLVED = 1e-4
"""Share of a parameter at the start below which a displacement has not all its digits: each
update rounds the parameter by 1.1e-16 of itself, which is 1e-10 of a displacement of 1e-6."""
BFLOAT16 = 0.05


def dropping(step):
    """The rate's factor: a tenth from update 70 on, a hundredth from 140 on."""
    return 0.1 ** (step // 70)


def rising(step):
    """The rate's factor in the first 30 updates of warm-up, by which weights differ."""
    return min(1.0, (step + 1) / 30)


FACTORS = {"dropping": dropping, "rising": rising}


@functools.cache
def gradients() -> dict[str, np.ndarray]:
    key = np.random.default_rng(11)
    found = {}
    for name, shape in SHAPES.items():
        sizes = key.permutation(MAGNITUDES).reshape(shape) if shape else np.ones(())
        found[name] = key.normal(0.3, 1.0, (STEPS, *shape)) * sizes
    found["small"] = key.normal(0.3, 1.0, (STEPS, 3, 4)) * 1e-8
    found["large"] = key.normal(0.3, 1.0, (STEPS, 5, 2)) * 1e3
    return found


def starts(name: str) -> dict[str, np.ndarray]:
    """Zeros, or normal deviates where the parameters' own size matters."""
    around, settings = CASES[name].around, CASES[name].literal[1]
    sized = {"l1", "l2", "decay"} & {*around, *settings} or around.get("clip", [""])[
        0
    ] == "adaptive"
    key = np.random.default_rng(5)
    return {
        key_: key.normal(size=g.shape[1:]) if sized else np.zeros(g.shape[1:])
        for key_, g in gradients().items()
    }


@functools.cache
def ours(name: str, factor: str):
    """Run the rule compiled, its floats as traced arrays; return the path and what is evaluated."""
    import jax
    import jax.numpy as jnp

    spec = CATALOGUE.validate(CASES[name].spec)

    def run(floats, table, start, recorded):
        optimizer = with_floats(spec, floats).build(lambda count: table[count])

        def body(carry, gradient):
            theta, state = carry
            nothing = {"value": jnp.zeros(()), "hvp": lambda v: v, "loss": lambda p: jnp.zeros(())}
            theta, state = optimizer.update(gradient, state, theta, **nothing)
            return (theta, state), (theta, optimizer.evaluation_parameters(theta, state))

        return jax.lax.scan(body, (start, optimizer.init(start)), recorded)[1]

    with jax.enable_x64(True):
        floats = {k: jnp.asarray(v) for k, v in split_floats(spec)[1].items()}
        table = jnp.asarray([FACTORS[factor](step) for step in range(STEPS + 2)])
        found = jax.jit(run)(floats, table, starts(name), gradients())
        return tuple({key: np.asarray(p) for key, p in each.items()} for each in found)


def apart(found, expected, start, whole: bool = False) -> float:
    """Return the largest distance between two paths, relative to the displacement so far.

    ``whole`` takes both of an array's coordinates together: for Muon, whose matrix products
    round each entry relative to the largest of its row, so that an entry 1e-11 of that has
    no eleventh digit.
    """
    worst = 0.0
    for key in expected:
        moved, off = np.abs(expected[key] - start[key]), np.abs(found[key] - expected[key])
        if whole:
            axes = tuple(range(1, moved.ndim))
            moved, off = moved.max(axis=axes), off.max(axis=axes)
        moved = np.maximum.accumulate(moved, axis=0)
        moved = np.maximum(moved, RESOLVED * np.abs(start[key]).max())
        assert np.isfinite(off).all() and moved[-1].min() > 0
        worst = max(worst, float((off / np.where(moved > 0, moved, 1)).max()))
    return worst


RUNS = [(name, "dropping") for name in CASES] + [(name, "rising") for name in FREE]


@pytest.mark.parametrize(("name", "factor"), RUNS)
def test_against_a_literal_transcription(name, factor):
    case = CASES[name]
    assert CATALOGUE.validate(case.spec).learning_rate == case.rate
    rule, settings = case.literal
    if settings.get("weight") == "largest_next":
        settings = settings | {"next_rate": lambda t: case.rate * FACTORS[factor](t)}
    start = starts(name)
    expected = literal.descend(
        lambda: rule(**settings), start, gradients(), case.rate, FACTORS[factor], **case.around
    )
    whole = case.spec["kind"] == "muon"
    for found, wanted in zip(ours(name, factor), expected, strict=True):
        assert apart(found, wanted, start, whole) < TOLERANCE


@functools.cache
def keras_paths():
    """All of Keras's runs, in one interpreter of their own."""
    requests = {}
    for name, case in CASES.items():
        if case.library and case.library[0] == "keras":
            rates = [case.rate * dropping(step) for step in range(STEPS)]
            requests[name] = (*case.library[1:], starts(name), gradients(), rates)
    return libraries.keras_paths(requests)


def optax_of(name: str, settings):
    """Return a function of the rate that gives Optax's transformation, and how to evaluate."""
    import optax

    if name == "ema+sgd":
        return lambda learning_rate: optax.chain(
            optax.ema(**settings), optax.sgd(learning_rate)
        ), None
    place = optax
    for part in name.split("."):
        place = getattr(place, part)
    free = optax.contrib.schedule_free_eval_params if "schedule_free" in name else None
    return functools.partial(place, **settings), free


def theirs(name: str, factor: str):
    """Run the library of a case; return the path and what is evaluated."""
    case = CASES[name]
    assert case.library
    library, own, settings = case.library
    package = own.partition(":")[0].partition(".")[0] if ":" in str(own) else library
    if not libraries.there(package):
        pytest.skip(f"{package} is not installed (extra 'peers')")
    if library == "keras":
        return (keras_paths()[name],) * 2
    arguments = starts(name), gradients(), case.rate, FACTORS[factor]
    if library == "torch":
        return libraries.torch_path(own, settings, *arguments)
    make, evaluate = optax_of(own, settings)
    return libraries.optax_path(make, *arguments, evaluate)


# The package's transcription of the paper weights by the largest rate, which is the paper's
# applied one as long as rates rise.
NO_LIBRARY = [("free-adamw-paper", "dropping")]
WITH_LIBRARY = [run for run in RUNS if CASES[run[0]].library and run not in NO_LIBRARY]
# keras.ops.norm is in single precision, whatever its argument has (3.15.1)
COARSER = {"muon-keras": 1e-6}


@pytest.mark.parametrize(("name", "factor"), WITH_LIBRARY)
def test_against_the_library(name, factor):
    whole = CASES[name].spec["kind"] == "muon"
    for found, wanted in zip(ours(name, factor), theirs(name, factor), strict=True):
        assert apart(found, wanted, starts(name), whole) < COARSER.get(name, TOLERANCE)


def muon_of_torch():
    start = {k: v for k, v in starts("muon-torch").items() if v.ndim == 2}
    recorded = {k: v for k, v in gradients().items() if k in start}
    found = {k: v for k, v in ours("muon-torch", "dropping")[0].items() if k in start}
    path, _ = libraries.torch_path("Muon", {}, start, recorded, 0.001, dropping)
    return apart(found, path, start, whole=True)


def test_torchs_muon_with_its_iteration_in_double_precision(monkeypatch):
    """PyTorch's own code, but for the rounding to bfloat16 at the iteration's start."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    assert muon_of_torch() < TOLERANCE


def test_torchs_muon_as_it_is():
    """bfloat16 has 8 bits; five steps that each multiply what is small by 3.4 spread its error."""
    pytest.importorskip("torch")
    assert 1e-3 < muon_of_torch() < BFLOAT16


@pytest.mark.parametrize("kind", ["momentum", "nesterov"])
def test_where_the_rate_is_applied_shows_once_it_falls(kind):
    """The conventions that a study can choose are measurably other rules."""
    start = starts("sgd")
    after, inside = (ours(f"{kind}-{flavour}", "dropping")[0] for flavour in ("torch", "keras"))
    before_it_falls = [{k: v[:70] for k, v in path.items()} for path in (after, inside)]
    assert apart(*before_it_falls, start) < TOLERANCE
    assert apart(after, inside, start) > 0.01


def test_what_schedule_free_descends_with_and_what_is_evaluated_differ():
    path, evaluated = ours("free-sgd-torch", "dropping")
    assert apart(path, evaluated, starts("free-sgd-torch")) > 0.01
