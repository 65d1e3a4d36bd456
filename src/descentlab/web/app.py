"""The playground's server: descents, searches and exercises as JSON, and the page itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from descentlab.core.errors import DescentLabError
from descentlab.web import descents, exercises, requests
from descentlab.web.guard import Guard

STATIC = Path(str(resources.files("descentlab.web") / "static"))

HEAVY = threading.BoundedSemaphore(2)
"""Searches and basins use all cores; more at once would only wait for each other."""


def create_app(hosts: Iterable[str] = ("127.0.0.1", "localhost", "::1", "testserver")) -> Any:
    """Return the ASGI application.

    Args:
        hosts: names by which it may be addressed; see :class:`descentlab.web.guard.Guard`.
    """
    app = FastAPI(title="DescentLab playground", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_exception_handler(DescentLabError, _fault)
    app.add_exception_handler(RequestValidationError, _nonsense)
    _pages(app)
    _descents(app)
    _exercises(app)
    return Guard(app, hosts)


def _pages(app: FastAPI) -> None:
    """The page, its modules, and plotly.js out of the installed wheel."""
    fresh = {"cache-control": "no-cache"}

    @app.get("/")
    def index() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=fresh)

    @app.get("/plotly.min.js")
    def plotly_js() -> FileResponse:
        import plotly

        file = Path(str(plotly.__file__)).parent / "package_data" / "plotly.min.js"
        return FileResponse(file, headers={"cache-control": "max-age=86400"})

    app.mount("/static", StaticFiles(directory=STATIC), name="static")


def _descents(app: FastAPI) -> None:
    """What moves on landscapes."""

    @app.get("/api/catalogue")
    def catalogue() -> Any:
        return descents.catalogue()

    @app.post("/api/surface")
    def surface(asked: requests.Surface) -> JSONResponse:
        return _json(descents.surface(asked))

    @app.post("/api/run")
    def run(asked: requests.Descents) -> JSONResponse:
        return _json(descents.paths(asked))

    @app.post("/api/moment")
    def moment(asked: requests.Moment) -> JSONResponse:
        return _json(descents.moment(asked))

    @app.post("/api/study")
    def study(asked: requests.Descents) -> JSONResponse:
        return _json(descents.study(asked))

    @app.post("/api/tune")
    def tune(asked: requests.Tune) -> JSONResponse:
        return _alone(lambda: descents.tuned(asked))

    @app.post("/api/basins")
    def basins(asked: requests.Regions) -> JSONResponse:
        return _alone(lambda: descents.reached(asked))

    @app.post("/api/stability")
    def stability(asked: requests.Regions) -> JSONResponse:
        return _alone(lambda: descents.stable(asked))


def _exercises(app: FastAPI) -> None:
    """Worked calculations as pages beside it."""

    @app.get("/api/exercises")
    def listed(language: str = "en") -> Any:
        return exercises.listed(language)

    @app.get("/api/exercises/{name}")
    def one(name: str, language: str = "en", persian_digits: bool = False) -> JSONResponse:
        return _json(exercises.one(name, language, persian_digits))

    @app.post("/api/check")
    def check(asked: requests.Numbers) -> JSONResponse:
        return _json(exercises.check(asked))

    @app.post("/api/solve")
    def solve(asked: requests.Solve) -> JSONResponse:
        return _json(exercises.solve(asked))


def _alone(work: Callable[[], Any]) -> JSONResponse:
    with HEAVY:
        return _json(work())


def _json(value: Any) -> JSONResponse:
    """Return JSON in which NaN and infinities are null; floats keep every bit."""
    from descentlab.core.plain import plain

    return JSONResponse(plain(value))


def _fault(request: Any, error: Exception) -> JSONResponse:
    text = str(error)
    field = text.partition(":")[0] if ":" in text else ""
    return JSONResponse({"error": text, "field": field}, status_code=422)


def _nonsense(request: Any, error: Any) -> JSONResponse:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body")
    return JSONResponse({"error": f"{field}: {first['msg']}", "field": field}, status_code=422)


@cache
def default_app() -> Any:
    """Return the application for a loopback address, made once."""
    return create_app()
