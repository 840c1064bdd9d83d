"""`sagestone image …`: the images that the runtime holds."""

from pathlib import Path
from typing import Annotated

import typer

from sagestone.cli.app import AsJson, Home, settings_of
from sagestone.cli.exits import FAILED, USAGE, leave
from sagestone.cli.show import complaints, console, show_json
from sagestone.compose.images import Images, open_images
from sagestone.containers.runtime import Image, RuntimeFailure
from sagestone.image_build.build import build_image
from sagestone.image_build.recipe import read_recipe

images_app = typer.Typer(
    no_args_is_help=True,
    help="Images for the runtime in use: build, load, list, remove. An engine's own images are the engine's.",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(images_app, name="image")


def _images(home: Path | None) -> Images:
    return open_images(settings_of(home))


@images_app.command()
def load(
    archives: Annotated[list[Path], typer.Argument(help="OCI or docker archives (`docker save`), may be gzipped.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Load image archives and print their names and digests."""
    images = _images(home)
    loaded: list[Image] = []
    missing = [str(archive) for archive in archives if not archive.exists()]
    if missing:
        leave(USAGE, f"{', '.join(missing)} does not exist")
    for archive in archives:
        with complaints.status(f"loading {archive.name}"):
            try:
                loaded += images.load(archive)
            except RuntimeFailure as error:
                leave(FAILED, f"{archive} cannot be loaded: {error}")
    _show(loaded, as_json)


@images_app.command()
def build(
    directory: Annotated[Path, typer.Argument(help="A directory with an image.toml, such as examples/random-forest.")],
    home: Home = None,
    archive_only: Annotated[
        bool, typer.Option("--archive-only", help="Print the archive's path, load nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Build an image from Debian packages, wheels and files, without an engine or a registry, and load it."""
    settings = settings_of(home)
    recipe = read_recipe(directory)
    built = build_image(recipe, settings.home / "cache" / "images", lambda text: complaints.print(f"[dim]{text}[/dim]"))
    if archive_only:
        typer.echo(str(built.archive))
        return
    load([built.archive], home, as_json)


@images_app.command("list")
def list_(home: Home = None, as_json: AsJson = False) -> None:
    """List the images that the runtime holds."""
    _show(sorted(_images(home).all(), key=lambda image: image.names), as_json)


@images_app.command()
def remove(
    references: Annotated[list[str], typer.Argument(help="Names, digests or ids.")],
    home: Home = None,
) -> None:
    """Remove images; algorithms that are pinned to one cannot run until it is loaded again."""
    images = _images(home)
    for reference in references:
        try:
            images.remove(reference)
        except RuntimeFailure as error:
            leave(FAILED, f"{reference} cannot be removed: {error}")
        console.print(f"removed {reference}")


def _show(images: list[Image], as_json: bool) -> None:
    if as_json:
        show_json([_document(image) for image in images])
        return
    for image in images:
        name = ", ".join(image.names) or "(no name)"
        console.print(f"{name}  {image.digest}  {image.architecture}  {image.size_bytes / 1e6:.0f} MB")
    if not images:
        console.print("the runtime holds no images")


def _document(image: Image) -> dict[str, object]:
    return {
        "names": list(image.names),
        "digest": image.digest,
        "id": image.id,
        "architecture": image.architecture,
        "size_bytes": image.size_bytes,
    }
