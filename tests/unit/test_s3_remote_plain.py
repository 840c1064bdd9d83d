"""An answer that ends within its head is an error, whatever came of it."""

import socket

import pytest

from sagestone.s3.remote_plain import _receive_head


@pytest.mark.parametrize("sent", [b"", b"H", b"HTTP/1.1 206 Partial Content\r\nETag: 1\r\n", b"x" * 1024])
def test_a_head_that_is_cut_off_is_refused(sent: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(OSError, match="the connection ended"):
            _receive_head(ours)


def test_nothing_behind_the_head_is_taken() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 206 Partial Content\r\n\r\nbody")
        assert _receive_head(ours) == b"HTTP/1.1 206 Partial Content"
        assert ours.recv(10) == b"body"
