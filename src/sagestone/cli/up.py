"""`sagestone up`."""

import logging
import signal
import threading
from typing import Annotated

import typer

from sagestone.cli.app import Home, settings_of
from sagestone.cli.exits import UNAVAILABLE, leave
from sagestone.cli.show import complaints, console
from sagestone.compose import AlreadyRunning, CannotStart, Service


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
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every request.")] = False,
) -> None:
    """Run the service in the foreground until Ctrl-C.

    Jobs go on when the service stops; the next start finds them again.
    """
    settings = settings_of(home, listen=listen, runtime=runtime, insecure_no_auth=no_auth or None)
    logging.getLogger("sagestone").setLevel(logging.INFO if verbose else logging.WARNING)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        service = Service.start(settings)
    except (AlreadyRunning, CannotStart) as error:
        leave(UNAVAILABLE, str(error))
    try:
        console.print(f"[bold]Sagestone listens on {service.endpoint}[/bold]")
        console.print(f"  keeps everything in   {settings.home}")
        console.print(f"  runs containers with  {service.runtime_sentence}")
        console.print(f"  stores objects in     {service.s3_sentence}")
        if settings.insecure_no_auth:
            complaints.print("[red]  signatures are not checked (--insecure-no-auth)[/red]")
        console.print('  point AWS clients here with  [bold]eval "$(sagestone env)"[/bold]')
        console.print("  stop with Ctrl-C")
        while not stopped.wait(1.0):
            if service.broken:
                leave(UNAVAILABLE, service.broken)
    finally:
        service.stop()
    console.print("stopped; jobs that were running go on and are found again at the next start")
