"""The server: quick to start, for this machine alone, and steady under load."""

from __future__ import annotations

import concurrent.futures
import http.client
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.web.conftest import Server

RUN: dict[str, Any] = {
    "landscape": "rosenbrock",
    "methods": ["gd lr=0.001", "adam lr=0.05"],
    "start": [-1.5, -0.6],
    "steps": 150,
}
PLAY = (sys.executable, "-m", "descentlab", "play", "--no-browser")


def ask(server: Server, method: str, path: str, headers: dict[str, str], body: Any = None) -> int:
    """Ask with exactly these headers and this path, as no client would; return the status."""
    at = urlsplit(server.address)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    status = connection.getresponse().status
    connection.close()
    return status


def host(server: Server) -> str:
    return urlsplit(server.address).netloc


def test_it_starts_at_once_on_loopback_alone(server: Server) -> None:
    port = urlsplit(server.address).port
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    listening = [fields[1] for fields in sockets if fields[3] == "0A"]
    mine = [place for place in listening if int(place.split(":")[1], 16) == port]
    assert mine == [f"0100007F:{port:04X}"]


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "", "[::2]", "10.0.0.1"]
)
def test_a_foreign_host_is_refused(server: Server, name) -> None:
    assert ask(server, "GET", "/", {"Host": name}) in (400, 403)


def test_no_host_is_refused(server: Server) -> None:
    assert ask(server, "GET", "/", {}) in (400, 403)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_page_is_refused(server: Server, headers) -> None:
    assert ask(server, "GET", "/api/catalogue", {"Host": host(server), **headers}) == 403
    head = {"content-type": "application/json", **headers}
    assert httpx.post(f"{server.address}api/run", json=RUN, headers=head).status_code == 403


def test_its_own_page_is_answered(server: Server) -> None:
    head = {"Origin": server.address.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    answer = httpx.post(f"{server.address}api/run", json=RUN, headers=head, timeout=60)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; application/json", "multipart/x", ""])
def test_a_form_cannot_post(server: Server, kind) -> None:
    answer = httpx.post(f"{server.address}api/run", content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415


def test_long_bodies_are_refused(server: Server) -> None:
    head = {"content-type": "application/json"}
    address = f"{server.address}api/run"
    assert httpx.post(address, content=b" " * 200_000, headers=head).status_code == 413
    pieces = (b" " * 10_000 for _ in range(30))  # in chunks, without a length
    assert httpx.post(address, content=pieces, headers=head).status_code == 413
    head = {"Host": host(server), "content-type": "application/json", "content-length": "-5"}
    assert ask(server, "POST", "/api/run", head) in (400, 413)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2f%2e%2e%2fcli%2fapp.py",
        "/static/..\\app.py",
        "/static/..%5capp.py",
        "/static//etc/passwd",
        "/static/js/../../../../../../../../etc/passwd",
        "/static/js/",
        "/static/",
        "/app.py",
        "/api/../static/../app.py",
        "/openapi.json",
        "/docs",
    ],
)
def test_no_other_file_is_read(server: Server, path) -> None:
    assert ask(server, "GET", path, {"Host": host(server)}) == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(server: Server, method) -> None:
    assert httpx.request(method, f"{server.address}api/run").status_code == 405


def test_a_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        made = subprocess.run(
            [*PLAY, "--port", str(port)], capture_output=True, text=True, timeout=60
        )
    assert made.returncode == 2
    assert made.stderr.startswith(f"descentlab: cannot listen at 127.0.0.1:{port}")
    assert "--port" in made.stderr and made.stderr.count("\n") == 1


def test_an_address_of_another_machine_is_told() -> None:
    command = [*PLAY, "--host", "192.0.2.1", "--port", "0"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert made.returncode == 2 and "192.0.2.1" in made.stderr


def test_memory_stays_where_it_was() -> None:
    server = Server()
    try:
        with httpx.Client(base_url=server.address, timeout=60) as client:

            def one(number: int) -> None:
                body = {**RUN, "start": [-1.5 + number / 1000, 0.5], "steps": 100 + number % 100}
                assert client.post("/api/run", json=body).status_code == 200
                if number % 50 == 0:
                    moment = {k: v for k, v in body.items() if k not in ("methods", "steps")}
                    moment |= {"method": "adam lr=0.05", "at": 5}
                    assert client.post("/api/moment", json=moment).status_code == 200
                    assert client.post("/api/run", json={**body, "steps": -1}).status_code == 422

            def together() -> None:
                with concurrent.futures.ThreadPoolExecutor(20) as pool:
                    list(pool.map(one, range(40)))

            for number in range(200):
                one(number)
            together()
            before = server.memory()
            for number in range(1000):
                one(number)
            together()
            grown = server.memory() - before
        assert grown < 24 * 2**20, f"{grown / 2**20:.1f} MiB more"
    finally:
        server.stop()


def test_it_stops_when_it_is_told() -> None:
    server = Server()
    assert httpx.get(server.address).status_code == 200
    said = server.stop()
    assert server.process.returncode in (0, 130) and "Traceback" not in said
