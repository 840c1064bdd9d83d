"""`sagestone up`."""

import gc
import os
import shlex
import signal
import threading
from itertools import count
from typing import TYPE_CHECKING, Annotated

import typer

from sagestone.cli.app import Home, settings_of
from sagestone.cli.exits import UNAVAILABLE, command_name, leave
from sagestone.compose.allocator import give_back_free_memory, tell_allocator
from sagestone.compose.log_lines import set_up_logs
from sagestone.settings import Settings, default_home

if TYPE_CHECKING:
    from sagestone.compose.service import Service

#: How often memory that nothing lies on is given back.
_SECONDS_TO_TIDY = 30


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up(
    home: Home = None,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT to listen on; default 127.0.0.1:8470.")] = None,
    runtime: Annotated[
        str | None, typer.Option(help="auto (an engine that answers, else the sandbox), engine, or sandbox.")
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--insecure-no-auth", help="Accept requests with any signature or none. Never on a network.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every request: log_level = info.")] = False,
) -> None:
    """Run the service in the foreground until Ctrl-C.

    Jobs go on when the service stops; the next start finds them again.
    """
    level = "info" if verbose else None
    settings = settings_of(home, listen=listen, runtime=runtime, insecure_no_auth=no_auth or None, log_level=level)
    set_up_logs(settings.log_format, settings.log_level)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, lambda *_: stopped.set())
    tell_allocator()
    service = _start(settings)
    try:
        _tell(service, settings)
        for second in count(1):
            if stopped.wait(1.0):
                break
            if service.broken:
                leave(UNAVAILABLE, service.broken)
            if second % _SECONDS_TO_TIDY == 0:
                give_back_free_memory()
    finally:
        service.stop()
    typer.echo("stopped; jobs that were running go on and are found again at the next start")


def _start(settings: Settings) -> "Service":
    """Start it; what is loaded until then stays, so the garbage collector never looks at it."""
    gc.disable()
    from sagestone.compose.service import Service  # only here: `sagestone --help` imports this module too

    service = Service.start(settings)
    gc.freeze()
    gc.enable()
    return service


def _tell(service: "Service", settings: Settings) -> None:
    """The start message; without rich, which would cost the start a quarter of a second."""
    typer.secho(f"Sagestone listens on {service.endpoint}", bold=True)
    typer.echo(f"  keeps everything in   {settings.home}")
    typer.echo(f"  runs containers with  {service.runtime_sentence}")
    typer.echo(f"  stores objects in     {service.s3_sentence}")
    if settings.insecure_no_auth:
        typer.secho("  signatures are not checked (--insecure-no-auth)", fg=typer.colors.RED)
    if not settings.on_loopback and not settings.tls_certificate:
        text = "beyond this machine without TLS: what clients send and get can be read on the way (set tls_certificate)"
        typer.secho(f"  {text}", fg=typer.colors.RED)
    at = "" if settings.home == default_home(os.environ) else f" --home {shlex.quote(str(settings.home))}"
    typer.echo(f'  point AWS clients here with  eval "$({command_name()} env{at})"')
    typer.echo("  stop with Ctrl-C")
