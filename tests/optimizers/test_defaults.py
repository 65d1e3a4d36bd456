"""What a flavour fills in is what the library's own signature says."""

from __future__ import annotations

import functools

import pytest

from descentlab.optimizers.specs import CATALOGUE
from tests.optimizers import libraries

ADAM_TORCH = {"learning_rate": "lr", "beta1": ("betas", 0), "beta2": ("betas", 1), "epsilon": "eps"}
ADAM_OPTAX = {"beta1": "b1", "beta2": "b2", "epsilon": "eps"}
ADAM_KERAS = {
    "learning_rate": "learning_rate",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "epsilon": "epsilon",
}
DECAY = {"weight_decay": "weight_decay"}
MUON = {"nesterov": "nesterov", "steps": "ns_steps", **DECAY}
FREE = {"learning_rate": "learning_rate", "beta1": "b1"}

TORCH = {
    "sgd": ("SGD", {"learning_rate": "lr", "momentum": "momentum", "l2": "weight_decay",
                    "dampening": "dampening", "nesterov": "nesterov"}),
    "adagrad": ("Adagrad", {"learning_rate": "lr", "epsilon": "eps", "l2": "weight_decay",
                            "initial_accumulator": "initial_accumulator_value"}),
    "rmsprop": ("RMSprop", {"learning_rate": "lr", "decay": "alpha", "epsilon": "eps",
                            "centred": "centered", "momentum": "momentum", "l2": "weight_decay"}),
    "adam": ("Adam", ADAM_TORCH | {"l2": "weight_decay"}),
    "adamw": ("AdamW", ADAM_TORCH | DECAY),
    "nadam": ("NAdam", ADAM_TORCH | {"momentum_decay": "momentum_decay", "l2": "weight_decay"}),
    "adabelief": ("adabelief_pytorch:AdaBelief", ADAM_TORCH | DECAY | {"rectify": "rectify",
                                                                      "epsilon_root": "eps"}),
    "muon": ("Muon", MUON | {"learning_rate": "lr", "momentum": "momentum", "epsilon": "eps",
                             "coefficients": "ns_coefficients"}),
    "schedule_free_sgd": ("schedulefree:SGDScheduleFree",
                          {"learning_rate": "lr", "beta1": "momentum", **DECAY}),
    "schedule_free_adamw": ("schedulefree:AdamWScheduleFree", ADAM_TORCH | DECAY),
}  # fmt: skip
OPTAX = {
    "sgd": ("sgd", {"momentum": "momentum", "nesterov": "nesterov"}),
    "adagrad": ("adagrad", {"epsilon": "eps", "initial_accumulator": "initial_accumulator_value"}),
    "rmsprop": ("rmsprop", {"decay": "decay", "epsilon": "eps", "centred": "centered",
                            "momentum": "momentum"}),
    "adam": ("adam", ADAM_OPTAX),
    "adamw": ("adamw", ADAM_OPTAX | DECAY),
    "nadam": ("nadam", ADAM_OPTAX | {"l2": "weight_decay"}),
    "adabelief": ("adabelief", ADAM_OPTAX | {"epsilon_root": "eps_root"}),
    "lion": ("lion", {"beta1": "b1", "beta2": "b2", **DECAY}),
    "muon": ("contrib.muon", MUON | {"momentum": "beta", "epsilon": "eps", "adam_epsilon": "eps",
                                     "coefficients": "ns_coeffs", "adam_beta1": "adam_b1",
                                     "adam_beta2": "adam_b2", "adam_nesterov": "nesterov"}),
    "schedule_free_sgd": ("contrib.schedule_free_sgd", FREE | DECAY),
    "schedule_free_adamw": ("contrib.schedule_free_adamw",
                            FREE | DECAY | {"beta2": "b2", "epsilon": "eps"}),
}  # fmt: skip
KERAS = {
    "sgd": ("SGD", {"learning_rate": "learning_rate", "momentum": "momentum",
                    "nesterov": "nesterov", **DECAY}),
    "adagrad": ("Adagrad", {"learning_rate": "learning_rate", "epsilon": "epsilon", **DECAY,
                            "initial_accumulator": "initial_accumulator_value"}),
    "rmsprop": ("RMSprop", {"learning_rate": "learning_rate", "decay": "rho", "epsilon": "epsilon",
                            "centred": "centered", "momentum": "momentum", **DECAY}),
    "adam": ("Adam", ADAM_KERAS | DECAY),
    "adamw": ("AdamW", ADAM_KERAS | DECAY),
    "nadam": ("Nadam", ADAM_KERAS | DECAY),
    "lion": ("Lion", {"learning_rate": "learning_rate", "beta1": "beta_1", "beta2": "beta_2",
                      **DECAY}),
    "muon": ("Muon", MUON | {"learning_rate": "learning_rate", "momentum": "momentum",
                             "rms": "rms_rate", "adam_beta1": "adam_beta_1",
                             "adam_beta2": "adam_beta_2", "adam_epsilon": "epsilon",
                             "adam_ratio": "adam_lr_ratio"}),
}  # fmt: skip


# What studies that do not say it were run with from the first; PyTorch gave SGD no default
# before 2.0, and then 1e-3.
OTHERWISE = {("sgd", "torch", "learning_rate"): (0.01, 0.001)}


def compared(kind: str, flavour: str, fields: dict, defaults: dict) -> None:
    """Compare; none and 0 are the same of a strength."""
    spec = CATALOGUE.validate({"kind": kind, "flavour": flavour})
    found = {field: getattr(spec, field) or 0 for field in fields}
    expected = {}
    for field, name in fields.items():
        value = defaults[name[0]][name[1]] if isinstance(name, tuple) else defaults.get(name, 0)
        expected[field] = value or 0
        if (kind, flavour, field) in OTHERWISE:
            assert OTHERWISE[kind, flavour, field] == (found.pop(field), expected.pop(field))
    assert found == expected


@pytest.mark.parametrize("kind", TORCH)
def test_of_torch(kind):
    name, fields = TORCH[kind]
    package = name.partition(":")[0] if ":" in name else "torch"
    if not libraries.there(package):
        pytest.skip(f"{package} is not installed (extra 'peers')")
    compared(kind, "torch", fields, libraries.defaults(libraries.torch_class(name)))


@pytest.mark.parametrize("kind", OPTAX)
def test_of_optax(kind):
    import optax

    name, fields = OPTAX[kind]
    function = getattr(optax.contrib if "." in name else optax, name.rpartition(".")[2])
    compared(kind, "optax", fields, libraries.defaults(function))


@functools.cache
def of_keras():
    return libraries.keras_paths({kind: ("defaults", name) for kind, (name, _) in KERAS.items()})


@pytest.mark.parametrize("kind", KERAS)
def test_of_keras(kind):
    if not libraries.there("keras"):
        pytest.skip("keras is not installed (extra 'peers')")
    compared(kind, "keras", KERAS[kind][1], of_keras()[kind])


def test_every_library_that_a_flavour_names_is_compared():
    tables = {"torch": TORCH, "optax": OPTAX, "keras": KERAS}
    named = {
        (kind, flavour)
        for kind, spec in CATALOGUE.kinds.items()
        for flavour in getattr(spec, "FLAVOURS", {})
        if flavour in tables and kind in OPTAX | KERAS | TORCH
    }
    assert named == {(kind, flavour) for flavour, table in tables.items() for kind in table}


@pytest.mark.parametrize("kind", CATALOGUE.kinds)
def test_the_first_flavours_values_are_the_fields_own(kind):
    spec = CATALOGUE.kinds[kind]
    for field, value in next(iter(getattr(spec, "FLAVOURS", {}).values()), {}).items():
        assert spec.model_fields[field].default == value


def test_a_field_that_is_given_stays_as_it_is_given():
    spec = CATALOGUE.validate({"kind": "adam", "flavour": "keras", "epsilon": 1e-3})
    assert (spec.epsilon, spec.epsilon_at) == (1e-3, "uncorrected")
