"""Who may speak to the server: pages that it served itself, and nobody else.

A page of another site cannot be kept from sending requests to a local server, but its
requests carry that site's Origin, and after a rebinding of names that site's Host.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

MOST_BYTES = 100_000
"""Of a request's body."""

TOO_LONG = 413, f"at most {MOST_BYTES:,} bytes are read"

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


class Guard:
    """Refuses requests with a foreign Host or Origin and bodies that are too long.

    Args:
        app: what answers the others.
        hosts: names by which the server may be addressed, without port.
    """

    def __init__(self, app: App, hosts: Iterable[str]) -> None:
        self.app, self.hosts = app, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)  # the server's own start and end
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        refused = self.refusal(scope["method"], headers)
        body = await _body(receive) if refused is None else b""
        if body is None:
            refused = TOO_LONG
        if refused is not None:
            await _refuse(send, *refused)
            return

        async def with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, _again(body or b"", receive), with_headers)

    def refusal(self, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        """Return status and reason if a request must not be answered."""
        host = headers.get("host", "")
        if not self.known(host):
            return 403, f"the host '{host[:100]}' is not this server's"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, "requests from other pages are not answered"
        followed = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        own = headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        if not own and not (followed and headers.get("sec-fetch-dest") == "document"):
            return 403, "requests from other pages are not answered"
        if method not in ("GET", "HEAD", "POST"):
            return 405, "only GET and POST are answered"
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if method == "POST" and kind != "application/json":
            return 415, "expected application/json"
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return TOO_LONG
        return None

    def known(self, host: str) -> bool:
        """Whether a Host header names this server."""
        name = urlsplit(f"//{host}").hostname if host else None
        return name is not None and name.lower() in self.hosts


def hosts_of(address: str) -> list[str]:
    """Return the names by which a server at an address may be addressed."""
    local = ["127.0.0.1", "localhost", "::1"]
    try:
        everywhere = ipaddress.ip_address(address).is_unspecified
    except ValueError:
        everywhere = False
    if not everywhere:
        return [*local, address]
    import socket

    return [*local, socket.gethostname(), *socket.gethostbyname_ex(socket.gethostname())[2]]


async def _body(receive: Any) -> bytes | None:
    """Return a request's body; None if it is too long, however long it says that it is."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":  # whoever asked is gone
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BYTES:
            return None
    return body


def _again(body: bytes, receive: Any) -> Any:
    """Return a receiver that hands over a body which has been read."""
    handed = False

    async def again() -> Any:
        nonlocal handed
        if handed:
            return await receive()
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Any, status: int, reason: str) -> None:
    body = reason.encode()
    start = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
