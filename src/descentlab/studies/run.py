"""Running a study into a results folder, and going on where it was left."""

from __future__ import annotations

import contextlib
import copy
import os
import time
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from descentlab.core.errors import DescentLabError, StoreError
from descentlab.core.yaml import read_yaml, write_yaml
from descentlab.store.folder import Folder
from descentlab.store.provenance import locked, read_provenance, session, write_provenance
from descentlab.studies.configurations import configurations
from descentlab.studies.datasets import Datasets
from descentlab.studies.load import differences
from descentlab.studies.plan import CohortPlan, Tally, check_runs, plan
from descentlab.studies.prepare import USUAL, Options, Prepared, prepare
from descentlab.studies.resolving import resolved
from descentlab.studies.search.batches import Batches, continued
from descentlab.studies.search.promotions import Promotions
from descentlab.studies.search.spec import Optuna
from descentlab.studies.spec import STUDY, Study
from descentlab.studies.standing import Standing, standing

if TYPE_CHECKING:
    from descentlab.studies.execute import Progress
    from descentlab.studies.result import StudyResult


FREE = ("question", "claims", "report")
"""What may change between two runs into one folder."""


def run(
    study: Study | str | os.PathLike[str],
    out: Folder | str | os.PathLike[str] | None = None,
    **options: Any,
) -> StudyResult:
    """Run a study, or go on with it, and return its result.

    Args:
        study: a study, a study file, or the name of one in the library.
        out: the results folder (a path or an fsspec URL); ``results/NAME`` by default.
        options: ``strategy``, ``reproducible`` and ``yes``, as on the command line.

    Raises:
        SpecError: the study cannot be run.
        DataError: its data is missing or damaged.
        StoreError: the folder cannot be written or belongs to another study.
    """
    from descentlab.engine.strategy import Strategy
    from descentlab.studies.load import load_study
    from descentlab.studies.result import StudyResult

    layout = options.get("strategy")
    if layout is not None and not isinstance(layout, Strategy):
        options["strategy"] = Strategy.parse(str(layout))
    study = study if isinstance(study, Study) else load_study(study)
    folder = out if isinstance(out, Folder) else Folder(out or f"results/{study.name}")
    for _ in execute(prepare(study, Options(**options)), folder, Options(**options)):
        pass
    return StudyResult(folder)


def execute(prepared: Prepared, folder: Folder, options: Options = USUAL) -> Generator[Progress]:
    """Train what a folder still lacks; yield progress after each stretch of work.

    Ending the iteration early leaves a folder that goes on with the same study.
    """
    from descentlab.engine.platform import enable_cache
    from descentlab.studies.execute import Execution, Programs

    check_folder(prepared, folder, more_seeds=options.more_seeds)
    prepared = continued(prepared, folder)
    datasets = Datasets()
    check_runs(prepared.configurations, datasets, prepared.study.metrics)
    enable_cache()
    with locked(folder):
        check_data(folder, datasets)
        folder.sweep()
        stands = standing(folder)
        for name in stands.leftovers:
            folder.delete(name)
        follow = _followed(prepared, folder, options, datasets)
        folder.write(STUDY, write_yaml(prepared.resolved).encode())
        _state_claims(prepared.study, folder, len(stands.finished))
        first, tally, programs = follow(), follow.tally(), Programs()
        with _recorded(folder, follow.plans if first else [], datasets, programs, options):
            yield from Execution(folder, first, tally, programs, follow).run()
        if isinstance(follow, Promotions):
            follow.check_over()


def _followed(
    prepared: Prepared, folder: Folder, options: Options, datasets: Datasets
) -> Promotions | Batches | Everything:
    """Return what says what can be trained, at first and when runs have ended."""
    study = prepared.study
    if study.rungs:
        plans = _plan_rest(prepared, None, options, datasets)
        return Promotions(study, prepared.configurations, folder, plans)

    def rest(now: Prepared) -> list[CohortPlan]:
        return _plan_rest(now, standing(folder), options, datasets)

    if isinstance(study.search, Optuna):
        return Batches(prepared, folder, rest)
    planned = len(prepared.configurations) * len(study.seeds)
    return Everything(rest(prepared), standing(folder), planned)


class Everything(NamedTuple):
    """Says what of an ordinary study can be trained: all of it, at once."""

    plans: list[CohortPlan]
    stands: Standing
    planned: int

    def __call__(self, ended: Sequence[str] = ()) -> list[CohortPlan]:
        """Return all plans at first, nothing later."""
        return [] if ended else self.plans

    def tally(self) -> Tally:
        """Return what progress is counted against."""
        return Tally(len(self.stands.finished), len(self.stands.diverged), self.planned)


def check_folder(prepared: Prepared, folder: Folder, *, more_seeds: bool = False) -> None:
    """Refuse a folder that holds another study, and say where the two differ.

    The question, the claims and the report's layout may change: no result depends on them.
    """
    if not folder.exists(STUDY):
        if (
            folder.local
            and folder.local.is_dir()
            and any(not item.name.startswith(".") for item in folder.local.iterdir())
        ):
            raise StoreError(
                f"{folder} holds other files and no study.yaml; "
                "choose an empty or new folder with --out"
            )
        return
    before = read_yaml(folder.read(STUDY), folder.at(STUDY))
    if not isinstance(before, dict):
        raise StoreError(
            f"{folder.at(STUDY)} is damaged: it holds no study. Choose another folder with --out, "
            "or restore the file"
        )
    there, asked = _fixed(before), _fixed(prepared.resolved)
    if there != asked:  # an older version may have written it, without fields that came later
        there, asked = map(_fixed, _as_now(before, prepared))
    if more_seeds and set(there.get("seeds", ())) <= set(asked["seeds"]):
        there["seeds"] = asked["seeds"]
    if there != asked:
        lines = differences(there, asked)
        more = [f"… and {len(lines) - 12} more lines"] if len(lines) > 12 else []
        text = "\n  ".join([*lines[:12], *more])
        raise StoreError(
            f"{folder} holds results of another study (- there, + asked for):\n  {text}\n"
            "choose another folder with --out, or run the study as it was"
        )


def _fixed(written: dict[str, Any]) -> dict[str, Any]:
    """Return what may not change of a resolved study while its folder goes on."""
    fixed = {key: value for key, value in copy.deepcopy(written).items() if key not in FREE}
    if isinstance(fixed.get("search"), dict):
        fixed["search"].pop("asked", None)  # by batches: it grows as the search goes on
    return fixed


def _as_now(before: dict[str, Any], prepared: Prepared) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a folder's study and the one asked for as this version resolves them.

    One that this version cannot read is returned as it is. Of a search by batches both are
    resolved with the same settings, those of the one that is further.
    """
    study = prepared.study
    try:
        there = Study.parse({key: value for key, value in before.items() if key not in FREE})
        if isinstance(there.search, Optuna) and isinstance(study.search, Optuna):
            asked = {"asked": max(there.search.asked, study.search.asked, key=len)}
            there, study = (
                each.model_copy(update={"search": search.model_copy(update=asked)})
                for each, search in ((there, there.search), (study, study.search))
            )
        now, other = (resolved(each, configurations(each)) for each in (there, study))
    except DescentLabError:
        return before, prepared.resolved
    return now, other


def check_data(folder: Folder, datasets: Datasets) -> None:
    """Refuse data that is not what the folder's results come from.

    Raises:
        StoreError: a data set of the same name, split and scaling has other checksums.
    """
    before = {_use(notes): notes for notes in read_provenance(folder).get("data", [])}
    for now in datasets.notes():
        then = before.get(_use(now), now)
        for kind in ("md5", "sha256"):
            if then.get(kind, now.get(kind)) != now.get(kind):
                raise StoreError(
                    f"{folder} holds results of other data: {now['name']} had {kind} "
                    f"{', '.join(then[kind])}, and {', '.join(now.get('files', ['it']))} has "
                    f"{', '.join(now.get(kind, ['none']))}. Restore the data, or choose another "
                    "folder with --out"
                )


def _use(notes: dict[str, Any]) -> tuple[Any, ...]:
    return notes.get("name"), notes.get("split"), notes.get("scaling")


def explain_plan(
    prepared: Prepared, folder: Folder, options: Options
) -> tuple[list[CohortPlan], Tally]:
    """Return what would be trained first, and all there is; nothing is trained or written."""
    datasets = Datasets()
    check_runs(prepared.configurations, datasets, prepared.study.metrics)
    if folder.exists(STUDY):
        check_folder(prepared, folder, more_seeds=options.more_seeds)
        check_data(folder, datasets)
    follow = _followed(continued(prepared, folder), folder, options, datasets)
    return follow(), follow.tally()


def _plan_rest(
    prepared: Prepared, stands: Standing | None, options: Options, datasets: Datasets
) -> list[CohortPlan]:
    from descentlab.engine.strategy import Platform

    return plan(
        prepared.configurations,
        prepared.study.seeds,
        Platform.current(),
        finished=stands.finished if stands else frozenset(),
        checkpoints=stands.opened if stands else (),
        reproducible=options.reproducible,
        strategy=options.strategy,
        datasets=datasets,
        share=prepared.study.share,
    )


def _state_claims(study: Study, folder: Folder, finished: int) -> None:
    """Keep when each claim was first stated: before its results were there, or after."""
    provenance = read_provenance(folder)
    stated = provenance.setdefault("claims", {})
    new = [claim.key for claim in study.claims if claim.key not in stated]
    if new:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        stated |= {key: {"stated": now, "finished_runs": finished} for key in new}
        write_provenance(folder, provenance)


@contextlib.contextmanager
def _recorded(
    folder: Folder, plans: list[CohortPlan], datasets: Datasets, programs: Any, options: Options
) -> Iterator[None]:
    """Keep a record of this session in the folder's provenance, whatever ends it."""
    from descentlab.engine.platform import device_name

    provenance = read_provenance(folder)
    entry = session(device_name())
    entry["reproducible"] = options.reproducible
    entry["strategies"] = {
        p.cohort.name: str(p.strategy) for p in plans if p.pending or p.open_chunks
    }
    provenance["data"] = datasets.notes()
    begun = time.monotonic()
    if not entry["strategies"]:
        yield
        return
    sessions = provenance.setdefault("sessions", [])
    sessions.append(entry)
    write_provenance(folder, provenance)
    try:
        yield
    finally:
        entry["seconds"] = round(time.monotonic() - begun, 2)
        entry["compilations"] = programs.compilations
        entry["compile_seconds"] = round(programs.compile_seconds, 2)
        write_provenance(folder, provenance)
