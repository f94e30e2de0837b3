"""Ranks that are started again agree on what the start is called."""

import datetime
import threading

import pytest
import torch.distributed as dist
from sequela._round import agree_on_round

PATIENCE = datetime.timedelta(seconds=20)


def start(store, ranks, size):
    """The names that these ranks, on threads, agree on."""
    names = {}

    def run(rank):
        names[rank] = agree_on_round(store, rank, size, PATIENCE)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in ranks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return names


def test_each_start_has_a_name_of_its_own():
    store = dist.HashStore()
    seen = set()
    for _ in range(3):
        names = start(store, range(4), 4)
        assert sorted(names) == [0, 1, 2, 3] and len(set(names.values())) == 1
        seen |= set(names.values())
    assert len(seen) == 3


@pytest.mark.parametrize("size", [2, 5])
def test_what_a_rank_that_is_gone_asked_does_no_harm(size):
    store = dist.HashStore()
    for rank in range(1, size):
        store.set(f"asks/{rank}", "one that was killed before it was told")
    assert len(set(start(store, reversed(range(size)), size).values())) == 1


def test_a_rank_that_does_not_come_is_named():
    store = dist.HashStore()
    with pytest.raises(RuntimeError, match="rank 2 did not come"):
        threading.Thread(target=agree_on_round, args=(store, 1, 3, PATIENCE)).start()
        agree_on_round(store, 0, 3, datetime.timedelta(seconds=1))
