"""The commands ``descentlab landscape …``: descents on functions of two variables."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from descentlab.cli.landscape_output import (
    print_runs,
    print_tuning,
    short,
    write_csv,
    write_npz,
    write_study,
)
from descentlab.cli.options import Json
from descentlab.cli.text import late_progress, print_json, print_table, say, writing
from descentlab.core.errors import SpecError

if TYPE_CHECKING:
    from descentlab.objectives.landscape_catalogue import LandscapeInfo

landscape_app = typer.Typer(
    help="Landscapes: descend functions of two variables, tune on them, map their basins.",
    no_args_is_help=True,
)

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FORMULA",
        help="A landscape (descentlab list landscapes), or a formula such as "
        "'(w1 - 1)^2 + 10*w2^2'.",
    ),
]
Start = Annotated[
    str | None, typer.Option(metavar="X,Y", help="Where to begin; the landscape's own by default.")
]
Steps = Annotated[int, typer.Option(metavar="N", help="Updates, of which each is an epoch.")]
One = Annotated[
    str,
    typer.Option(
        "--optimizer",
        metavar="'KIND field=value …'",
        help="Such as 'adam learning_rate=0.01'; gd, momentum and nesterov are short for sgd; "
        "lr_decay=d is the schedule lr / (1 + d·t).",
    ),
]
Condition = Annotated[
    float | None, typer.Option(metavar="C", help="Largest curvature over the smallest, of ravines.")
]
Variance = Annotated[
    float | None, typer.Option(metavar="V", help="Of normal noise on each coordinate's gradient.")
]
DomainText = Annotated[
    str | None,
    typer.Option("--domain", metavar="A,B,C,D", help="The map: w1 from A to B, w2 from C to D."),
]
Seed = Annotated[int, typer.Option(help="Of the noise.")]


@landscape_app.command("list")
def landscape_list(json: Json = False) -> None:
    """List the landscapes: formula, domain, minima, source."""
    if json:
        print_json({"landscapes": catalogue()})
    else:
        print_table(["name", "formula", "about"], _listed())


@landscape_app.command("show")
def landscape_show(
    name: Name, condition: Condition = None, domain: DomainText = None, json: Json = False
) -> None:
    """Show a landscape: formula, domain, source, and the minima on its map."""
    import numpy as np

    from descentlab.engine.descents.minima import find_minima
    from descentlab.engine.descents.sharpness import curvature

    landscape = _landscape(name, condition, None, domain)
    minima = find_minima(landscape)
    points = np.asarray([m.point for m in minima]).reshape(-1, 2)
    low, high = curvature(landscape, points) if minima else ([], [])
    if json:
        found = [
            {"point": list(m.point), "value": m.value, "curvatures": [float(a), float(b)]}
            for m, a, b in zip(minima, low, high, strict=True)
        ]
        print_json(landscape.to_json() | {"minima": found})
        return
    print(f"{landscape.title}: {landscape.about} [{landscape.source}]")
    print(f"  {landscape.formula}")
    (a, b), (c, d) = landscape.domain
    print(f"  w1 from {a:g} to {b:g}, w2 from {c:g} to {d:g}")
    rows = [
        [*map(short, (*m.point, m.value, p, q))] for m, p, q in zip(minima, low, high, strict=True)
    ]
    if rows:
        print_table(["minimum w1", "w2", "value", "least curvature", "largest"], rows)
    else:
        print("  no minimum on this map")


@landscape_app.command("run")
def landscape_run(
    name: Name,
    start: Start = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'KIND field=value …'",
            help="As 'adam learning_rate=0.01'; may be repeated. gd, momentum, rmsprop and adam "
            "by default.",
        ),
    ] = None,
    steps: Steps = 150,
    condition: Condition = None,
    variance: Variance = None,
    domain: DomainText = None,
    seed: Seed = 0,
    json: Json = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every epoch's numbers.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a study file of these descents.")
    ] = None,
) -> None:
    """Descend from a point: cost and path by epoch, what became of it and why."""
    from descentlab.engine.descents.diagnosis import diagnose
    from descentlab.engine.descents.reading import FOUR
    from descentlab.engine.descents.run import run

    landscape = _landscape(name, condition, variance, domain)
    found = run(landscape, optimizer or FOUR, _start(start, landscape), steps, seed=seed)
    judged = [diagnose(descent) for descent in found]
    if csv is not None:
        write_csv(csv, found)
    if study is not None:
        write_study(study, landscape, found)
    if json:
        parts = [
            descent.to_json() | {"diagnosis": why.to_json()}
            for descent, why in zip(found, judged, strict=True)
        ]
        whole = {"landscape": landscape.name, "start": list(found[0].start), "steps": steps}
        print_json(parts[0] if len(parts) == 1 else whole | {"runs": parts})
        return
    print_runs(found, judged)


@landscape_app.command("tune")
def landscape_tune(
    name: Name,
    start: Start = None,
    optimizer: One = "adam",
    steps: Steps = 150,
    settings: Annotated[int, typer.Option(metavar="N", help="About how many are tried.")] = 10_000,
    fix: Annotated[
        list[str] | None,
        typer.Option(metavar="decay|beta", help="Leave it as it is; may be repeated."),
    ] = None,
    condition: Condition = None,
    variance: Variance = None,
    domain: DomainText = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Search rate, decay and β for the lowest cost, and for the one that is surest."""
    from descentlab.engine.descents.tune import VARIED, tune

    landscape = _landscape(name, condition, variance, domain)
    for each in fix or ():
        if each not in VARIED[1:]:
            raise SpecError(f"--fix: expected 'decay' or 'beta', found '{each}'")
    vary = [each for each in VARIED if each not in (fix or ())]
    place = _start(start, landscape)
    with late_progress("searching") as progress:
        found = tune(
            landscape, optimizer, place, steps,
            vary=vary, settings=settings, seed=seed, progress=progress,
        )  # fmt: skip
    if json:
        print_json(found.to_json())
    else:
        print_tuning(found)


@landscape_app.command("basins")
def landscape_basins(
    name: Name,
    optimizer: One = "adam learning_rate=0.1",
    steps: Steps = 150,
    size: Annotated[
        int, typer.Option(metavar="N", help="Starts along each side of the map.")
    ] = 512,
    condition: Condition = None,
    variance: Variance = None,
    domain: DomainText = None,
    seed: Seed = 0,
    json: Json = False,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture.")] = None,
    npz: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write index, minima and axes as arrays.")
    ] = None,
) -> None:
    """Say which minimum each start of a grid reaches: 262,144 starts by default."""
    from descentlab.engine.descents.basins import DIVERGED, NONE, basins

    landscape = _landscape(name, condition, variance, domain)
    with late_progress("descending") as progress:
        found = basins(
            landscape, optimizer, steps, columns=size, rows=size, seed=seed, progress=progress
        )
    if png is not None:
        from descentlab.report.maps import write_basins

        with writing(png):
            write_basins(found, png)
        say(f"{png}: written")
    if npz is not None:
        write_npz(npz, found)
    if json:
        print_json(found.to_json())
        return
    counts = found.counts
    rows = [
        [*map(short, (*m.point, m.value)), f"{counts[n]:,}", f"{counts[n] / found.starts:.2%}"]
        for n, m in enumerate(found.minima)
    ]
    for number, text in ((NONE, "none"), (DIVERGED, "diverged")):
        share = f"{counts[number] / found.starts:.2%}"
        rows.append([text, "", "", f"{counts[number]:,}", share])
    print_table(["reached w1", "w2", "value", "starts", "share"], rows)


@landscape_app.command("stability")
def landscape_stability(
    name: Name,
    start: Start = None,
    optimizer: One = "momentum",
    steps: Steps = 150,
    size: Annotated[int, typer.Option(metavar="N", help="Settings along each side.")] = 128,
    condition: Condition = None,
    variance: Variance = None,
    domain: DomainText = None,
    seed: Seed = 0,
    json: Json = False,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture.")] = None,
) -> None:
    """Say with which learning rate × momentum it converges, oscillates, diverges or crawls."""
    from descentlab.engine.descents.stability import stability

    landscape = _landscape(name, condition, variance, domain)
    place = _start(start, landscape)
    with late_progress("descending") as progress:
        found = stability(
            landscape, optimizer, place, steps,
            columns=size, rows=size, seed=seed, progress=progress,
        )  # fmt: skip
    if png is not None:
        from descentlab.report.maps import write_stability

        with writing(png):
            write_stability(found, png)
        say(f"{png}: written")
    if json:
        print_json(found.to_json())
        return
    total = found.outcome.size
    rows = [[text, f"{n:,}", f"{n / total:.1%}"] for text, n in found.counts.items()]
    print_table(["outcome", "settings", "share"], rows)


def catalogue() -> dict[str, Any]:
    """Return all landscapes as plain values, by name."""
    from descentlab.objectives.landscape_catalogue import LANDSCAPES

    return {name: each.to_json() for name, each in LANDSCAPES.items()}


def sentences() -> dict[str, str]:
    """Return a sentence about each landscape, by name."""
    from descentlab.objectives.landscape_catalogue import LANDSCAPES

    return {name: f"{each.about} [{each.source}]" for name, each in LANDSCAPES.items()}


def _listed() -> list[list[str]]:
    from descentlab.objectives.landscape_catalogue import LANDSCAPES

    return [[name, each.formula, each.about] for name, each in LANDSCAPES.items()]


def _landscape(
    name: str, condition: float | None, variance: float | None, domain: str | None
) -> LandscapeInfo:
    from descentlab.engine.platform import enable_cache
    from descentlab.objectives.landscape_catalogue import find_landscape

    enable_cache()
    sides: Any = None
    if domain is not None:
        a, b, c, d = _numbers("--domain", domain, 4)
        sides = (a, b), (c, d)
    return find_landscape(name, condition=condition, variance=variance, domain=sides)


def _start(text: str | None, landscape: LandscapeInfo) -> tuple[float, float]:
    if text is None:
        return landscape.start
    x, y = _numbers("--start", text, 2)
    return x, y


def _numbers(option: str, text: str, count: int) -> list[float]:
    form = "X,Y such as -1.54,-0.64" if count == 2 else "four numbers such as -2,2,-1,3"
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise SpecError(f"{option}: expected {form}, found '{text}'")
    return found
