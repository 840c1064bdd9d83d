"""FastFile mode: the objects of a channel appear as files, and nothing is downloaded before the program starts.

Beside the embedded store the files are further names (hard links) of the store's own blobs, shown to the container
read-only. A blob is never written to, so what was listed stays readable as it was, whatever becomes of the object.
Nobody but the store's owner reaches the links on the host: they lie in the instance's directory.
"""

from collections.abc import Callable
from pathlib import Path

from sagestone.archive.remove import remove_tree
from sagestone.channels.directory import ChannelDirectory
from sagestone.channels.paths import channel_prefix, check_whole_prefix, clash, no_file, relative_path
from sagestone.channels.source import ChannelObject, channel_objects
from sagestone.containers.runtime import Mount
from sagestone.domain.channel import Channel
from sagestone.domain.failure import Failure, JobFailure
from sagestone.domain.instance_group import Share
from sagestone.s3.client import S3, S3Failure

INPUT_DATA = "/opt/ml/input/data"


class FastFileChannel:
    """The live part (`channels.live`) of a FastFile channel: `place` is its directory, shown at `seen` below /opt/ml.

    `seen` is on the host what the container's mount covers.
    """

    def __init__(self, s3: S3, channel: Channel, share: Share, place: Path, seen: Path) -> None:
        self._s3, self._channel, self._share = s3, channel, share
        self._place, self._seen = place, seen
        self._failure: Failure | None = None

    def start(self, watch: Callable[[], None]) -> int:
        prefix = channel_prefix(self._channel)
        self._seen.mkdir(parents=True, exist_ok=True, mode=0o755)
        directory = ChannelDirectory(self._place)
        objects = 0
        try:
            for found in channel_objects(self._s3, self._channel, self._share):
                objects += 1
                check_whole_prefix(self._channel, prefix, found.uri.key)
                path = relative_path(self._channel, prefix, found.uri.key)
                if found.mine:
                    self._link(directory, path, found)
                if objects % 256 == 0:
                    watch()
        finally:
            directory.close()
        return objects

    def resume(self) -> None:
        if not self._place.is_dir():
            message = f"channel {self._channel.name}: its files were taken away while the program ran"
            self._failure = Failure(fault="internal", message=message)

    def failure(self) -> Failure | None:
        return self._failure

    def stop(self) -> None:
        remove_tree(self._place)

    def mounts(self) -> tuple[Mount, ...]:
        return (Mount(source=self._place, target=f"{INPUT_DATA}/{self._channel.name}", read_only=True),)

    def _link(self, directory: ChannelDirectory, path: str, found: ChannelObject) -> None:
        try:
            above, name = directory.parent(path)
            linked = self._s3.link(found.source, name, above)
        except (FileExistsError, NotADirectoryError) as error:
            raise clash(self._channel, found.uri, path) from error
        except S3Failure as error:
            raise JobFailure("client", f"Data download failed:Unable to open object {error}") from error
        except OSError as error:
            raise no_file(self._channel, found.uri, error) from error
        if not linked:
            raise JobFailure(
                "client",
                f"Data download failed:channel {self._channel.name}: FastFile needs the embedded store on the file "
                "system of the service's home; use File or Pipe mode here",
            )
