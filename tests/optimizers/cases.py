"""Every rule in every flavour: its specification, the literal rule, and the library's call.

The conventions of the literal rule are written out here and not taken from the
specification, so that what a flavour fills in is under test too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.optimizers import literal


class Case(NamedTuple):
    """A specification; (literal rule, its conventions); what :func:`literal.descend` does besides;
    (library, name, its settings)."""

    spec: dict[str, Any]
    rate: float
    literal: tuple[Any, dict[str, Any]]
    around: dict[str, Any] = {}
    library: tuple[str, Any, dict[str, Any]] | None = None


def optax(name: str, settings: dict[str, Any] | None = None) -> tuple[str, str, dict[str, Any]]:
    return "optax", name, settings or {}


def torch(name: str, settings: dict[str, Any] | None = None) -> tuple[str, str, dict[str, Any]]:
    return "torch", name, settings or {}


def keras(name: str, settings: dict[str, Any] | None = None) -> tuple[str, str, dict[str, Any]]:
    return "keras", name, settings or {}


def case(kind, flavour, rate, rule, conventions=None, library=None, around=None, **fields):
    spec = {"kind": kind, **({"flavour": flavour} if flavour else {}), **fields}
    return Case(spec, rate, (rule, conventions or {}), around or {}, library)


M, L2 = {"momentum": 0.9}, {"l2": 0.1}
N = M | {"nesterov": True}
INSIDE = {"inside": True}
HAT = {"epsilon": 1e-7, "epsilon_hat": True}
ROOT = {"initial": 0.1, "epsilon": 1e-7, "root_of_all": True}
RMS_OPTAX = {"decay": 0.9, "epsilon": 1e-8, "root_of_all": True, "inside": True}
RMS_KERAS = RMS_OPTAX | {"epsilon": 1e-7}
BELIEF = "adabelief_pytorch:AdaBelief"
BELIEF_SETTINGS = {"print_change_log": False}
FREE_SGD, FREE_ADAMW = "schedulefree:SGDScheduleFree", "schedulefree:AdamWScheduleFree"
FREE_PAPER = "schedulefree.adamw_schedulefree_paper:AdamWScheduleFreePaper"

SGD = {
    "sgd": case("sgd", None, 0.01, literal.sgd, library=torch("SGD")),
    "sgd-optax": case("sgd", "optax", 0.01, literal.sgd, library=optax("sgd")),
    "sgd-keras": case("sgd", "keras", 0.01, literal.sgd, library=keras("SGD")),
    "sgd-l2": case(
        "sgd", None, 0.01, literal.sgd, {}, torch("SGD", {"weight_decay": 0.1}), L2, l2=0.1
    ),
    "momentum-torch": case("sgd", "torch", 0.01, literal.sgd, M, torch("SGD", M), **M),
    "momentum-optax": case("sgd", "optax", 0.01, literal.sgd, M, optax("sgd", M), **M),
    "momentum-keras": case("sgd", "keras", 0.01, literal.sgd, M | INSIDE, keras("SGD", M), **M),
    "momentum-paper": case("sgd", "paper", 0.01, literal.sgd, M | INSIDE, **M),
    "nesterov-torch": case("sgd", "torch", 0.01, literal.sgd, N, torch("SGD", N), **N),
    "nesterov-optax": case("sgd", "optax", 0.01, literal.sgd, N, optax("sgd", N), **N),
    "nesterov-keras": case("sgd", "keras", 0.01, literal.sgd, N | INSIDE, keras("SGD", N), **N),
    "nesterov-paper": case("sgd", "paper", 0.01, literal.sgd, N | INSIDE, **N, gradient="here"),
    "dampening-torch": case(
        "sgd",
        "torch",
        0.01,
        literal.sgd,
        M | {"dampening": 0.9, "first_undamped": True},
        torch("SGD", M | {"dampening": 0.9}),
        **M,
        dampening=0.9,
    ),
    "dampening-optax": case(
        "sgd",
        "optax",
        0.01,
        literal.sgd,
        M | {"dampening": 0.9},
        optax("ema+sgd", {"decay": 0.9, "debias": False}),
        **M,
        dampening=0.9,
    ),
}

SCALED = {
    "adagrad-torch": case("adagrad", "torch", 0.01, literal.adagrad, {}, torch("Adagrad")),
    "adagrad-optax": case("adagrad", "optax", 0.01, literal.adagrad, ROOT, optax("adagrad")),
    "adagrad-keras": case("adagrad", "keras", 0.001, literal.adagrad, ROOT, keras("Adagrad")),
    "adagrad-paper": case("adagrad", "paper", 0.01, literal.adagrad, {"epsilon": 1e-8}),
    "rmsprop-torch": case("rmsprop", "torch", 0.01, literal.rmsprop, {}, torch("RMSprop")),
    "rmsprop-optax": case("rmsprop", "optax", 0.01, literal.rmsprop, RMS_OPTAX, optax("rmsprop")),
    "rmsprop-keras": case("rmsprop", "keras", 0.001, literal.rmsprop, RMS_KERAS, keras("RMSprop")),
    "rmsprop-paper": case(
        "rmsprop",
        "paper",
        0.0001,
        literal.rmsprop,
        {"decay": 0.95, "epsilon": 1e-4, "root_of_all": True, "centred": True, **M, **INSIDE},
    ),
    "rmsprop-momentum-torch": case(
        "rmsprop", "torch", 0.01, literal.rmsprop, M, torch("RMSprop", M), **M
    ),
    "rmsprop-momentum-optax": case(
        "rmsprop", "optax", 0.01, literal.rmsprop, M | RMS_OPTAX, optax("rmsprop", M), **M
    ),
    "rmsprop-momentum-keras": case(
        "rmsprop", "keras", 0.001, literal.rmsprop, M | RMS_KERAS, keras("RMSprop", M), **M
    ),
    "rmsprop-centred-torch": case(
        "rmsprop",
        "torch",
        0.01,
        literal.rmsprop,
        {"centred": True},
        torch("RMSprop", {"centered": True}),
        centred=True,
    ),
    "rmsprop-centred-optax": case(
        "rmsprop",
        "optax",
        0.01,
        literal.rmsprop,
        RMS_OPTAX | {"centred": True},
        optax("rmsprop", {"centered": True}),
        centred=True,
    ),
    "rmsprop-centred-keras": case(
        "rmsprop",
        "keras",
        0.001,
        literal.rmsprop,
        RMS_KERAS | {"centred": True},
        keras("RMSprop", {"centered": True}),
        centred=True,
    ),
}

MOMENTS = {
    "adam-torch": case("adam", "torch", 0.001, literal.adam, {}, torch("Adam")),
    "adam-optax": case("adam", "optax", 0.001, literal.adam, {}, optax("adam")),
    "adam-keras": case("adam", "keras", 0.001, literal.adam, HAT, keras("Adam")),
    "adam-paper": case("adam", "paper", 0.001, literal.adam),
    "adam-l2": case(
        "adam", "torch", 0.001, literal.adam, {}, torch("Adam", {"weight_decay": 0.1}), L2, l2=0.1
    ),
    "adamw-torch": case("adamw", "torch", 0.001, literal.adam, {}, torch("AdamW"), {"decay": 0.01}),
    "adamw-optax": case("adamw", "optax", 0.001, literal.adam, {}, optax("adamw"), {"decay": 1e-4}),
    "adamw-keras": case(
        "adamw", "keras", 0.001, literal.adam, HAT, keras("AdamW"), {"decay": 0.004}
    ),
    "adamw-paper": case(
        "adamw", "paper", 0.001, literal.adam, {}, None, {"decay": 0.01, "decay_by": "schedule"}
    ),
    "nadam-torch": case("nadam", "torch", 0.002, literal.nadam, {}, torch("NAdam")),
    "nadam-optax": case("nadam", "optax", 0.002, literal.adam, {"nesterov": True}, optax("nadam")),
    "nadam-keras": case(
        "nadam", "keras", 0.001, literal.nadam, {"psi": 1.0, "epsilon": 1e-7}, keras("Nadam")
    ),
    "nadam-paper": case(
        "nadam",
        "paper",
        0.002,
        literal.nadam,
        {"beta": 0.99, "by_schedule": True, "times_nu": True},
    ),
    "adabelief-torch": case(
        "adabelief",
        "torch",
        0.001,
        literal.adabelief,
        {"rectify": True},
        torch(BELIEF, BELIEF_SETTINGS),
    ),
    "adabelief-torch-plain": case(
        "adabelief",
        "torch",
        0.001,
        literal.adabelief,
        {},
        torch(BELIEF, BELIEF_SETTINGS | {"rectify": False}),
        rectify=False,
    ),
    "adabelief-optax": case("adabelief", "optax", 0.001, literal.adabelief, {}, optax("adabelief")),
    "adabelief-paper": case("adabelief", "paper", 0.001, literal.adabelief, {"epsilon": 1e-8}),
    "lion-paper": case("lion", "paper", 0.0001, literal.lion),
    "lion-optax": case("lion", "optax", 0.0001, literal.lion, {}, optax("lion"), {"decay": 0.001}),
    "lion-keras": case("lion", "keras", 0.001, literal.lion, {}, keras("Lion")),
}

MUON = {
    # PyTorch's iteration is in bfloat16 and its matrices only: compared apart, in test_rules
    "muon-torch": case(
        "muon",
        "torch",
        0.001,
        literal.muon,
        {"buffer": "average", "largest": True},
        None,
        {"decay": 0.1},
    ),
    "muon-optax": case(
        "muon",
        "optax",
        0.001,
        literal.muon,
        {"buffer": "corrected", "epsilon": 1e-8, "rest": {"nesterov": True}},
        optax("contrib.muon"),
    ),
    "muon-keras": case(
        "muon",
        "keras",
        0.001,
        literal.muon,
        {"rms": 0.2, "rest": HAT},
        keras("Muon"),
        {"decay": 0.004},
    ),
    "muon-paper": case(
        "muon",
        "paper",
        0.02,
        literal.muon,
        {"ratio": 0.015, "rest": {"beta2": 0.95, "epsilon": 1e-10}},
    ),
    "muon-plain": case(
        "muon",
        "optax",
        0.001,
        literal.muon,
        {"buffer": "corrected", "epsilon": 1e-8, "nesterov": False},
        optax("contrib.muon", {"nesterov": False}),
        nesterov=False,
        adam_nesterov=False,
    ),
}

FREE = {
    "free-sgd-torch": case(
        "schedule_free_sgd", "torch", 1.0, literal.schedule_free, {}, torch(FREE_SGD)
    ),
    "free-sgd-optax": case(
        "schedule_free_sgd",
        "optax",
        1.0,
        literal.schedule_free,
        {"weight": "largest_next"},
        optax("contrib.schedule_free_sgd"),
    ),
    "free-sgd-paper": case(
        "schedule_free_sgd", "paper", 1.0, literal.schedule_free, {"weight": "applied"}
    ),
    "free-sgd-decay": case(
        "schedule_free_sgd",
        "torch",
        1.0,
        literal.schedule_free,
        {"decay": 0.1},
        torch(FREE_SGD, {"weight_decay": 0.1}),
        weight_decay=0.1,
    ),
    "free-adamw-torch": case(
        "schedule_free_adamw",
        "torch",
        0.0025,
        literal.schedule_free,
        {"adam": (0.999, 1e-8, "root")},
        torch(FREE_ADAMW),
    ),
    "free-adamw-optax": case(
        "schedule_free_adamw",
        "optax",
        0.0025,
        literal.schedule_free,
        {"adam": (0.999, 1e-8, "root"), "weight": "largest_next"},
        optax("contrib.schedule_free_adamw"),
    ),
    "free-adamw-paper": case(
        "schedule_free_adamw",
        "paper",
        0.0025,
        literal.schedule_free,
        {"adam": (0.999, 1e-8, "rate"), "weight": "applied"},
        torch(FREE_PAPER),
    ),
    "free-adamw-decay": case(
        "schedule_free_adamw",
        "torch",
        0.0025,
        literal.schedule_free,
        {"adam": (0.999, 1e-8, "root"), "decay": 0.1},
        torch(FREE_ADAMW, {"weight_decay": 0.1}),
        weight_decay=0.1,
    ),
}

AROUND = {
    "clip-value": case(
        "sgd",
        "torch",
        0.01,
        literal.sgd,
        M,
        None,
        {"clip": ("value", 0.5)},
        clip={"kind": "value", "at": 0.5},
        **M,
    ),
    "clip-norm": case(
        "sgd",
        "torch",
        0.01,
        literal.sgd,
        M,
        None,
        {"clip": ("norm", 2.0)},
        clip={"kind": "norm", "at": 2.0},
        **M,
    ),
    "clip-adaptive": case(
        "adam",
        "torch",
        0.001,
        literal.adam,
        {},
        None,
        {"clip": ("adaptive", 0.01)},
        clip={"kind": "adaptive", "at": 0.01},
    ),
    "l1": case("rmsprop", "torch", 0.01, literal.rmsprop, {}, None, {"l1": 0.03}, l1=0.03),
    "accumulate": case(
        "adam", "torch", 0.001, literal.adam, {}, None, {"accumulate": 3}, accumulate=3
    ),
    "everything": case(
        "adamw",
        "keras",
        0.001,
        literal.adam,
        HAT,
        None,
        {"clip": ("norm", 5.0), "accumulate": 4, "l2": 0.1, "l1": 0.2, "decay": 0.3},
        clip={"kind": "norm", "at": 5.0},
        accumulate=4,
        l2=0.1,
        l1=0.2,
        weight_decay=0.3,
    ),
    "free-everything": case(
        "schedule_free_adamw",
        "torch",
        0.0025,
        literal.schedule_free,
        {"adam": (0.999, 1e-8, "root"), "decay": 0.3},
        None,
        {"clip": ("value", 5.0), "accumulate": 2, "l2": 0.1, "l1": 0.2},
        clip={"kind": "value", "at": 5.0},
        accumulate=2,
        l2=0.1,
        l1=0.2,
        weight_decay=0.3,
    ),
}

CASES: dict[str, Case] = {**SGD, **SCALED, **MOMENTS, **MUON, **FREE, **AROUND}
