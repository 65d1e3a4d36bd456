"""Models in company: rows, seeds, what is trained, and models named in a user's own file."""

from __future__ import annotations

import textwrap

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descentlab.core.errors import SpecError
from descentlab.core.keys import named_key
from descentlab.core.spec import Spec, split_floats, with_floats
from descentlab.engine.step import is_setting, trainable
from descentlab.models.initial import CATALOGUE as INITIAL
from descentlab.models.initial import _Scaled
from descentlab.models.specs import CATALOGUE

from . import test_model_contract as contract
from .test_model_specs import Run

MODELS = {
    "linear": {"kind": "linear", "initial": "torch"},
    "logistic": {"kind": "logistic", "initial": "he"},
    "mlp": {"kind": "mlp", "hidden": [6, 5], "activation": "gelu", "dropout": 0.4},
}
SPREADS = {name: {"kind": name} for name in INITIAL.kinds} | {
    f"{name}-normal": {"kind": name, "distribution": "normal"}
    for name, kind in INITIAL.kinds.items()
    if issubclass(kind, _Scaled)
}


def build(raw, key=0, dtype=jnp.float32):
    spec = CATALOGUE.validate(raw)
    return spec.build((4,), 3, key=jax.random.key(key), dtype=dtype)  # type: ignore[attr-defined]


def test_no_kind_is_left_out():
    cases = contract.ModelContract.__subclasses__()
    assert set(MODELS) == set(CATALOGUE.kinds)
    assert set(CATALOGUE.kinds) <= {CATALOGUE.validate(case.spec).kind for case in cases}


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.parametrize("kind", MODELS)
def test_a_row_feels_no_other_row(kind, dtype):
    """Not even one that is not a number, and not in a smaller batch; with dropout and without."""
    with jax.enable_x64(dtype == jnp.float64):
        module = build(MODELS[kind], dtype=dtype)
        x = np.random.default_rng(0).normal(size=(32, 4))
        spoilt = x.copy()
        spoilt[5] = np.nan
        others, key = np.arange(32) != 5, jax.random.key(1)
        for mode in (None, key):
            found = module(jnp.asarray(x, dtype), key=mode)
            beside = np.asarray(module(jnp.asarray(spoilt, dtype), key=mode))
            np.testing.assert_array_equal(np.asarray(found)[others], beside[others])
            assert np.isnan(beside[5]).all()
        for rows in (1, 7):
            part = module(jnp.asarray(x[:rows], dtype))
            whole = module(jnp.asarray(x, dtype))[:rows]
            np.testing.assert_allclose(part, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", SPREADS)
def test_a_model_starts_from_the_same_bits_among_1_7_or_32(name):
    """Alone or beside others in one program, with its floats as the program's arguments."""
    spec = CATALOGUE.validate({"kind": "linear", "initial": SPREADS[name]})  # compiles soonest

    def start(seed, floats):
        built = with_floats(spec, floats)
        return built.build((4,), 3, key=named_key(seed, "init"), dtype=jnp.float32)  # type: ignore[attr-defined]

    def leaves(seed, floats):
        return [x for x in jax.tree.leaves(start(seed, floats)) if eqx.is_array(x)]

    floats = {k: jnp.float32(v) for k, v in split_floats(spec)[1].items()}
    seeds, alone = jnp.arange(32, dtype=jnp.uint32), jax.jit(leaves)
    own = [alone(seed, floats) for seed in seeds]
    for width in (1, 7, 32):
        wide = jax.jit(jax.vmap(leaves, (0, None)))(seeds[:width], floats)
        for number in range(width):
            for a, b in zip(own[number], wide, strict=True):
                np.testing.assert_array_equal(a, b[number])
    if name != "zeros":
        assert np.any(own[0][0] != own[1][0])


@pytest.mark.parametrize("traced", [False, True])
def test_the_dropout_rate_is_no_parameter(traced):
    """The engine's partition leaves the rate out, and puts it back where it was."""
    spec = CATALOGUE.validate(MODELS["mlp"])

    def parts(rate):
        made = with_floats(spec, {"dropout": rate}) if traced else spec
        module = made.build((4,), 3, key=jax.random.key(0), dtype=jnp.float32)  # type: ignore[attr-defined]
        trained, rest = eqx.partition(module, trainable, is_leaf=is_setting)
        again = eqx.combine(trained, rest, is_leaf=is_setting)
        return jax.tree.leaves(trained), rest.rate.value, again.rate.value

    trained, rate, again = jax.jit(parts)(jnp.float32(0.4))
    assert [x.shape for x in trained] == [(4, 6), (6,), (6, 5), (5,), (5, 3), (3,)]
    assert float(rate) == float(again) == pytest.approx(0.4)


def test_the_mean_over_dropout_is_the_output_without():
    """Where the model is linear in each mask, inverted dropout is right on average."""
    module = build({**MODELS["mlp"], "activation": "identity"})
    x, keys = jnp.asarray(np.random.default_rng(2).normal(size=(2, 4)), jnp.float32), 20_000
    many = jax.vmap(lambda step: module(x, key=jax.random.fold_in(jax.random.key(6), step)))
    found = np.asarray(jax.jit(many)(jnp.arange(keys)), np.float64)
    error = found.std(axis=0) / np.sqrt(keys)
    assert (np.abs(found.mean(axis=0) - np.asarray(module(x))) < 4 * error).all()
    assert (error > 0).all()


OWN = """
    import equinox as eqx
    import jax.numpy as jnp

    class Scaled(eqx.Module):
        inner: eqx.nn.Linear
        scale: object

        def __init__(self, input_shape, outputs, *, key, scale=1.0):
            self.inner = eqx.nn.Linear(*input_shape, outputs, key=key)
            self.scale = scale

        def __call__(self, x):
            return self.scale * self.inner(x)

    class Inside:
        net = Scaled

    def two(input_shape, outputs):
        return Scaled(input_shape, outputs, key=None)

    def positional(input_shape, outputs, key, *, needed):
        return Scaled(input_shape, outputs, key=key)

    class Mine:
        pass

    text = "no model"
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A user's package in a folder that Python searches."""
    package = tmp_path / "my_models_for_test"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "nets.py").write_text(textwrap.dedent(OWN))
    (package / "broken.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "my_models_for_test.nets"


def test_a_users_file_is_imported_and_its_float_is_data(own):
    spec = Run.parse({"model": {"kind": f"{own}:Scaled", "settings": {"scale": 2.0}}}).model
    assert isinstance(spec, Spec)
    assert split_floats(spec)[1] == {"settings.scale": 2.0}
    one, other = build(f"{own}:Scaled"), build(spec)
    x = jnp.arange(4.0)
    np.testing.assert_allclose(other(x), 2 * one(x), rtol=1e-6)
    np.testing.assert_array_equal(other(x), build(spec)(x))
    assert np.any(build(spec, key=1)(x) != other(x))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nets:two", r"run\.model: .*nets:two cannot be called as object\(input_shape, outputs"),
        ("nets:positional", r"cannot be called .*missing a required .*'needed'"),
        ("nets:Mine", r"cannot be called"),
        ("nets:text", r"run\.model: .*'.*nets:text' is str, which makes no model"),
        ("nets:Absent", r"run\.model: cannot import model .*Absent"),
        ("absent:Net", r"cannot import model .*No module named 'my_models_for_test\.absent'"),
        ("broken:Net", r"cannot import model .*No module named 'no_such_module_at_all'"),
    ],
)
def test_a_users_file_that_does_not_fit_is_refused_by_name(own, name, message):
    with pytest.raises(SpecError, match=message):
        Run.parse({"model": f"my_models_for_test.{name}"}, "run")
