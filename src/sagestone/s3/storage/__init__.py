"""The embedded store itself: an index in SQLite and immutable blob files, used by several processes at once."""

from sagestone.s3.storage.storage import Storage, open_storage

__all__ = ["Storage", "open_storage"]
