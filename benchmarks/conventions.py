"""How far the libraries' rules of one name part, and ours from each: ``docs/conventions.md``.

Run ``python benchmarks/conventions.py``; it takes the libraries of the extra ``peers`` and
rewrites the page. Every library gets the same settings and the same recorded gradients.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.optimizers import libraries  # noqa: E402

PAGE = ROOT / "docs" / "conventions.md"
STEPS, DROP, SHAPE = 100, 50, (6, 4)
SCALES = {"1e-6": 1e-6, "1e-3": 1e-3, "1": 1.0, "1e3": 1e3}
SCHEDULES = {
    "constant": lambda step: 1.0,
    "drop": lambda step: 0.1 if step >= DROP else 1.0,
}
RATE = 0.01
M, E8 = {"momentum": 0.9}, {"eps": 1e-8}
BELIEF = "adabelief_pytorch:AdaBelief"

RULES: dict[str, dict[str, Any]] = {
    "Momentum": {
        "says": "μ = 0.9",
        "torch": ("SGD", M), "optax": ("sgd", M), "keras": ("SGD", M),
        "ours": {"kind": "sgd", **M},
    },
    "Nesterov": {
        "says": "μ = 0.9",
        "torch": ("SGD", M | {"nesterov": True}), "optax": ("sgd", M | {"nesterov": True}),
        "keras": ("SGD", M | {"nesterov": True}), "ours": {"kind": "sgd", "nesterov": True, **M},
    },
    "Adagrad": {
        "says": "ε = 1e-7, each library's own first accumulator (0 in PyTorch, 0.1 in the others)",
        "torch": ("Adagrad", {"eps": 1e-7}), "optax": ("adagrad", {}), "keras": ("Adagrad", {}),
        "ours": {"kind": "adagrad", "epsilon": 1e-7},
    },
    "RMSProp": {
        "says": "ρ = 0.9, ε = 1e-8",
        "torch": ("RMSprop", E8 | {"alpha": 0.9}), "optax": ("rmsprop", E8 | {"decay": 0.9}),
        "keras": ("RMSprop", {"rho": 0.9, "epsilon": 1e-8}),
        "ours": {"kind": "rmsprop", "decay": 0.9, "epsilon": 1e-8},
    },
    "RMSProp with momentum": {
        "says": "ρ = 0.9, ε = 1e-8, μ = 0.9",
        "torch": ("RMSprop", E8 | {"alpha": 0.9, **M}),
        "optax": ("rmsprop", E8 | {"decay": 0.9, **M}),
        "keras": ("RMSprop", {"rho": 0.9, "epsilon": 1e-8, **M}),
        "ours": {"kind": "rmsprop", "decay": 0.9, "epsilon": 1e-8, **M},
    },
    "Adam": {
        "says": "β = 0.9, 0.999, ε = 1e-8",
        "torch": ("Adam", E8), "optax": ("adam", E8), "keras": ("Adam", {"epsilon": 1e-8}),
        "ours": {"kind": "adam", "epsilon": 1e-8},
    },
    "AdamW": {
        "says": "β = 0.9, 0.999, ε = 1e-8, λ = 0.01",
        "torch": ("AdamW", E8), "optax": ("adamw", E8 | {"weight_decay": 0.01}),
        "keras": ("AdamW", {"epsilon": 1e-8, "weight_decay": 0.01}),
        "ours": {"kind": "adamw", "epsilon": 1e-8, "weight_decay": 0.01},
    },
    "NAdam": {
        "says": "β = 0.9, 0.999, ε = 1e-8, each library's own schedule of momentum",
        "torch": ("NAdam", E8), "optax": ("nadam", E8), "keras": ("Nadam", {"epsilon": 1e-8}),
        "ours": {"kind": "nadam", "epsilon": 1e-8},
    },
    "AdaBelief": {
        "says": "β = 0.9, 0.999, ε = 1e-16; `torch` is the authors' package, which rectifies",
        "torch": (BELIEF, {"print_change_log": False}), "optax": ("adabelief", {}),
        "ours": {"kind": "adabelief"},
    },
    "Lion": {
        "says": "β = 0.9, 0.99, no decay",
        "optax": ("lion", {"weight_decay": 0.0}), "keras": ("Lion", {}),
        "ours": {"kind": "lion", "weight_decay": None},
    },
    "Muon": {
        "says": "μ = 0.95, Nesterov's, five steps, no decay, each library's own scale by shape; "
        "PyTorch iterates in bfloat16",
        "torch": ("Muon", {"weight_decay": 0.0}), "optax": ("contrib.muon", {}),
        "keras": ("Muon", {"weight_decay": None, "adam_weight_decay": None}),
        "ours": {"kind": "muon", "weight_decay": None},
    },
    "Schedule-Free SGD": {
        "says": "β = 0.9, no warm-up; `torch` is the authors' package; y is compared",
        "torch": ("schedulefree:SGDScheduleFree", {}), "optax": ("contrib.schedule_free_sgd", {}),
        "ours": {"kind": "schedule_free_sgd"},
    },
    "Schedule-Free AdamW": {
        "says": "β = 0.9, 0.999, ε = 1e-8, no warm-up; `torch` is the authors' package; y is "
        "compared",
        "torch": ("schedulefree:AdamWScheduleFree", {}),
        "optax": ("contrib.schedule_free_adamw", {}), "ours": {"kind": "schedule_free_adamw"},
    },
}  # fmt: skip
LIBRARIES = ("torch", "optax", "keras")


def recorded(rule: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return where parameters start and the gradients, an array for each scale."""
    key = np.random.default_rng(0)
    start = np.ones(SHAPE) if rule == "AdamW" else np.zeros(SHAPE)
    normal = key.normal(0.3, 1.0, (STEPS, *SHAPE))
    return dict.fromkeys(SCALES, start), {name: normal * size for name, size in SCALES.items()}


def ours(rule: str, flavour: str, schedule: str) -> dict[str, np.ndarray]:
    """Run our rule in a flavour."""
    import jax
    import jax.numpy as jnp

    from descentlab.optimizers.specs import CATALOGUE

    raw = RULES[rule]["ours"] | {"flavour": flavour, "learning_rate": RATE}
    start, gradients = recorded(rule)
    with jax.enable_x64(True):
        table = jnp.asarray([SCHEDULES[schedule](step) for step in range(STEPS + 2)])
        optimizer = CATALOGUE.validate(raw).build(lambda count: table[count])
        theta = {name: jnp.asarray(value) for name, value in start.items()}

        def body(carry: Any, gradient: Any) -> Any:
            theta, state = carry
            more = {"value": jnp.zeros(()), "hvp": lambda v: v, "loss": lambda p: jnp.zeros(())}
            carry = optimizer.update(gradient, state, theta, **more)
            return carry, carry[0]

        run = jax.jit(lambda carry, given: jax.lax.scan(body, carry, given)[1])
        path = run((theta, optimizer.init(theta)), gradients)
        return {name: np.asarray(value) for name, value in path.items()}


def theirs(schedule: str) -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """Run every library's rules."""
    import optax

    found, asked = {}, {}
    for rule, entry in RULES.items():
        start, gradients = recorded(rule)
        factor = SCHEDULES[schedule]
        if "torch" in entry:
            path = libraries.torch_path(*entry["torch"], start, gradients, RATE, factor)
            found[rule, "torch"] = path[0]
        name, settings = entry["optax"]
        place = optax.contrib if "." in name else optax
        make = functools.partial(getattr(place, name.rpartition(".")[2]), **settings)
        found[rule, "optax"] = libraries.optax_path(make, start, gradients, RATE, factor)[0]
        if "keras" in entry:
            rates = [RATE * factor(step) for step in range(STEPS)]
            asked[rule, "keras"] = (*entry["keras"], start, gradients, rates)
    return found | libraries.keras_paths(asked)


def difference(a: np.ndarray, b: np.ndarray, start: np.ndarray, step: int) -> float:
    """Return how far b's displacement is from a's after a step, relative to the larger one."""
    one, other = a[step - 1] - start, b[step - 1] - start
    size = max(np.linalg.norm(one), np.linalg.norm(other))
    return float(np.linalg.norm(one - other) / size)


def percent(value: float) -> str:
    """Write a share."""
    if value < 1e-9:
        return "0"
    return f"{100 * value:.0f} %" if value >= 0.1 else f"{100 * value:.2g} %"


def section(rule: str, paths: dict[str, dict[tuple[str, str], Any]]) -> list[str]:
    """Return a rule's part of the page."""
    start, _ = recorded(rule)
    there = [name for name in LIBRARIES if name in RULES[rule]]
    head = [f"g ~ {scale}" for scale in SCALES]
    lines = [f"## {rule}", "", f"{RULES[rule]['says']}.", ""]
    lines += ["| | " + " | ".join(head) + " | g ~ 1, after the drop |", "| --- " * 6 + "|"]
    for one, other in itertools.combinations(there, 2):
        cells = []
        for scale in SCALES:
            a, b = (paths["constant"][rule, name][scale] for name in (one, other))
            shares = (percent(difference(a, b, start[scale], step)) for step in (1, STEPS))
            cells.append(" / ".join(shares))
        a, b = (paths["drop"][rule, name]["1"] for name in (one, other))
        cells.append(percent(difference(a, b, start["1"], STEPS)))
        lines.append(f"| {one} – {other} | " + " | ".join(cells) + " |")
    apart = []
    for name in there:
        worst = max(
            difference(paths[schedule][rule, name][scale], own[scale], start[scale], step)
            for schedule in SCHEDULES
            for own in [ours(rule, name, schedule)]
            for scale in SCALES
            for step in (1, STEPS)
        )
        apart.append(f"`{name}` {worst:.1e}")
    return [
        *lines,
        "",
        "Our flavours, largest difference from the library: " + ", ".join(apart),
        "",
    ]


def main() -> None:
    """Measure, and write the page."""
    paths = {schedule: theirs(schedule) for schedule in SCHEDULES}
    versions = ", ".join(f"{name} {version}" for name, version in libraries.versions().items())
    lines = [
        "# Conventions, measured",
        "",
        f"Measured {datetime.date.today():%Y-%m-%d} with {versions}; "
        "`python benchmarks/conventions.py` measures anew and rewrites this page.",
        "",
        "One name, several rules: how far two libraries' parameters part when both get the same",
        "settings and the same gradients, in float64. A figure is the norm of the difference of",
        "the two displacements over the larger displacement, after 1 / after 100 updates, for",
        "gradients N(0.3, 1) times the scale of the column. In the last column the rate, "
        f"{RATE}, drops to a tenth after {DROP} updates. 0 is less than 1e-9.",
        "",
        "Below each table: the largest difference between our flavour of a library's name and that",
        "library itself, over all columns, as a plain number. The flavours are on the page",
        "[Optimizers](optimizers.md).",
        "",
    ]
    for rule in RULES:
        lines += section(rule, paths)
    PAGE.write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
