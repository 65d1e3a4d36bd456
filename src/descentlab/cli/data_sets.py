"""The commands ``descentlab data …``: which data sets there are, where they lie, what leaks."""

from __future__ import annotations

from typing import Annotated

import typer

from descentlab.cli.options import Json

data_app = typer.Typer(
    help="Data sets: which there are, where they lie, how to get them.", no_args_is_help=True
)


@data_app.command("list")
def data_list(json: Json = False) -> None:
    """List the data sets, what they are, and whether they are on this machine."""
    from descentlab.cli.text import print_data_sets
    from descentlab.data.listing import list_data

    print_data_sets(list_data(), json)


@data_app.command("get")
def data_get(name: Annotated[str, typer.Argument(help="A data set.")]) -> None:
    """Fetch a data set into the user's cache folder, verified; print where it is."""
    from descentlab.cli.text import download_progress
    from descentlab.data.listing import get_data

    with download_progress(name) as progress:
        found = get_data(name, progress=progress)
    typer.echo(found)


@data_app.command("path")
def data_path(name: Annotated[str, typer.Argument(help="A data set.")]) -> None:
    """Print where a data set's files are on this machine."""
    from descentlab.data.listing import data_path as find

    typer.echo(find(name))


@data_app.command("leaks")
def data_leaks(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE",
            help="A data set, a study (.yaml), or your own file (.csv, .parquet, .npz).",
        ),
    ],
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column (or array) with patients, lesions, …."),
    ] = None,
    near: Annotated[
        float | None,
        typer.Option(
            metavar="THRESHOLD",
            help="How near a copy is: its distance as a share of that to the tenth neighbour. "
            "At most 0.3 by default.",
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column (or array) of the labels.")
    ] = None,
    test: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="What to draw for testing: a share or a number."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of that draw.")] = None,
    json: Json = False,
) -> None:
    """Look for training examples in the test part; status 1 if there are any, 0 if none."""
    from descentlab.cli.text import late_progress, print_leaks
    from descentlab.studies.leaks import leaks

    with late_progress(f"comparing {name}") as progress:
        found = leaks(name, group, near=near, label=label, test=test, seed=seed, progress=progress)
    print_leaks(found, json)
    if found.found:
        raise typer.Exit(1)
