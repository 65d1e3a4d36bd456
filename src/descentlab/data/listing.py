"""What ``descentlab data`` tells: which data sets there are, where they lie, how to get them."""

from __future__ import annotations

import inspect
from typing import Any

from descentlab.core.errors import DataError, SpecError, unknown
from descentlab.data.locate import VARIABLE, Progress, PublicData, fetch, find, folders
from descentlab.data.public import FASHION_MNIST, MNIST
from descentlab.data.specs import CATALOGUE

PUBLIC = {"mnist": MNIST, "fashion-mnist": FASHION_MNIST}
BUNDLED = ("digits", "breast_cancer", "iris", "wine")
OWN = ("npz", "csv", "parquet")


def list_data() -> list[dict[str, Any]]:
    """Return each data set's ``name``, ``what`` it is, ``where`` it lies, ``how`` to get it."""
    return [_entry(name) for name in CATALOGUE.kinds]


def data_path(name: str) -> str:
    """Return where a data set's files lie.

    Raises:
        DataError: they are nowhere, with where they were looked for and how to get them.
    """
    entry = _entry(_known(name))
    if name not in PUBLIC:
        raise DataError(f"{name} has no files of its own: {entry['how']}")
    if entry["where"] is None:
        looked = ", ".join(str(folder) for folder in folders(PUBLIC[name]))
        raise DataError(f"{name} is not on this machine (looked in {looked}); {entry['how']}")
    return entry["where"]


def get_data(name: str, progress: Progress | None = None) -> str:
    """Make sure that a data set is on this machine, fetching it if need be; return where."""
    if _known(name) not in PUBLIC:
        return str(_entry(name)["how"])
    found = find(PUBLIC[name]) or fetch(PUBLIC[name], progress)
    return str(found[0].parent)


def _known(name: str) -> str:
    if name not in CATALOGUE.kinds:
        raise SpecError(unknown("data set", name, CATALOGUE.kinds))
    return name


def _entry(name: str) -> dict[str, Any]:
    what = (inspect.getdoc(CATALOGUE.kinds[name]) or "").split("\n\n")[0].replace("\n", " ")
    if name in PUBLIC:
        where, how = _public(PUBLIC[name])
    elif name in BUNDLED:
        where, how = "ships with scikit-learn", "nothing to get: it ships with scikit-learn"
    elif name in OWN:
        where, how = None, "your own file: give its 'path'"
    else:
        where, how = "generated", "nothing to get: it is generated"
    return {"name": name, "what": what, "where": where, "how": how}


def _public(data: PublicData) -> tuple[str | None, str]:
    how = (
        f"'descentlab data get {data.name}', or a folder '{data.name}' below one that "
        f"{VARIABLE} names"
    )
    try:
        found = find(data)
    except DataError as error:
        return None, str(error)
    return (str(found[0].parent) if found else None), how
