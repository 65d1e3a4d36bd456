"""The one catalogue: every name that a study file can use, with a sentence about it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from descentlab.core.catalogue import Catalogue
from descentlab.core.errors import SpecError, unknown
from descentlab.data.batches import CATALOGUE as BATCHES
from descentlab.data.specs import CATALOGUE as DATA
from descentlab.models.specs import CATALOGUE as MODELS
from descentlab.objectives.specs import CATALOGUE as OBJECTIVES
from descentlab.optimizers.schedule_specs import CATALOGUE as SCHEDULES
from descentlab.optimizers.specs import CATALOGUE as OPTIMIZERS
from descentlab.studies.claims.spec import CLAIMS
from descentlab.studies.load import library
from descentlab.studies.search.spaces import DIMENSIONS
from descentlab.studies.search.spec import SEARCHES

CATALOGUES: dict[str, Catalogue] = {
    "data": DATA,
    "models": MODELS,
    "objectives": OBJECTIVES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "batches": BATCHES,
    "claims": CLAIMS,
    "searches": SEARCHES,
    "dimensions": DIMENSIONS,
}


def names(what: str = "", others: Sequence[str] = ()) -> dict[str, dict[str, str]]:
    """Return names and one sentence each, by kind of thing.

    Args:
        what: ``studies`` or a key of ``CATALOGUES``; everything if empty.
        others: what else can be asked for elsewhere, for the message about an unknown one.
    """
    if what and what != "studies" and what not in CATALOGUES:
        raise SpecError(unknown("list", what, ["studies", *CATALOGUES, *others]))
    found: dict[str, dict[str, str]] = {}
    if what in ("", "studies"):
        found["studies"] = library()
    for name, catalogue in CATALOGUES.items():
        if what in ("", name):
            found[name] = {kind: _sentence(spec) for kind, spec in sorted(catalogue.kinds.items())}
    return found


def _sentence(spec: type) -> str:
    """Return a specification's first sentence, and where it comes from if it says so."""
    sentence = (inspect.getdoc(spec) or "").split("\n\n")[0].replace("\n", " ")
    source = getattr(spec, "SOURCE", "")
    return f"{sentence} [{source}]" if source else sentence
