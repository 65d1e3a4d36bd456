"""Fetching from a server on this machine: whole and verified, or not at all."""

from __future__ import annotations

import errno
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from descentlab.core.errors import DataError
from descentlab.data import download, listing
from descentlab.data.download import fetch
from descentlab.data.images import read_images
from descentlab.data.locate import data_cache, find

from .conftest import NAMES, Tiny


class Server(ThreadingHTTPServer):
    """Serves files by name; ``faults`` says which are served badly, and how."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, str] = {}
        self.asked: list[str] = []
        self.closing = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        self.server.asked.append(name)
        content, fault = self.server.files.get(name), self.server.faults.get(name)
        if content is None or fault == "gone":
            self.send_error(404)
            return
        if fault == "nonsense":
            self.wfile.write(b"this is no HTTP\r\n\r\n")
            return
        if fault == "chunked":
            self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        if fault == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"ffff\r\n" + content[:10])  # and then the end
            self.close_connection = True
            return
        if fault != "length unknown":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault == "wrong":
            content = bytes([content[0] ^ 1]) + content[1:]
        if fault in ("cut", "stalled"):
            content = content[: len(content) // 2]
        self.wfile.write(content)
        if fault == "stalled":
            self.wfile.flush()
            self.server.closing.wait(10)

    def log_message(self, format: str, *args) -> None:
        """Say nothing."""


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def served(server) -> Tiny:
    tiny = Tiny.make("tiny", f"http://127.0.0.1:{server.server_port}/")
    server.files = dict(zip(NAMES, tiny.packed, strict=True))
    return tiny


def kept(data) -> set[str]:
    folder = data_cache() / data.name
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def test_a_download_is_whole_verified_and_reports_its_progress(served):
    seen = []
    paths = fetch(served.data, lambda *step: seen.append(step))
    assert [path.read_bytes() for path in paths] == served.packed
    assert kept(served.data) == set(NAMES)
    for name, packed in zip(NAMES, served.packed, strict=True):
        steps = [step for step in seen if step[0] == name]
        assert steps[-1] == (name, len(packed), len(packed))
        assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)


def test_data_that_is_nowhere_is_fetched_once(served, server):
    assert len(read_images(served.data, ("a", "b", "c")).inputs) == 12
    read_images(served.data, ("a", "b", "c"))
    assert sorted(server.asked) == sorted(NAMES)


def test_fetching_what_is_missing_leaves_the_rest_alone(served, server, monkeypatch):
    monkeypatch.setitem(listing.PUBLIC, "mnist", served.data)
    seen = []
    for name in ("mnist", "mnist", "digits", "csv"):
        listing.fetch_missing(name, lambda *step: seen.append(step[0]))
    assert sorted(server.asked) == sorted(NAMES) == sorted(set(seen))


def test_a_length_that_is_not_said_is_no_fault(served, server):
    server.faults = dict.fromkeys(NAMES, "length unknown")
    seen = []
    fetch(served.data, lambda *step: seen.append(step))
    assert {total for _, _, total in seen} == {None}


FAULTS = {
    "cut": "broke off after",
    "chunked": "cannot be fetched",
    "wrong": "wrong checksum (md5",
    "gone": "the server says HTTP Error 404",
    "nonsense": "cannot be fetched",
    "stalled": "no answer within 0.2 seconds",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_download_leaves_nothing_and_goes_on_next_time(served, server, fault, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    server.faults = {NAMES[2]: fault}
    with pytest.raises(DataError) as caught:
        fetch(served.data)
    said = str(caught.value)
    assert FAULTS[fault] in said
    assert NAMES[2] in said
    assert str(data_cache() / "tiny") in said
    assert "DESCENTLAB_DATA" in said
    assert kept(served.data) == set(NAMES[:2]), "half a file, or a temporary one, was kept"
    assert find(served.data) is None
    server.faults, server.asked = {}, []
    fetch(served.data)
    assert server.asked == list(NAMES[2:]), "what was right was fetched again"
    assert kept(served.data) == set(NAMES)


def test_without_a_network_one_is_told_where_to_put_the_files(tiny, monkeypatch, tmp_path):
    monkeypatch.setenv("DESCENTLAB_DATA", str(tmp_path / "mine"))
    with pytest.raises(DataError) as caught:
        read_images(tiny.data, ("a", "b", "c"))
    said = str(caught.value)
    assert said.startswith("tiny is not on this machine (looked in ")
    assert "http://127.0.0.1:9/train-images-idx3-ubyte.gz cannot be fetched" in said
    for part in (*NAMES, str(data_cache() / "tiny"), "DESCENTLAB_DATA", str(tmp_path / "mine")):
        assert part in said
    assert "\n" not in said


def test_an_endless_answer_is_given_up(served, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", 20)
    with pytest.raises(DataError, match="more than 20 bytes came"):
        fetch(served.data)
    assert kept(served.data) == set()


def test_a_full_disk_leaves_nothing_and_is_not_called_a_network_fault(served, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(download.os, "fsync", full)
    with pytest.raises(
        DataError, match=r"cannot write .*No space left on device; nothing was kept"
    ):
        fetch(served.data)
    assert kept(served.data) == set()


def test_a_cache_that_cannot_be_made_says_so(served, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(DataError, match=r"cannot write .*XDG_CACHE_HOME"):
        fetch(served.data)


def test_an_interrupt_leaves_nothing(served):
    def interrupt(*step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(served.data, interrupt)
    assert kept(served.data) == set()


def test_what_a_killed_fetch_left_is_swept_when_it_is_old(served):
    folder = data_cache() / "tiny"
    folder.mkdir(parents=True)
    for name, age in ((".tmp-old", 2 * 86_400), (".tmp-new", 60)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)
    fetch(served.data)
    assert kept(served.data) == {*NAMES, ".tmp-new"}


def test_get_mends_the_cache_and_not_the_users_own_files(served, server, monkeypatch, tmp_path):
    monkeypatch.setitem(listing.PUBLIC, "mnist", data := served.data._replace(name="mnist"))
    assert listing.get_data("mnist") == str(data_cache() / "mnist")
    (data_cache() / "mnist" / NAMES[1]).write_bytes(b"damaged")
    server.asked = []
    assert listing.get_data("mnist") == str(data_cache() / "mnist")
    assert server.asked == [NAMES[1]]
    assert len(read_images(data, ("a", "b", "c")).inputs) == 12
    own = served.write(tmp_path / "mine" / "mnist")
    monkeypatch.setenv("DESCENTLAB_DATA", str(tmp_path / "mine"))
    assert listing.get_data("mnist") == str(tmp_path / "mine" / "mnist")
    own[1].write_bytes(b"\0\0\x08\x01\0\0\0\0")
    with pytest.raises(DataError, match="wrong checksum"):
        listing.get_data("mnist")
    assert own[1].read_bytes() == b"\0\0\x08\x01\0\0\0\0"


def test_two_at_once_do_not_harm_each_other(served):
    faults = []

    def work() -> None:
        try:
            fetch(served.data)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert kept(served.data) == set(NAMES)
