"""A TCP proxy on loopback that breaks connections where a test wants it: the one fault that is made up."""

import socket
import threading
from types import TracebackType


class BreakingProxy:
    """Passes connections on to a port; each is cut after the next number of answered bytes in `breaks`."""

    def __init__(self, port: int, breaks: list[int]) -> None:
        self._target, self._breaks = port, breaks
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.refusing = threading.Event()
        self.broken = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "BreakingProxy":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing.is_set():
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _answer(self, source: socket.socket, target: socket.socket) -> None:
        passed = 0
        try:
            while data := source.recv(65536):
                with self._lock:
                    cut = bool(self._breaks) and passed + len(data) > self._breaks[0]
                    if cut:
                        data = data[: self._breaks.pop(0) - passed]
                        self.broken += 1
                if self.refusing.is_set():
                    break
                target.sendall(data)
                passed += len(data)
                if cut:
                    break
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
