"""The commands. Each imports what it needs when it is called, so that ``--help`` is quick."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from descentlab.cli import options
from descentlab.cli.data_sets import data_app
from descentlab.cli.landscapes import landscape_app
from descentlab.cli.options import Json
from descentlab.cli.text import print_json, print_names, print_unfinished, say

app = typer.Typer(
    name="descentlab",
    help="A laboratory for training neural networks: state a study, get evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data_app, name="data")
app.add_typer(landscape_app, name="landscape")

Folder = Annotated[str, typer.Argument(metavar="DIR", help="A results folder.")]


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(version("descentlab"))
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command("list")
def list_names(
    what: Annotated[
        str,
        typer.Argument(
            help="studies, data, optimizers, schedules, models, batches, objectives, claims, "
            "searches, dimensions, exercises, landscapes; or all."
        ),
    ] = "",
    json: Json = False,
) -> None:
    """List what study files can name, the exercises, and the landscapes."""
    from descentlab.cli.explaining import exercises
    from descentlab.cli.landscapes import landscape_list, sentences
    from descentlab.studies.catalogue import names

    if what == "landscapes":
        landscape_list(json)
        return
    others = {"exercises": exercises, "landscapes": sentences}
    found = {} if what in others else names(what, list(others))
    found |= {name: entries() for name, entries in others.items() if what in ("", name)}
    print_names(found, json)


@app.command()
def run(
    study: options.StudyName,
    out: options.Out = None,
    seeds: options.Seeds = None,
    set_: options.Changes = None,
    until_decided: options.UntilDecided = False,
    max_seeds: options.MaxSeeds = None,
    quiet: options.Quiet = False,
    explain_plan: options.ExplainPlan = False,
    strategy: options.Layout = None,
    reproducible: options.Reproducible = False,
    yes: options.Yes = False,
    report: options.Report = True,
    json: options.PlanJson = False,
) -> None:
    """Run a study, or go on with it; the last line printed is the results folder."""
    from descentlab.cli import running
    from descentlab.core.errors import SpecError
    from descentlab.engine.strategy import Strategy
    from descentlab.studies.load import load_study
    from descentlab.studies.run import Options, prepare

    if max_seeds is not None and not until_decided:
        raise SpecError(
            "--max-seeds: says where --until-decided ends, which is not asked for; a fixed number "
            "of seeds is --seeds N"
        )
    how = Options(Strategy.parse(strategy) if strategy else None, reproducible, yes)
    prepared = prepare(load_study(study, changes=set_ or (), seeds=seeds), how)
    folder = out or str(Path("results") / prepared.study.name)
    if explain_plan:
        running.explain(prepared, folder, how, json)
        return
    most = (max_seeds or 20) if until_decided else None
    running.run(prepared, folder, how, quiet=quiet or json, report=report, most_seeds=most)
    if json:
        from descentlab.studies.result import StudyResult

        print_json(StudyResult(folder).summary())
    else:
        typer.echo(folder)


@app.command()
def show(folder: Folder, json: Json = False) -> None:
    """Show a study's results: every configuration with intervals over its seeds."""
    from descentlab.studies.result import StudyResult

    result = StudyResult(folder)
    if json:
        print_json(result.summary())
    elif result.frame().empty:
        print_unfinished(result)
    else:
        from descentlab.report.terminal import show as show_result

        show_result(result)


@app.command()
def times(
    folders: Annotated[list[str], typer.Argument(metavar="DIR…", help="Results folders.")],
    metric: Annotated[str, typer.Option(help="A recorded metric, such as test_accuracy.")],
    reach: Annotated[float, typer.Option(metavar="VALUE", help="The target.")],
    by: Annotated[
        str | None,
        typer.Option(
            metavar="FACTOR",
            help="Compare a factor's labels over all folders; of each label the fastest "
            "configuration counts.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Time to target by configuration; over several studies a performance profile."""
    from descentlab.cli.times import print_profile, print_times
    from descentlab.core.errors import SpecError
    from descentlab.studies.result import StudyResult
    from descentlab.studies.times import machines, profile, times_to_target

    results = [StudyResult(folder) for folder in folders]
    if by is not None:
        print_profile(profile(results, metric, reach, by), json)
    elif len(results) > 1:
        raise SpecError("several folders are compared by a factor; say which one with --by")
    else:
        print_times(times_to_target(results[0], metric, reach), machines(results), json)


@app.command()
def plan(
    folder: Annotated[
        str, typer.Argument(metavar="NAME|DIR", help="A results folder, or NAME for results/NAME.")
    ],
    detect: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="The distance to find, in the metric's unit, measured from the bound that decides "
            "the claim (0, a margin, a target); as estimated by default.",
        ),
    ] = None,
    power: Annotated[
        float, typer.Option(min=0.05, max=0.999, help="The probability of finding it.")
    ] = 0.8,
    json: Json = False,
) -> None:
    """Say how many seeds would decide each claim, all counted, and how long they take to train."""
    from descentlab.cli.text import print_needed
    from descentlab.studies.claims.planner import plan_seeds
    from descentlab.studies.result import StudyResult

    place = folder if Path(folder).is_dir() or "://" in folder else str(Path("results") / folder)
    print_needed(plan_seeds(StudyResult(place), detect=detect, power=power), json)


@app.command()
def retrain(
    folder: Folder,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How long; as long as before by default.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=100_000, help="How many fresh seeds to train with.")
    ] = 5,
    baseline: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH=VALUE", help="What a baseline has instead; may be repeated."),
    ] = None,
    out: options.Out = None,
    quiet: options.Quiet = False,
    report: options.Report = True,
) -> None:
    """Train the best setting of a search or study anew with fresh seeds; prints the new folder."""
    from descentlab.cli import running
    from descentlab.studies.result import StudyResult
    from descentlab.studies.run import Options, prepare
    from descentlab.studies.search.retrain import retrain_study

    result = StudyResult(folder)
    study = retrain_study(result, epochs=epochs, seeds=seeds, baseline=baseline or ())
    place = out or f"{folder.rstrip('/')}-retrained"
    running.run(prepare(study), place, Options(), quiet=quiet, report=report)
    typer.echo(place)


@app.command()
def curves(
    folder: Folder,
    metric: Annotated[str, typer.Option(help="A recorded metric, such as test_accuracy.")],
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write to a file instead of standard output."),
    ] = None,
) -> None:
    """Print a metric by step as CSV: configuration, seed, step, epoch, value."""
    import sys

    from descentlab.studies.result import StudyResult

    table = StudyResult(folder).curves(metric)
    if csv is None:
        table.to_csv(sys.stdout, index=False)
    else:
        from descentlab.cli.text import writing

        with writing(csv):
            table.to_csv(csv, index=False)
        say(f"{csv}: {len(table)} rows")


@app.command()
def evaluate(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="CSV, Parquet or NPZ with label, and prediction, probability_… or logit_….",
        ),
    ],
    json: Json = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a self-contained page.")
    ] = None,
    recall_at_least: Annotated[
        float | None,
        typer.Option(metavar="R", help="Which classes reach this recall? Which threshold would?"),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Compare with another model on the same examples."),
    ] = None,
) -> None:
    """Evaluate a classifier's predictions: intervals, baselines, a verdict in plain words."""
    from descentlab.cli import evaluating

    evaluating.evaluate(file, json=json, html=html, recall=recall_at_least, against=against)


@app.command()
def report(folder: Folder) -> None:
    """Write DIR/report.html, one self-contained file, and print its path."""
    from descentlab.cli.text import late_progress
    from descentlab.report.html import write_report
    from descentlab.studies.result import StudyResult

    with late_progress("evaluating test predictions") as progress:
        path = write_report(StudyResult(folder), progress=progress)
    typer.echo(path)


@app.command()
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="EXERCISE|FILE|DIR",
            help="An exercise by name (descentlab list exercises) or file, or a results folder.",
        ),
    ],
    run: Annotated[
        str | None,
        typer.Option(metavar="ID", help="A run of the results folder, such as c03-s1."),
    ] = None,
    step: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Which of the run's updates.")
    ] = None,
    json: Json = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a self-contained page.")
    ] = None,
    language: Annotated[str, typer.Option(metavar="en|fa", help="English or Persian.")] = "en",
    digits: Annotated[
        int | None,
        typer.Option(min=1, max=15, metavar="N", help="Significant digits; as asked by default."),
    ] = None,
    persian_digits: Annotated[
        bool, typer.Option("--persian-digits", help="Write numbers with Persian digits.")
    ] = False,
) -> None:
    """Work a calculation out: every formula, the numbers put in, every gradient."""
    from descentlab.cli import checking, explaining

    spoken = checking.language(language, persian_digits)
    explaining.explain(
        what, run=run, step=step, json=json, html=html, language=spoken, digits=digits
    )


@app.command()
def play(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="8765, or the next free one by default.")
    ] = None,
    host: Annotated[str, typer.Option(help="Loopback by default: nobody else can reach it.")] = (
        "127.0.0.1"
    ),
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Serve the playground: optimizers on cost landscapes, and exercises, in a browser."""
    from descentlab.cli import leave
    from descentlab.web.serve import serve

    def say_where(address: str) -> None:
        typer.echo(f"The playground is at {address} (Ctrl-C stops it)")

    with contextlib.suppress(KeyboardInterrupt):
        serve(host, port, open_browser=browser, say=say_where)
    leave(0)  # a program may still be compiling in a thread, and nothing waits for it


@app.command()
def check(
    exercise: Annotated[
        str, typer.Argument(metavar="EXERCISE|FILE", help="An exercise, by name or file.")
    ],
    solutions: Annotated[
        list[str],
        typer.Argument(
            metavar="SOLUTION…",
            help="YAML or CSV of name, value; several files, a folder or one CSV for a class.",
        ),
    ],
    json: Json = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the class table as CSV.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a self-contained page.")
    ] = None,
    language: Annotated[str, typer.Option(metavar="en|fa", help="English or Persian.")] = "en",
    persian_digits: Annotated[
        bool, typer.Option("--persian-digits", help="Write numbers with Persian digits.")
    ] = False,
) -> None:
    """Find the first wrong number in somebody's working; status 1 if there is one."""
    from descentlab.cli import checking

    spoken = checking.language(language, persian_digits)
    status = checking.check(exercise, solutions, json=json, csv=csv, html=html, spoken=spoken)
    if status:
        raise typer.Exit(status)
