"""What belongs together in a study of a landscape: a function, a point, and no data."""

from __future__ import annotations

from descentlab.core.errors import SpecError
from descentlab.data.specs import NoData
from descentlab.models.specs import Point
from descentlab.objectives.specs import Classification, Landscape, Regression
from descentlab.studies.spec import RunSpec


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
