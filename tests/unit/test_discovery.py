"""Where engines are looked for, against sockets of the test's own."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagestone.containers.discovery import explain_engines, find_engine


@contextmanager
def _engine(path: Path, name: str) -> Iterator[None]:
    """A socket that answers every request with an engine's version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = json.dumps({"Version": "1.2.3", "ApiVersion": "1.41", "Components": [{"Name": name}]}).encode()
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    thread = threading.Thread(target=serve, args=(listener,))
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": str(tmp_path / "run")}


def test_the_engine_asked_for_is_the_only_one(tmp_path: Path, environment: dict[str, str]) -> None:
    with _engine(tmp_path / "run" / "docker.sock", "Engine"):
        asked = {**environment, "DOCKER_HOST": f"unix://{tmp_path}/nothing.sock"}
        assert find_engine(asked) is None
        [finding] = explain_engines(asked)
        assert finding.source == "$DOCKER_HOST"
        assert str(tmp_path / "nothing.sock") in finding.problem


def test_finds_a_rootless_engine_and_says_what_it_is(tmp_path: Path, environment: dict[str, str]) -> None:
    with _engine(tmp_path / "run" / "podman" / "podman.sock", "Podman Engine"):
        url = f"unix://{tmp_path}/run/podman/podman.sock"
        found = {finding.url: finding for finding in explain_engines(environment)}
        assert found[url].answer == "Podman 1.2.3 (API 1.41)"
        assert find_engine({"DOCKER_HOST": url}) == url


def test_an_address_of_another_kind_is_explained(environment: dict[str, str]) -> None:
    [finding] = explain_engines({**environment, "DOCKER_HOST": "ssh://somewhere"})
    assert finding.answer is None
    assert "ssh://somewhere" in finding.problem
    assert "unix://" in finding.problem
