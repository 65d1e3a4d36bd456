"""Adding seeds until the claims are decided, without the errors of peeking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from descentlab.core.errors import SpecError
from descentlab.core.yaml import write_yaml
from descentlab.evaluation.sequential import planned_looks
from descentlab.store.folder import Folder
from descentlab.store.provenance import read_provenance, write_provenance
from descentlab.studies.claims.moment import SEQUENTIAL
from descentlab.studies.claims.verdicts import judge
from descentlab.studies.datasets import Datasets
from descentlab.studies.plan import check_runs
from descentlab.studies.records import Records
from descentlab.studies.run import Options, check_folder, prepare
from descentlab.studies.spec import STUDY, Study

FIRST_LOOK = 3


def looks(study: Study, folder: Folder, most: int) -> Iterator[Study]:
    """Yield the study with as many seeds as each look needs, until its claims are decided.

    Looks come at 3 seeds (or the study's own number, if that is larger), then at half as
    many again each time, up to ``most``. The plan of looks is written to the folder before
    anything is trained, so that verdicts are read at the level of their look whenever
    one looks, and what was interrupted goes on by the same plan.

    Raises:
        SpecError: no claims, fewer seeds than ``most`` allows, a plan with another end
            was begun in this folder, or runs had finished in it without a plan.
    """
    if not study.claims:
        raise SpecError("--until-decided: the study has no claims to decide")
    if study.search is not None:
        raise SpecError("--until-decided: a search has no fixed configurations to add seeds to")
    first = max(FIRST_LOOK, len(study.seeds))
    if most < first:
        raise SpecError(f"--max-seeds: expected at least {first}, found {most}")
    there = folder.exists(STUDY)
    known = read_provenance(folder).get(SEQUENTIAL) if there else None
    if known is not None and known["most"] != most:
        raise SpecError(
            f"--max-seeds: this folder was begun with {known['most']}; another number would "
            "let the results choose when to stop"
        )
    seeds = len(Records(folder).study.seeds) if there else 0
    if known is None:
        _refuse_seen(folder)
        known = {"looks": planned_looks(first, most), "most": most}
        _begin(_grown(study, first), folder, known)
    for count in known["looks"]:
        if count < seeds:  # this look has been
            continue
        yield _grown(study, count)
        if all(verdict.verdict != "undecided" for verdict in judge(Records(folder))):
            return


def _grown(study: Study, count: int) -> Study:
    """Return the study with its own seeds and the next ones after the largest."""
    more = range(max(study.seeds) + 1, max(study.seeds) + 1 + count - len(study.seeds))
    return study.model_copy(update={"seeds": (*study.seeds, *more)})


def _begin(study: Study, folder: Folder, plan: dict[str, Any]) -> None:
    """Write the study and the plan of looks, once it is sure that it can be run here."""
    prepared = prepare(study, Options(yes=True))  # the command has asked already
    check_folder(prepared, folder, more_seeds=True)
    check_runs(prepared.configurations, Datasets(), study.metrics)
    folder.write(STUDY, write_yaml(prepared.resolved).encode())
    write_provenance(folder, {**read_provenance(folder), SEQUENTIAL: plan})


def _refuse_seen(folder: Folder) -> None:
    """Refuse a folder in which results could be seen already."""
    done = len(Records(folder).frame()) if folder.exists(STUDY) else 0
    if done:
        runs = "1 finished run" if done == 1 else f"{done} finished runs"
        raise SpecError(
            f"--until-decided: {folder} holds {runs} that may have been seen before a plan of "
            "looks was made; begin in a new folder with --out"
        )
