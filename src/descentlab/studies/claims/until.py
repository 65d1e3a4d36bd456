"""Adding seeds until the claims are decided, without the errors of peeking."""

from __future__ import annotations

from collections.abc import Iterator

from descentlab.core.errors import SpecError
from descentlab.evaluation.sequential import planned_looks
from descentlab.store.folder import Folder
from descentlab.store.provenance import read_provenance, write_provenance
from descentlab.studies.claims.verdicts import SEQUENTIAL, judge
from descentlab.studies.records import Records
from descentlab.studies.spec import STUDY, Study

FIRST_LOOK = 3


def looks(study: Study, folder: Folder, most: int) -> Iterator[Study]:
    """Yield the study with as many seeds as each look needs, until its claims are decided.

    Looks come at 3 seeds (or the study's own number, if that is larger), then at half as
    many again each time, up to ``most``. The plan of looks is kept in the folder, so that
    verdicts are read at the level of their look.

    Raises:
        SpecError: no claims, fewer seeds than ``most`` allows, or a plan with another end
            was begun in this folder.
    """
    if not study.claims:
        raise SpecError("--until-decided: the study has no claims to decide")
    if study.search is not None:
        raise SpecError("--until-decided: a search has no fixed configurations to add seeds to")
    first = max(FIRST_LOOK, len(study.seeds))
    if most < first:
        raise SpecError(f"--max-seeds: expected at least {first}, found {most}")
    plan = {"looks": planned_looks(first, most), "most": most}
    known = read_provenance(folder).get(SEQUENTIAL) if folder.exists(STUDY) else None
    if known is not None and known["most"] != most:
        raise SpecError(
            f"--max-seeds: this folder was begun with {known['most']}; another number would "
            "let the results choose when to stop"
        )
    if known is None:
        _refuse_seen(study, folder, first)
    there = _seen(folder)
    for count in (known or plan)["looks"]:
        if count < there:  # this look has been
            continue
        yield study.model_copy(update={"seeds": _seeds(study, count)})
        provenance = read_provenance(folder)
        if SEQUENTIAL not in provenance:
            provenance[SEQUENTIAL] = plan
            write_provenance(folder, provenance)
        if all(verdict.verdict != "undecided" for verdict in judge(Records(folder))):
            return


def _seeds(study: Study, count: int) -> tuple[int, ...]:
    """Return the study's seeds and the next ones after the largest."""
    more = range(max(study.seeds) + 1, max(study.seeds) + 1 + count - len(study.seeds))
    return (*study.seeds, *more)


def _seen(folder: Folder) -> int:
    """Return how many seeds the study in a folder has."""
    return len(Records(folder).study.seeds) if folder.exists(STUDY) else 0


def _refuse_seen(study: Study, folder: Folder, first: int) -> None:
    """Refuse a folder in which more seeds than the first look's have been seen already."""
    seen = _seen(folder)
    if not seen:
        return
    records = Records(folder)
    complete = len(records.frame()) == seen * len(records.configurations)
    if seen > first or complete:
        raise SpecError(
            f"--until-decided: {folder} holds results of {seen} seeds that were seen before a "
            "plan of looks was made; begin in a new folder with --out"
        )
