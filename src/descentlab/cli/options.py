"""The options of ``descentlab run``, and those of many commands, each with its help."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
StudyName = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="A study of the library, or a study file.")
]
Out = Annotated[str | None, typer.Option(help="Results folder (default: results/NAME).")]
Seeds = Annotated[int | None, typer.Option(help="Number of seeds instead of the study's.")]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="Change a setting, such as epochs=2. Repeatable."
    ),
]
UntilDecided = Annotated[
    bool,
    typer.Option(
        "--until-decided",
        help="Add seeds until all claims are decided (α spending). Needs a new folder, and a "
        "--max-seeds that stays as it is.",
    ),
]
MaxSeeds = Annotated[
    int | None,
    typer.Option(
        min=3, max=100_000, metavar="N", help="Where --until-decided ends; 20 by default."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; only the folder.")]
ExplainPlan = Annotated[
    bool,
    typer.Option(
        "--explain-plan",
        help="Show cohorts, compilations, memory and expected time; train nothing.",
    ),
]
Layout = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        metavar="FORM:WIDTHxLANES",
        help="Layout of all cohorts, such as vmap:64x2.",
    ),
]
Reproducible = Annotated[
    bool, typer.Option(help="Layout by structure alone: a run is bit-equal whatever its company.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Confirm a study of more than 100,000 runs.")]
Report = Annotated[bool, typer.Option(help="Write report.html at the end.")]
PlanJson = Annotated[
    bool,
    typer.Option("--json", help="Print the plan (with --explain-plan) or the summary as JSON."),
]
