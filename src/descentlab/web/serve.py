"""Serve the playground until it is stopped."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable

from descentlab.core.errors import DescentLabError

MOST_TRIED = 20


class ServeError(DescentLabError):
    """The playground cannot be served at the address asked for."""


def serve(
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    open_browser: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the playground; returns when it is interrupted.

    Args:
        host: the address to listen at; loopback by default, so that nobody else can reach it.
        port: 8765 or the next free one by default.
        open_browser: show the page.
        say: is told the page's address once it can be opened.

    Raises:
        ServeError: the address cannot be had.
    """
    import uvicorn

    from descentlab.engine.platform import enable_cache
    from descentlab.web.app import create_app
    from descentlab.web.guard import hosts_of

    taken = _socket(host, port)
    enable_cache()
    number = taken.getsockname()[1]
    shown = "localhost" if host in ("127.0.0.1", "::1") else host
    address = f"http://{shown}:{number}/"
    config = uvicorn.Config(create_app(hosts_of(host)), log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    threading.Thread(target=_warm, daemon=True).start()
    say(address)
    if open_browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    with taken:
        server.run(sockets=[taken])


def _socket(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens at the port, or to the first free one from 8765 on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tried = [port] if port is not None else range(8765, 8765 + MOST_TRIED)
    fault: OSError | None = None
    for number in tried:
        # With the protocol named, asyncio sends at once: else each answer waits 40 ms for an ACK.
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, number))
            found.listen(128)  # whoever is told the address may ask at once, and waits
            return found
        except (OSError, OverflowError) as error:
            found.close()
            fault = OSError(str(error))
    where = f"{host}:{port}" if port is not None else f"{host}, ports 8765 to {8764 + MOST_TRIED}"
    raise ServeError(f"cannot listen at {where}: {fault}; choose another with --port or --host")


def _warm() -> None:
    """Compile what the first page asks for, so that it need not wait."""
    from descentlab.web import descents, requests

    texts = ("gd lr=0.001", "momentum lr=0.0002", "rmsprop lr=0.01", "adam lr=0.05")
    descents.catalogue()
    descents.surface(requests.Surface(landscape="rosenbrock"))
    asked = requests.Descents(
        landscape="rosenbrock", methods=texts, start=(-1.54, -0.64), steps=150
    )
    descents.paths(asked)
