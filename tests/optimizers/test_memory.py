"""What an update is expected to hold in memory against the compiler's own account of it."""

from __future__ import annotations

import jax
import pytest

from descentlab.core.errors import SpecError
from descentlab.engine.program import Program
from descentlab.engine.strategy import Platform, Strategy
from descentlab.studies.configurations import configurations
from descentlab.studies.plan import plan
from descentlab.studies.spec import Study


def planned(optimizer, hidden, memory=1 << 40, **run):
    study = Study.parse({
        "name": "memory",
        "run": {
            "data": "digits",
            "model": {"kind": "mlp", "hidden": hidden},
            "optimizer": optimizer,
            "steps": 2,
            "record": {"every": 2},
        } | run,
    })  # fmt: skip
    alone = Strategy("map", 1, 1)
    return plan(configurations(study), study.seeds, Platform("cpu", 2, memory), strategy=alone)[0]


@pytest.mark.parametrize("batches", ["full", {"kind": "shuffled", "size": 64}])
@pytest.mark.parametrize(
    "optimizer",
    [
        "newton",
        {"kind": "newton", "method": "cg"},
        "saddle_free",
        {"kind": "saddle_free", "method": "lanczos", "rank": 50},
    ],
)
def test_the_memory_of_an_update_is_foreseen(optimizer, batches):
    one = planned(optimizer, [8], batches=batches)
    program = Program(one.cohort, one.strategy)
    seeds, floats = program.inputs(one.cohort.runs)
    data = {k: tuple(map(jax.numpy.asarray, v)) for k, v in one.cohort.arrays.parts.items()}
    program.advance(program.start(seeds, floats), seeds, floats, data, 0, 2)
    held = program._compiled["advance"].memory_analysis().temp_size_in_bytes
    assert held <= one.cost.run_bytes <= 5 * held


@pytest.mark.parametrize(
    ("optimizer", "says"),
    [
        ("newton", r"run\.optimizer\.method: dense holds the Hessian of 2,410 parameters; at most "
                   r"[\d,]+ fit: set 'method: cg'.*0\.09 GB, and 0\.04 GB"),
        ("saddle_free", r"run\.optimizer\.method: dense .* set 'method: lanczos'"),
        ({"kind": "saddle_free", "method": "lanczos", "rank": 10**6},
         r"run\.optimizer\.rank: 1,000,000 holds .* at most [\d,]+ fit"),
        ({"kind": "lookahead", "inner": "newton"}, r"run\.optimizer\.inner\.method: dense"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_what_would(optimizer, says):
    with pytest.raises(SpecError, match=says) as caught:
        planned(optimizer, [32], memory=50_000_000, steps=20)
    if optimizer == "newton":
        most = int(str(caught.value).split("at most ")[1].split(" fit")[0].replace(",", ""))
        width = (most - 10) // 75  # a network of at most so many parameters does fit
        assert planned(optimizer, [width], memory=50_000_000, steps=20).cost.parameters <= most
