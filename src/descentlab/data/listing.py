"""What ``descentlab data`` tells: which data sets there are, where they lie, how to get them."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from descentlab.core.errors import DataError, SpecError, unknown
from descentlab.data.download import fetch, require
from descentlab.data.locate import (
    VARIABLE,
    Progress,
    PublicData,
    data_cache,
    find,
    folders,
    instructions,
    verify_files,
)
from descentlab.data.public import FASHION_MNIST, MNIST
from descentlab.data.specs import CATALOGUE

PUBLIC = {"mnist": MNIST, "fashion-mnist": FASHION_MNIST}
OWN = ("npz", "csv", "parquet")
GENERATED = ("blobs", "moons", "circles", "spirals", "least_squares")


class _Facts(NamedTuple):
    rows: str
    licence: str


_FACTS = {
    "digits": _Facts("1,797", "CC BY 4.0 (UCI)"),
    "breast_cancer": _Facts("569", "CC BY 4.0 (UCI)"),
    "iris": _Facts("150", "CC BY 4.0 (UCI)"),
    "wine": _Facts("178", "CC BY 4.0 (UCI)"),
    "mnist": _Facts("60,000 + 10,000", "CC BY-SA 3.0"),
    "fashion-mnist": _Facts("60,000 + 10,000", "MIT"),
    **dict.fromkeys(GENERATED, _Facts("as many as asked for", "none needed: generated")),
    "none": _Facts("none", "none needed"),
    **dict.fromkeys(OWN, _Facts("the file's", "the file's")),
}


def list_data() -> list[dict[str, Any]]:
    """Return what is known of each data set.

    Its ``name``, ``what`` it is, how many ``rows`` (train + test), ``where`` it lies (None if
    it is not here), ``how`` to get it, and its ``licence``.
    """
    return [_entry(name) for name in CATALOGUE.kinds]


def data_path(name: str) -> str:
    """Return the folder in which a data set's files lie.

    Raises:
        SpecError: there is no such data set.
        DataError: they are nowhere, with where they were looked for and how to get them.
    """
    if _known(name) not in PUBLIC:
        raise DataError(f"{name} has no files of its own: {_entry(name)['how']}")
    data = PUBLIC[name]
    found = find(data)
    if found is None:
        looked = ", ".join(map(str, folders(data)))
        raise DataError(
            f"{name} is not on this machine (looked in {looked}); 'descentlab data get {name}' "
            f"fetches it, or {instructions(data)}"
        )
    return str(found[0].parent)


def get_data(name: str, progress: Progress | None = None) -> str:
    """Make sure that a data set is here and right, fetching it if need be; return where.

    A damaged file in the cache folder is fetched again; one elsewhere is the user's, and an
    error.

    Raises:
        SpecError: there is no such data set.
        DataError: it cannot be had, or a file of the user's is not the published one.
    """
    if _known(name) not in PUBLIC:
        return str(_entry(name)["how"])
    data = PUBLIC[name]
    found = find(data)
    if found is None or found[0].parent == data_cache() / data.name:
        found = fetch(data, progress)
    else:
        verify_files(data, found)
    return str(found[0].parent)


def fetch_missing(name: str, progress: Progress | None = None) -> None:
    """Fetch a public data set that is nowhere on this machine; leave all others alone.

    Raises:
        DataError: it cannot be had, or a folder has only some of its files.
    """
    if name in PUBLIC:
        require(PUBLIC[name], progress)


def _known(name: str) -> str:
    if name not in CATALOGUE.kinds:
        raise SpecError(unknown("data set", name, CATALOGUE.kinds))
    return name


def _entry(name: str) -> dict[str, Any]:
    what = (inspect.getdoc(CATALOGUE.kinds[name]) or "").split("\n\n")[0].replace("\n", " ")
    facts = _FACTS.get(name, _Facts("unknown", "unknown"))
    if name in PUBLIC:
        where, how = _public(PUBLIC[name])
    elif name in OWN:
        where, how = None, "your own file: give its 'path'"
    elif name == "none":
        where, how = "nowhere", "nothing to get: it is the absence of data"
    elif name in GENERATED:
        where, how = "generated", "nothing to get: it is generated"
    elif name in _FACTS:
        where, how = "ships with scikit-learn", "nothing to get: it ships with scikit-learn"
    else:
        owner = CATALOGUE.kinds[name].__module__.split(".")[0]
        where, how = None, f"the package '{owner}' that offers it says how"
    return {
        "name": name,
        "what": what,
        "rows": facts.rows,
        "where": where,
        "how": how,
        "licence": facts.licence,
    }


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
