"""What a request is told of by."""

import uuid

from sagestone.wire.exchange import new_request_id


def test_request_ids_are_random_uuids() -> None:
    ids = [new_request_id() for _ in range(1000)]
    read = [uuid.UUID(each) for each in ids]
    assert [str(each) for each in read] == ids
    assert {(each.version, each.variant) for each in read} == {(4, uuid.RFC_4122)}
    assert len(set(ids)) == len(ids)
