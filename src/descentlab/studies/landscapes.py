"""What belongs together in a study of a landscape: a function, a point, and no data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from descentlab.core.errors import SpecError
from descentlab.data.specs import NoData
from descentlab.models.specs import Point
from descentlab.objectives.specs import Classification, Landscape, Regression
from descentlab.studies.spec import RunSpec

if TYPE_CHECKING:
    from descentlab.engine.descents.method import Method
    from descentlab.objectives.landscape_catalogue import LandscapeInfo


def check_landscape(run: RunSpec) -> None:
    """Refuse a landscape with a network or with data, and a point or no data without one.

    Objectives of one's own may do as they like.

    Raises:
        SpecError: names the field, what it has, and what is expected.
    """
    point, no_data = isinstance(run.model, Point), isinstance(run.data, NoData)
    if isinstance(run.objective, Landscape):
        if not point:
            raise SpecError(
                f"run.model: expected 'point' for 'objective: landscape', found '{run.model.kind}'"
            )
        if not no_data:
            raise SpecError(
                "run.data: expected 'none' for 'objective: landscape', which is a function of the "
                f"point alone, found '{run.data.kind}'"
            )
        run.objective.check(run.loss, run.model.variables)
    elif isinstance(run.objective, (Classification, Regression)):
        kind = run.objective.kind
        if point:
            raise SpecError(
                f"run.model: 'point' is for 'objective: landscape'; {kind} takes a model that "
                "has inputs, such as 'linear'"
            )
        if no_data:
            raise SpecError(
                f"run.data: 'none' is for 'objective: landscape'; {kind} needs examples"
            )


def study_of(
    landscape: LandscapeInfo, methods: Sequence[Method], start: Sequence[float], steps: int
) -> dict[str, Any]:
    """Return the study whose runs are these descents, as plain values for a study file.

    Raises:
        SpecError: the gradients are noisy, which studies' landscapes are not.
    """
    if landscape.noisy:
        raise SpecError(
            f"landscape: the gradients of {landscape.name} are noisy, and a study's are exact; "
            "set variance to 0"
        )
    objective: dict[str, Any] = {"kind": "landscape", "function": landscape.name}
    if landscape.typed:
        objective |= {"function": "formula", "formula": landscape.formula}
    elif "condition" in landscape.settings:
        objective |= {"function": "quadratic", "condition": landscape.settings["condition"]}
    found: dict[str, dict[str, Any]] = {}
    for method in methods:
        name, number = method.name, 2
        while name in found:
            name, number = f"{method.name} {number}", number + 1
        resolved = method.resolved()
        found[name] = {"optimizer": resolved["optimizer"], "schedule": resolved["schedule"]}
    title = "formula" if landscape.typed else landscape.name.replace("_", "-")
    return {
        "name": f"descents-{title}",
        "question": f"Where do these methods go from ({start[0]:g}, {start[1]:g})?",
        "run": {
            "objective": objective,
            "data": "none",
            "model": {"kind": "point", "start": [float(x) for x in start]},
            "optimizer": next(iter(found.values()))["optimizer"],
            "batches": "full",
            "precision": "float64",
            "steps": steps,
            "record": {"every": 1, "train": "evaluated"},
        },
        "vary": {"method": found},
        "seeds": 1,
        "report": {"metric": "train_loss", "rows": "method"},
    }
