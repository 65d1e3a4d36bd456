"""Descents as the page needs them: paths, surfaces, searches, regions, one update explained."""

from __future__ import annotations

import base64
import inspect
from typing import Any

import numpy as np

from descentlab.core.errors import SpecError, unknown
from descentlab.core.yaml import write_yaml
from descentlab.engine.descents.basins import basins
from descentlab.engine.descents.diagnosis import diagnose
from descentlab.engine.descents.method import Method
from descentlab.engine.descents.minima import find_minima, grid, values
from descentlab.engine.descents.outcome import OUTCOMES
from descentlab.engine.descents.run import Descent, run
from descentlab.engine.descents.stability import stability
from descentlab.engine.descents.tune import tune
from descentlab.explain.descent import worked_update
from descentlab.explain.language import Language
from descentlab.objectives.landscape_catalogue import (
    LANDSCAPES,
    LandscapeInfo,
    find_landscape,
)
from descentlab.optimizers.specs import CATALOGUE as OPTIMIZERS
from descentlab.studies.landscapes import study_of
from descentlab.web.requests import Descents, Ground, Moment, Regions, Surface, Tune

FIRST = ("gd", "momentum", "rmsprop", "adam")
"""Methods that the page begins with."""

SETTINGS = ("condition", "variance")

NO_FORMULA = (
    "This update has no formula by coordinates here (the method has none, or it is one of very "
    "many): the point, the slope and the new point alone are shown."
)

MOST_UPDATES = 100_000
"""Of all methods together, that are made and told at once."""


class MethodError(SpecError):
    """A method that cannot be read, or that the engine refuses.

    Attributes:
        field: ``methods.`` and which of them, from 0.
    """

    def __init__(self, text: str, index: int) -> None:
        super().__init__(text)
        self.field = f"methods.{index}"


def catalogue() -> dict[str, Any]:
    """Return the landscapes, and the methods with their fields and defaults."""
    kinds = dict.fromkeys([*FIRST, "nesterov", *OPTIMIZERS.kinds])
    methods = {}
    for kind in kinds:
        text = "lookahead inner.kind=sgd" if kind == "lookahead" else kind
        method = Method.of(text)
        methods[kind] = {
            "text": method.text(),
            "name": method.name,
            "floats": method.floats,
            "rate": method.rate_path,
            "beta": method.beta_path,
            "about": (inspect.getdoc(type(method.optimizer)) or "").split("\n")[0],
        }
    return {
        "landscapes": [info.to_json() for info in LANDSCAPES.values()],
        "methods": methods,
        "first": list(FIRST),
    }


def ground(asked: Ground) -> LandscapeInfo:
    """Return the landscape that is asked for."""
    settings = dict(asked.settings)
    for name in settings:
        if name not in SETTINGS:
            raise SpecError(f"settings: {unknown('setting', name, SETTINGS)}")
    return find_landscape(asked.landscape, domain=asked.domain, **settings)  # type: ignore[arg-type]


def surface(asked: Surface) -> dict[str, Any]:
    """Return a landscape and its values on a grid, as base64 of float32 row by row."""
    found = ground(asked)
    points = grid(found, asked.columns, asked.rows).reshape(-1, 2)
    with np.errstate(all="ignore"):
        costs = np.asarray(values(found, points), np.float32)
    minima = [{"point": list(m.point), "value": m.value} for m in find_minima(found)]
    return {
        "landscape": {**found.to_json(), "minima": minima},
        "columns": asked.columns,
        "rows": asked.rows,
        "values": base64.b64encode(np.ascontiguousarray(costs).tobytes()).decode(),
    }


def paths(asked: Descents) -> dict[str, Any]:
    """Return every method's path with what is to be said about it."""
    if len(asked.methods) * asked.steps > MOST_UPDATES:
        most = MOST_UPDATES // len(asked.methods)
        raise SpecError(f"steps: at most {most:,} with {len(asked.methods)} optimizers")
    found = ground(asked)
    descents = run(found, _methods(asked), asked.start, asked.steps, seed=asked.seed)
    return {"landscape": found.name, "descents": [_path(descent) for descent in descents]}


def _path(descent: Descent) -> dict[str, Any]:
    return {
        **descent.to_json(),
        "name": descent.method.name,
        "floats": descent.method.floats,
        "diagnosis": diagnose(descent).to_json(),
    }


def tuned(asked: Tune) -> dict[str, Any]:
    """Return the best and the robust settings of a method."""
    return tune(ground(asked), asked.method, asked.start, asked.steps, seed=asked.seed).to_json()


def reached(asked: Regions) -> dict[str, Any]:
    """Return which minimum each start reaches, as base64 of int8 row by row."""
    found = basins(
        ground(asked), asked.method, asked.steps,
        columns=asked.columns, rows=asked.rows, seed=asked.seed,
    )  # fmt: skip
    return {**found.to_json(), "index": base64.b64encode(found.index.tobytes()).decode()}


def stable(asked: Regions) -> dict[str, Any]:
    """Return what becomes of a method by learning rate and momentum, and how to write it.

    ``template`` is the method's text with ``{rate}`` and ``{other}`` for what varies; ``now`` is
    what it has of both.
    """
    found = stability(ground(asked), asked.method, asked.start, asked.steps, seed=asked.seed)
    index = np.ascontiguousarray(found.outcome, np.int8)
    path = found.method.decay_path if found.other == "decay" else found.method.beta_path
    own = Method.of(asked.method)
    floats = {str(path): 0.0, **own.floats}
    now = {"rate": floats[own.rate_path], "other": floats[str(path)]}
    marked = found.method.with_values({found.method.rate_path: 0.1234567, str(path): 0.2345678})
    template = marked.text().replace("0.1234567", "{rate}").replace("0.2345678", "{other}")
    return {
        **found.to_json(),
        "name": found.method.name,
        "now": now,
        "outcomes": list(OUTCOMES),
        "template": template,
        "index": base64.b64encode(index.tobytes()).decode(),
    }


def moment(asked: Moment) -> dict[str, Any]:
    """Return one update in the method's own formulas, with its numbers."""
    found = ground(asked)
    steps = max(asked.at, asked.steps or asked.at)
    (descent,) = run(found, [asked.method], asked.start, steps, seed=asked.seed)
    lines = worked_update(descent, asked.at, Language(asked.language))
    note = "" if any(line["formula"] for line in lines) else NO_FORMULA
    return {"at": asked.at, "lines": lines, "note": note}


def study(asked: Descents) -> dict[str, str]:
    """Return a study file that trains the same descents.

    Raises:
        SpecError: no study can, such as with noisy gradients.
    """
    raw = study_of(ground(asked), _methods(asked), asked.start, asked.steps)
    return {"file": f"{raw['name']}.yaml", "text": write_yaml(raw)}


def _methods(asked: Descents) -> list[Method]:
    """Return the methods that are asked for.

    Raises:
        MethodError: one is none, or cannot make so many updates.
    """
    found = []
    for index, text in enumerate(asked.methods):
        try:
            method = Method.of(text)
            method.check(asked.steps)
        except SpecError as error:
            raise MethodError(str(error), index) from None
        found.append(method)
    return found
