"""TLS with a given certificate: made ready before anything listens, so that a bad pair is told at once."""

import ssl
from pathlib import Path

from sagestone.compose.runtimes import CannotStart
from sagestone.settings import Settings


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """What the service listens with: TLS 1.2 or newer; None without a certificate. Raises CannotStart with what to do.

    Files are read once: a renewed certificate counts from the next start on.
    """
    if not settings.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate, key = Path(settings.tls_certificate).expanduser(), Path(settings.tls_key).expanduser()
    for path, setting in ((certificate, "tls_certificate"), (key, "tls_key")):
        _check_readable(path, setting)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise CannotStart(_reason(error, certificate, key)) from error
    if settings.tls_ca:
        _check_ca(Path(settings.tls_ca).expanduser())
    return context


def _check_readable(path: Path, setting: str) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise CannotStart(f"{setting} = {path} cannot be read: {error.strerror}") from error


def _check_ca(path: Path) -> None:
    _check_readable(path, "tls_ca")
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError as error:
        raise CannotStart(f"tls_ca = {path} holds no certificates in PEM form: clients could not use it") from error


def _no_password() -> str:
    """Nobody is there to type one."""
    raise ValueError("encrypted")


def _reason(error: Exception, certificate: Path, key: Path) -> str:
    text = str(error)
    if "encrypted" in text:
        return f"tls_key = {key} is encrypted, and nobody could type its password: give one without"
    if "KEY_VALUES_MISMATCH" in text:
        return f"tls_key = {key} is not the key of tls_certificate = {certificate}: give the pair that belongs together"
    return (
        f"tls_certificate = {certificate} and tls_key = {key} cannot be used ({text}): both must be in PEM form, the "
        "certificate first with the chain after it"
    )
