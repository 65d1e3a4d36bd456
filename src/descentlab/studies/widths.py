"""Widths of layers trained by one program, where that costs less than a compilation each.

A multi-layer perceptron may be trained in the corner of a wider one: weights of the units
that it lacks are zero and stay so. Their activations f(0) = 0 give their outgoing weights a
gradient of zero, their outgoing weights of zero give their incoming ones a gradient of zero,
and an optimizer moves no parameter whose gradients were all zero. Initial weights are those
of the narrow network.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from descentlab.core.spec import split_floats
from descentlab.models.specs import MultiLayerPerceptron
from descentlab.optimizers.rules.adabelief import AdaBelief
from descentlab.optimizers.rules.adagrad import Adagrad
from descentlab.optimizers.rules.adam import Adam, AdamW
from descentlab.optimizers.rules.lion import Lion
from descentlab.optimizers.rules.nadam import NAdam
from descentlab.optimizers.rules.rmsprop import RMSProp
from descentlab.optimizers.rules.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from descentlab.optimizers.rules.sgd import SGD
from descentlab.studies.configurations import Configuration
from descentlab.studies.spec import RunSpec

if TYPE_CHECKING:
    from descentlab.studies.datasets import Datasets

COMPILE_SECONDS = 2.0
"""What a core needs to compile the training of a perceptron (measured: 1.7 … 2.2)."""

RATE = {"cpu": 6e10, "other": 1e13}
"""Operations a second that training reaches: of one core (measured: 5e10 … 7e10), of a GPU."""

ZERO_AT_ZERO = {"identity", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu"}

COORDINATEWISE = (
    SGD, Adagrad, RMSProp, Adam, AdamW, NAdam, AdaBelief, Lion, ScheduleFreeSGD, ScheduleFreeAdamW
)  # fmt: skip
"""Rules by which a parameter goes its own way, and stays zero if its gradients are.

Muon is none: it scales a matrix's step by the matrix's shape.
"""


class Group(NamedTuple):
    """Configurations that one program trains, and the run whose structure it has."""

    structure: str
    spec: RunSpec
    members: tuple[tuple[Configuration, dict[str, float]], ...]


def groups_of(configurations: Sequence[Configuration]) -> list[Group]:
    """Return the configurations by structure, in the order of their first appearance."""
    found: dict[str, list[tuple[Configuration, dict[str, float]]]] = {}
    for configuration in configurations:
        structure, floats = split_floats(configuration.run)
        found.setdefault(structure, []).append((configuration, floats))
    return [Group(key, own[0][0].run, tuple(own)) for key, own in found.items()]


def shared(
    groups: Sequence[Group], datasets: Datasets, runs: float, device: str
) -> list[Group]:  # fmt: skip
    """Join groups that differ in widths alone, where a wider network costs less than compiling.

    Args:
        groups: the groups.
        datasets: where their data is.
        runs: how many runs, each trained to its end, a configuration is worth: its seeds,
            times the share of its epochs that a search is expected to train.
        device: the platform, ``cpu`` or another.
    """
    alike: dict[str, list[Group]] = {}
    for number, group in enumerate(groups):
        alike.setdefault(_rest(group) or str(number), []).append(group)
    joined = []
    for family in alike.values():
        if len(family) > 1:
            family.sort(key=lambda group: group.spec.model.hidden)
            work = runs * _updates(family[0].spec, datasets) / RATE.get(device, RATE["other"])
            family = [_joined(part) for part in _cheapest(family, work, datasets)]
        joined += family
    return sorted(joined, key=lambda group: group.members[0][0].id)


def _updates(run: RunSpec, datasets: Datasets) -> int:
    """Return how many updates a run has, times the examples of each."""
    examples = len(datasets.load(run).train)
    steps = run.steps or run.epochs * run.batches.steps_per_epoch(examples)
    return steps * run.batches.batch_size(examples)


def _rest(group: Group) -> str | None:
    """Return what groups must have in common to be joined, None if this one cannot be."""
    run = group.spec
    model, optimizer = run.model, run.optimizer
    if type(model) is not MultiLayerPerceptron or type(optimizer) not in COORDINATEWISE:
        return None
    if model.dropout is not None or model.activation not in ZERO_AT_ZERO or run.record.checkpoint:
        return None
    ones = (1,) * len(model.hidden)
    same = run.model_copy(update={"model": model.model_copy(update={"hidden": ones})})
    return split_floats(same)[0] if ones else None


def _cheapest(family: list[Group], work: float, datasets: Datasets) -> list[list[Group]]:
    """Cut a family, sorted by widths, into neighbours so that all together cost least.

    ``work`` is the seconds that one operation an example takes in all of a run.
    """
    inputs = math.prod(datasets.load(family[0].spec).train.inputs.shape[1:])
    costs, cuts = [0.0], [0]
    for end in range(1, len(family) + 1):
        found = []
        for start in range(end):
            part = family[start:end]
            runs = sum(len(group.members) for group in part)
            training = runs * work * _operations(inputs, _widest(part))
            found.append((costs[start] + COMPILE_SECONDS + training, start))
        cost, start = min(found)
        costs.append(cost)
        cuts.append(start)
    parts, end = [], len(family)
    while end:
        parts.append(family[cuts[end] : end])
        end = cuts[end]
    return parts


def _widest(part: Sequence[Group]) -> tuple[int, ...]:
    return tuple(map(max, zip(*(group.spec.model.hidden for group in part), strict=True)))


def _operations(inputs: int, hidden: Sequence[int]) -> int:
    """Return the operations of an update an example; no gradient reaches back to the inputs."""
    return 4 * inputs * hidden[0] + 6 * sum(a * b for a, b in itertools.pairwise(hidden))


def _joined(part: Sequence[Group]) -> Group:
    if len(part) == 1:
        return part[0]
    run = part[0].spec
    model = run.model.model_copy(update={"hidden": _widest(part)})
    spec = run.model_copy(update={"model": model})
    members = sorted((each for group in part for each in group.members), key=lambda m: m[0].id)
    return Group(split_floats(spec)[0], spec, tuple(members))
