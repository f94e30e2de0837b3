"""Which start of a run this is, where a launcher starts its ranks again with the store of the start before."""

import datetime
import time
import uuid
from typing import Any

__all__ = ["agree_on_round"]

_PAUSE = 0.02  # seconds


def agree_on_round(store: Any, rank: int, size: int, patience: datetime.timedelta) -> str:
    """A name that all ranks of this start share, and no other start has.

    torchrun keeps one store for all its starts, so a rank may read in it what a rank that is gone has written there.
    The first rank makes up the name and gives it to whoever asks, also to those of old, who do not hear it; each of the
    others asks by a name of its own.

    Raises:
        RuntimeError: not all ranks came in time.
    """
    if rank > 0:
        own = uuid.uuid4().hex
        store.set(f"asks/{rank}", own)
        name = store.get(f"told/{own}").decode()
        store.set(f"heard/{name}/{rank}", own)
        return name
    name = uuid.uuid4().hex
    told: dict[int, bytes] = {}
    away = set(range(1, size))
    end = time.monotonic() + patience.total_seconds()
    while away:
        for other in sorted(away):
            if store.check([f"heard/{name}/{other}"]):
                away.remove(other)
            elif store.check([f"asks/{other}"]) and (asks := store.get(f"asks/{other}")) != told.get(other):
                store.set(f"told/{asks.decode()}", name)
                told[other] = asks
        if time.monotonic() > end:
            raise RuntimeError(f"rank {min(away)} did not come in time")
        time.sleep(_PAUSE)
    return name
