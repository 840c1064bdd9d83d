"""`sagestone backup` and `sagestone restore`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from sagestone.archive.errors import UnsafeArchive
from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.exits import FAILED, USAGE, leave
from sagestone.cli.show import complaints, console, for_people, show_json

if TYPE_CHECKING:
    from sagestone.compose.backup import Tell


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore_home)


def backup(
    file: Annotated[Path, typer.Argument(help="The new file, a .tar.gz; it appears when it is complete.")],
    home: Home = None,
    images: Annotated[bool, typer.Option("--images", help="The sandbox's images too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write everything that is kept into one file, while the service runs or not.

    Algorithms, jobs, models, tags, objects of the embedded S3, logs, keys and settings. Keep it as secret as the keys.
    """
    from sagestone.compose.backup import BackupFailed, back_up

    settings = settings_of(home)
    with _progress() as tell:
        try:
            report = back_up(settings, file, images=images, tell=tell)
        except (BackupFailed, FileExistsError) as error:
            exists = isinstance(error, FileExistsError)
            leave(FAILED, f"{file} exists already: no file is written over by a backup" if exists else str(error))
    if settings.s3_endpoint:
        complaints.print(f"note: objects lie in {settings.s3_endpoint}; they are not in the backup")
    for each in report.left_out:
        complaints.print(f"note: left out: {for_people(each)}")
    if as_json:
        show_json(
            {
                "file": str(report.path),
                "files": report.files,
                "bytes": report.bytes,
                "packed_bytes": report.packed_bytes,
                "left_out": list(report.left_out),
            }
        )
    else:
        sizes = f"{report.bytes / 1e6:.1f} MB in {report.packed_bytes / 1e6:.1f} MB"
        console.print(f"{for_people(str(file))}: {report.files} files, {sizes}")


def restore_home(
    file: Annotated[Path, typer.Argument(help="A file that `sagestone backup` wrote.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a home of a backup: one that does not exist yet, or is empty.

    Everything is checked first. Jobs that ran when the backup was made end with a reason that says so.
    """
    from sagestone.compose.restore import RestoreFailed, restore

    settings = settings_of(home)
    if not file.is_file():
        leave(USAGE, f"{file} is no file")
    with _progress() as tell:
        try:
            report = restore(file, settings.home, tell=tell)
        except RestoreFailed as error:
            leave(FAILED, str(error))
        except UnsafeArchive as error:
            leave(FAILED, f"{file} is damaged, or no backup: {error}")
    if as_json:
        show_json(
            {
                "home": str(report.home),
                "made_at": report.made_at,
                "version": report.version,
                "files": report.files,
                "bytes": report.bytes,
                "ended_jobs": list(report.ended_jobs),
            }
        )
        return
    console.print(f"{for_people(str(report.home))} is restored: {report.files} files, {report.bytes / 1e6:.1f} MB")
    for name in report.ended_jobs:
        console.print(f"  {for_people(name)} ran when the backup was made; it has ended with that reason")


@contextmanager
def _progress() -> "Iterator[Tell]":
    """A bar for people; nothing where standard error is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=complaints, transient=True, disable=not complaints.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda text, done, total: progress.update(
            task, description=text, completed=done, total=total or None, refresh=False
        )
