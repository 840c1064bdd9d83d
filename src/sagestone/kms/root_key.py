"""The root key, which seals all others: 32 random bytes in a file of its own, which nobody but its owner may read."""

import secrets
import stat
from contextlib import suppress
from pathlib import Path

from sagestone.durable import whole_file
from sagestone.kms.seal import KEY_BYTES


class BadRootKey(Exception):
    """A root key that cannot be used; the text names the file and what to do."""


def open_root_key(path: Path, *, make: bool) -> bytes:
    """The key in the file; with `make` a new one is written (mode 0600) where there is no file. Raises BadRootKey.

    Whoever holds keys that were sealed before must not `make`: they need the root key that sealed them.
    """
    try:
        if make and not path.exists():
            _make(path)
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise BadRootKey(f"{path} may be read by others (mode {stat.S_IMODE(mode):04o}): `chmod 600 {path}`")
        key = bytes.fromhex(path.read_text())
    except FileNotFoundError:
        raise BadRootKey(
            f"{path} is missing: the keys that it sealed cannot be used without it. Put it back, or say in the "
            "setting kms_root_key where it is"
        ) from None
    except (OSError, ValueError) as error:
        raise BadRootKey(f"the root key in {path} cannot be read: {error}") from error
    if len(key) != KEY_BYTES:
        raise BadRootKey(f"{path} holds no root key: {2 * KEY_BYTES} hexadecimal digits are expected")
    return key


def _make(path: Path) -> None:
    """The first of several writers wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError), whole_file(path, new=True) as file:
        file.write(f"{secrets.token_hex(KEY_BYTES)}\n".encode())
