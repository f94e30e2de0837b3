"""The command on one of several ranks: the process group around it, and a watch over ranks that hang."""

import contextlib
import datetime
import json
import os
import socket
import sys
import threading
import time
from typing import Any

import torch
import torch.distributed as dist

from sequela import _core
from sequela._launcher import Launch, LaunchError
from sequela._round import agree_on_round

_EXIT_LOST = 5  # as for other resources that were lost

# How long a rank may be silent before the others give it up, in seconds.
_SILENCE = "SEQUELA_RANK_TIMEOUT"
_DEFAULT_SILENCE = 60.0

# A collective, and the start, wait so long for a rank that lives.
_PATIENCE = datetime.timedelta(hours=2)


def _silence() -> float:
    text = os.environ.get(_SILENCE, "")
    try:
        seconds = float(text) if text else _DEFAULT_SILENCE
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 86_400:
        raise LaunchError(f"{_SILENCE} is '{text}'. Fix: give 1 to 86400 seconds.")
    return seconds


class _Watch:
    """A thread that says that this rank lives, and looks after the others when it waits for them for long.

    A rank whose process gives no sign ends this process with a line that names it, and the launcher starts all
    again from the last checkpoint. One that lives, but is late, is named once in a while.
    """

    def __init__(self, store: Any, launch: Launch, silence: float):
        self._store = store
        self._launch = launch
        self._silence = silence
        self._is_over = threading.Event()
        self._num_signs = 0
        self._seen: dict[int, tuple[int, float]] = {}  # rank: its signs, and since when there are so many
        self._next_note = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _key(self, rank: int) -> str:
        return f"sequela/{rank}"

    def _run(self) -> None:
        period = self._silence / 12
        while not self._is_over.wait(period if self._num_signs else 0):
            num_calls, what, is_waiting, seconds = _core.stand_of_rank()
            self._num_signs += 1
            sign = [self._num_signs, num_calls, what, is_waiting, socket.gethostname()]
            try:
                self._store.set(self._key(self._launch.rank), json.dumps(sign))
                if is_waiting and seconds > self._silence / 3:
                    self._look_after(num_calls, what, seconds)
                else:
                    self._seen.clear()
            except Exception:  # the store is gone with the rank or agent that held it
                if self._is_over.is_set():
                    return
                self._give_up("the store of the ranks is gone: the first rank or the launcher has ended")

    def _signs(self) -> list[tuple[int, list[Any]]]:
        others = [rank for rank in range(self._launch.size) if rank != self._launch.rank]
        known = [rank for rank in others if self._store.check([self._key(rank)])]
        return [(rank, json.loads(self._store.get(self._key(rank)))) for rank in known]

    def _look_after(self, num_calls: int, what: str, seconds: float) -> None:
        now = time.monotonic()
        late, waiting = [], []
        for rank, (num_signs, other_calls, other_what, is_waiting, host) in self._signs():
            if self._seen.get(rank, (-1, 0.0))[0] != num_signs:
                self._seen[rank] = (num_signs, now)
            silent = now - self._seen[rank][1]
            if silent + self._silence / 3 > self._silence:
                self._give_up(f"rank {rank} on {host} has given no sign for {self._silence:.0f} s, in '{other_what}'")
            if is_waiting:
                waiting.append(rank)
            if other_calls < num_calls:
                late.append(f"rank {rank} on {host}, which was last in '{other_what}'")
        if late and seconds > self._silence and now > self._next_note and min(waiting, default=0) >= self._launch.rank:
            self._next_note = now + self._silence
            _say(self._launch, f"waits in '{what}' since {seconds:.0f} s for {'; '.join(late[:4])}")

    def _give_up(self, why: str) -> None:
        _say(self._launch, f"error: {why}. Fix: look at that machine; the same command goes on from the last checkpoint.")
        os._exit(_EXIT_LOST)


def _say(launch: Launch, text: str) -> None:
    print(f"sequela: rank {launch.rank}: {text}", file=sys.stderr, flush=True)


def _open_group(launch: Launch) -> Any:
    """Makes the process group; a client of its store for the watch."""
    os.environ.update(
        RANK=str(launch.rank), WORLD_SIZE=str(launch.size), MASTER_ADDR=launch.address, MASTER_PORT=str(launch.port)
    )
    has_gpu = torch.cuda.is_available()
    if has_gpu:
        torch.cuda.set_device(launch.local_rank % torch.cuda.device_count())
    store, rank, size = next(dist.rendezvous("env://", timeout=_PATIENCE))
    name = agree_on_round(store, rank, size, _PATIENCE)
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if has_gpu else "gloo",
        store=dist.PrefixStore(f"group/{name}", store),
        rank=rank,
        world_size=size,
        timeout=_PATIENCE,
    )
    return dist.PrefixStore(f"watch/{name}", store.clone())


def run_on_rank(launch: Launch, arguments: list[str]) -> int:
    """Runs the command as one rank of a group; its exit code."""
    silence = _silence()
    try:
        store = _open_group(launch)
    except (RuntimeError, ValueError) as error:
        _say(launch, f"error: the ranks did not meet at {launch.address}:{launch.port}: {str(error).splitlines()[0]}. "
             "Fix: start all ranks, and let them reach that address and port.")
        return _EXIT_LOST
    try:
        _core.join_ranks(dist.group.WORLD.group_name, launch.local_size)
        watch = _Watch(store, launch, silence)
        try:
            code = _core.run_command(["sequela", *arguments])
        finally:
            watch.stop()
            _core.leave_ranks()
        if code == 0:
            with contextlib.suppress(RuntimeError):  # the first rank's store serves until all are done
                dist.barrier()
        return code
    finally:
        dist.destroy_process_group()
