"""An engine that is being restarted: what was not heard is asked again, and a POST that may have been heard is not."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagestone.containers.engine.http import EngineAway, EngineHttp, EngineUnreachable
from sagestone.containers.engine.runtime import EngineRuntime

_ANSWER = json.dumps({"Id": "x"}).encode()


@contextmanager
def engine(path: Path, deaf: int) -> Iterator[Callable[[], list[bytes]]]:
    """Listens, and closes the first `deaf` connections after the request was read; gives the requests heard."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(65536).partition(b" HTTP")[0])
                    if len(heard) > deaf:
                        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(_ANSWER)
                        connection.sendall(head + _ANSWER)

        threading.Thread(target=serve, daemon=True).start()
        yield lambda: heard
        listener.shutdown(socket.SHUT_RDWR)


def test_what_nobody_heard_is_asked_again(tmp_path: Path) -> None:
    place = tmp_path / "engine.sock"
    http = EngineHttp(f"unix://{place}", patience_seconds=60)
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(http.post("/containers/create")))
    asking.start()
    with engine(place, deaf=0):
        asking.join(60)
    assert answers == [{"Id": "x"}]


def test_a_get_is_asked_again_and_a_post_that_may_have_been_heard_is_not(tmp_path: Path) -> None:
    http = EngineHttp(f"unix://{tmp_path / 'engine.sock'}", patience_seconds=60)
    with engine(tmp_path / "engine.sock", deaf=1) as heard:
        assert http.get("/info") == {"Id": "x"}
        assert heard() == [b"GET /info", b"GET /info"]
    (tmp_path / "engine.sock").unlink()
    with engine(tmp_path / "engine.sock", deaf=1) as heard:
        with pytest.raises(EngineUnreachable) as failure:
            http.post("/containers/x/start")
        assert not isinstance(failure.value, EngineAway)
        assert heard() == [b"POST /containers/x/start"]


def test_without_patience_nothing_is_asked_again(tmp_path: Path) -> None:
    with pytest.raises(EngineAway):
        EngineHttp(f"unix://{tmp_path}/nothing.sock").get("/info")


def test_an_engine_that_is_slow_to_say_what_it_is_is_asked_once(tmp_path: Path) -> None:
    """Podman works on for those who have gone: asked again and again on a busy machine it never comes to an end."""
    heard: list[bytes] = []
    body = json.dumps({"ApiVersion": "1.41", "Version": "4.3.1", "Components": [{"Name": "Podman Engine"}]}).encode()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65536))
            threading.Event().wait(6)  # a busy machine
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "engine.sock"))
        listener.listen()
        serving = threading.Thread(target=serve, args=(listener,), daemon=True)
        serving.start()
        assert EngineRuntime(f"unix://{tmp_path / 'engine.sock'}").name == "podman"
        serving.join(60)
    assert len(heard) == 1
