"""The objects of a manifest are looked up several at a time at an endpoint, and come in the manifest's order."""

import asyncio
import json
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from sagestone.s3.client import write_all
from sagestone.s3.embedded import EmbeddedS3
from sagestone.s3.listing import LOOKUPS, BadS3Input, objects_of
from sagestone.s3.remote import RemoteS3
from sagestone.s3.storage import open_storage
from sagestone.s3.uri import S3Uri
from tests.s3_face import ACCESS_KEY, REGION, SECRET_KEY, running_face


@dataclass(slots=True)
class Counter:
    """Holds lookups below `in/` back until so many wait at once."""

    awaited: int
    under_way: int = 0
    most: int = 0
    all_there: asyncio.Event = field(default_factory=asyncio.Event)

    async def arrived(self, request: web.BaseRequest) -> None:
        if request.method != "HEAD" or "/in/" not in request.path:
            return
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.under_way == self.awaited:
            self.all_there.set()
        await asyncio.wait_for(self.all_there.wait(), 30)
        self.under_way -= 1


@pytest.fixture
def keys(tmp_path: Path) -> list[str]:
    """A manifest in no order, and all that it names."""
    keys = [f"{number:03}" for number in range(100)]
    random.Random(1).shuffle(keys)
    storage = open_storage(tmp_path)
    storage.buckets.create("data", REGION, 0.0)
    storage.close()
    s3 = EmbeddedS3(tmp_path)
    for key in keys:
        write_all(s3, S3Uri("data", f"in/{key}"), [key.encode() * int(key)])
    write_all(s3, S3Uri("data", "all"), [json.dumps([{"prefix": "s3://data/in/"}, *keys]).encode()])
    lacking = [*keys[:20], "gone", *keys[20:], "gone too"]
    write_all(s3, S3Uri("data", "lacking"), [json.dumps([{"prefix": "s3://data/in/"}, *lacking]).encode()])
    return keys


def test_as_many_as_are_allowed_and_in_order(tmp_path: Path, keys: list[str]) -> None:
    counter = Counter(LOOKUPS)
    with running_face(tmp_path, arrived=counter.arrived) as face:
        s3 = RemoteS3(face.endpoint, REGION, ACCESS_KEY, SECRET_KEY)
        found = list(objects_of(s3, "ManifestFile", "s3://data/all"))
    assert counter.most == LOOKUPS
    assert [each.uri.key for each in found] == [f"in/{key}" for key in keys]
    assert [each.size for each in found] == [3 * int(key) for key in keys]


def test_the_first_that_is_missing_is_named_after_all_before_it(tmp_path: Path, keys: list[str]) -> None:
    with running_face(tmp_path) as face:
        objects = objects_of(
            RemoteS3(face.endpoint, REGION, ACCESS_KEY, SECRET_KEY), "ManifestFile", "s3://data/lacking"
        )
        assert [next(objects).uri.key for _ in range(20)] == [f"in/{key}" for key in keys[:20]]
        with pytest.raises(BadS3Input, match='names the object "s3://data/in/gone", which does not exist'):
            next(objects)
    for thread in threading.enumerate():
        if thread.name.startswith("look-up"):
            thread.join(30)
            assert not thread.is_alive()
