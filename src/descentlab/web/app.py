"""The playground's server: descents, searches and exercises as JSON, and the page itself."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from descentlab.core.errors import DescentLabError
from descentlab.core.plain import plain
from descentlab.web import descents, exercises, requests
from descentlab.web.guard import Guard

STATIC = Path(str(resources.files("descentlab.web") / "static"))

HEAVY = threading.BoundedSemaphore(2)
"""Searches and basins use all cores; more at once would only wait for each other."""

LONG = 10_000
"""Updates of a run that is as much work, and as much to hold, as a search."""


def create_app(hosts: Iterable[str] = ("127.0.0.1", "localhost", "::1", "testserver")) -> Any:
    """Return the ASGI application.

    Args:
        hosts: names by which it may be addressed; see :class:`descentlab.web.guard.Guard`.
    """
    app = FastAPI(title="DescentLab playground", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_exception_handler(DescentLabError, _fault)
    app.add_exception_handler(RequestValidationError, _nonsense)
    app.add_exception_handler(HTTPException, _nothing)
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
    def surface(asked: requests.Surface) -> Response:
        return _json(descents.surface(asked))

    @app.post("/api/run")
    def run(asked: requests.Descents) -> Response:
        long = len(asked.methods) * asked.steps > LONG
        return _alone(lambda: descents.paths(asked)) if long else _json(descents.paths(asked))

    @app.post("/api/moment")
    def moment(asked: requests.Moment) -> Response:
        return _json(descents.moment(asked))

    @app.post("/api/study")
    def study(asked: requests.Descents) -> Response:
        return _json(descents.study(asked))

    @app.post("/api/tune")
    def tune(asked: requests.Tune) -> Response:
        return _alone(lambda: descents.tuned(asked))

    @app.post("/api/basins")
    def basins(asked: requests.Regions) -> Response:
        return _alone(lambda: descents.reached(asked))

    @app.post("/api/stability")
    def stability(asked: requests.Regions) -> Response:
        return _alone(lambda: descents.stable(asked))


def _exercises(app: FastAPI) -> None:
    """Worked calculations as pages beside it."""

    @app.get("/api/exercises")
    def listed(language: str = "en") -> Any:
        return exercises.listed(language)

    @app.get("/api/exercises/{name}")
    def one(name: str, language: str = "en", persian_digits: bool = False) -> Response:
        return _json(exercises.one(name, language, persian_digits))

    @app.post("/api/check")
    def check(asked: requests.Numbers) -> Response:
        return _json(exercises.check(asked))

    @app.post("/api/solve")
    def solve(asked: requests.Solve) -> Response:
        return _json(exercises.solve(asked))


def _alone(work: Callable[[], Any]) -> Response:
    with HEAVY:
        return _json(work())


def _json(value: Any) -> Response:
    """Return JSON in which NaN and infinities are null; floats keep every bit."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, TypeError):  # something is not finite, or no plain value
        text = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    return Response(text, media_type="application/json")


def _nothing(request: Any, error: Any) -> JSONResponse:
    """Answer what there is not, or what cannot be read at all."""
    return JSONResponse({"error": str(error.detail), "field": ""}, status_code=error.status_code)


def _fault(request: Any, error: Exception) -> JSONResponse:
    """Answer what cannot be done: why, and the field at fault; messages begin with it."""
    text = str(error)
    field = getattr(error, "field", None)
    if field is None:
        named = re.match(r"[\w.]+(?=[:,])", text)
        field = named[0] if named else ""
    return JSONResponse({"error": text, "field": field}, status_code=422)


def _nonsense(request: Any, error: Any) -> JSONResponse:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body")
    if first["type"] == "json_invalid":
        return JSONResponse({"error": "the body is not JSON", "field": ""}, status_code=422)
    return JSONResponse({"error": f"{field}: {first['msg']}", "field": field}, status_code=422)


@cache
def default_app() -> Any:
    """Return the application for a loopback address, made once."""
    return create_app()
