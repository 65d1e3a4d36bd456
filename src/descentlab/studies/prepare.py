"""Before a study runs: options, configurations expanded and checked, nothing loaded or trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from descentlab.core.errors import SpecError
from descentlab.studies import configurations as expansion
from descentlab.studies.claims.comparisons import plan_claims
from descentlab.studies.configurations import Configuration
from descentlab.studies.resolving import check_resolved, resolved
from descentlab.studies.search.asking import begun
from descentlab.studies.spec import Study

if TYPE_CHECKING:
    from descentlab.engine.strategy import Strategy


class Prepared(NamedTuple):
    """A study with its configurations, and how it is written down."""

    study: Study
    configurations: list[Configuration]
    resolved: dict[str, Any]


class Options(NamedTuple):
    """How to run, none of which belongs to the study: layout, reproducible mode.

    ``more_seeds`` lets a folder's study go on with more seeds than it had.
    """

    strategy: Strategy | None = None
    reproducible: bool = False
    yes: bool = False
    more_seeds: bool = False


USUAL = Options()


def prepare(study: Study, options: Options = USUAL) -> Prepared:
    """Expand and validate a study; nothing is loaded or trained.

    Raises:
        SpecError: a configuration cannot be run, or there are more than
            ``ASK_ABOVE`` runs and they were not confirmed.
    """
    runs = expansion.count(study) * len(study.seeds)
    if runs > expansion.ASK_ABOVE and not options.yes:
        raise SpecError(
            f"this study has {runs:,} runs ({expansion.count(study):,} configurations × "
            f"{len(study.seeds)} seeds); if that is meant, run it with --yes"
        )
    return expand(begun(study))


def expand(study: Study) -> Prepared:
    """Expand a study's configurations and check them, its claims, and that it reads back alike."""
    found = expansion.configurations(study)
    plan_claims(study, found)
    written = resolved(study, found)
    check_resolved(study, found, written)
    return Prepared(study, found, written)
