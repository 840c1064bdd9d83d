"""What the programs read: the same objects for every validation, and what they must have seen of them."""

import hashlib
import random

_DICE = random.Random(0)

TRAIN = {f"train/{number:02}.bin": _DICE.randbytes(_DICE.choice((100, 5_000, 400_000))) for number in range(12)}
BATCH = {f"batch/{number}.csv": b"".join(b"%d-%d\n" % (number, row) for row in range(12)) for number in range(4)}

#: The digest of all training objects in the order of their keys, as File and FastFile mode show them and pipes stream.
TRAIN_DIGEST = hashlib.sha256(b"".join(TRAIN[key] for key in sorted(TRAIN))).hexdigest()
