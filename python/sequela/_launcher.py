"""Which launcher started this process, and as which of how many ranks."""

import dataclasses
import re
import zlib
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Launch:
    """A rank's place.

    Attributes:
        launcher: its name, for messages.
        rank, size: of all ranks. local_rank, local_size: of those on this machine.
        address, port: where the first rank, or the launcher's agent, holds the store.
    """

    launcher: str
    rank: int
    size: int
    local_rank: int
    local_size: int
    address: str
    port: int


class LaunchError(Exception):
    """A launcher's environment that does not say enough; one line with what mends it."""


def _number(environment: Mapping[str, str], *names: str, default: int | None = None) -> int:
    for name in names:
        text = environment.get(name, "")
        if text.isdigit():
            return int(text)
        if text:
            raise LaunchError(f"{name} is '{text}', not a number. Fix: start all ranks by the launcher.")
    if default is None:
        raise LaunchError(f"{names[0]} is not set. Fix: start all ranks by the launcher, or set it.")
    return default


def first_host(nodes: str) -> str:
    """The first host of Slurm's list: "gpu[03-05,9],login" -> "gpu03"."""
    match = re.match(r"([^,\[]*)(?:\[([^\],-]+)[^\]]*\]([^,\[]*))?", nodes)
    return "".join(part or "" for part in match.groups()) if match else ""


def _port(environment: Mapping[str, str], job: str) -> int:
    """MASTER_PORT, or one that follows from the job, so that two jobs on a machine do not meet."""
    return _number(environment, "MASTER_PORT", default=20_000 + zlib.crc32(job.encode()) % 10_000)


def _address(environment: Mapping[str, str], default: str) -> str:
    address = environment.get("MASTER_ADDR") or default
    if not address:
        raise LaunchError("MASTER_ADDR is not set. Fix: set it to the host of the first rank.")
    return address


def _torchrun(environment: Mapping[str, str]) -> Launch:
    return Launch(
        launcher="torchrun" if "TORCHELASTIC_RUN_ID" in environment else "RANK and WORLD_SIZE",
        rank=_number(environment, "RANK"),
        size=_number(environment, "WORLD_SIZE"),
        local_rank=_number(environment, "LOCAL_RANK", default=0),
        local_size=_number(environment, "LOCAL_WORLD_SIZE", default=1),
        address=_address(environment, ""),
        port=_number(environment, "MASTER_PORT", default=29_500),
    )


def _srun(environment: Mapping[str, str]) -> Launch:
    size = _number(environment, "SLURM_STEP_NUM_TASKS")
    nodes = _number(environment, "SLURM_STEP_NUM_NODES", default=1)
    # "2(x3),1": tasks of each node.
    here = environment.get("SLURM_STEP_TASKS_PER_NODE", "")
    local = int(here) if here.isdigit() else (size + nodes - 1) // nodes
    if match := re.fullmatch(r"(\d+)\(x\d+\)", here):
        local = int(match.group(1))
    return Launch(
        launcher="srun",
        rank=_number(environment, "SLURM_PROCID"),
        size=size,
        local_rank=_number(environment, "SLURM_LOCALID", default=0),
        local_size=local,
        address=_address(environment, first_host(environment.get("SLURM_STEP_NODELIST", ""))),
        port=_port(environment, environment.get("SLURM_JOB_ID", "") + "." + environment.get("SLURM_STEP_ID", "")),
    )


def _mpi(environment: Mapping[str, str]) -> Launch:
    size = _number(environment, "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
    local = _number(environment, "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", default=1)
    return Launch(
        launcher="mpirun",
        rank=_number(environment, "OMPI_COMM_WORLD_RANK", "PMI_RANK"),
        size=size,
        local_rank=_number(environment, "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", default=0),
        local_size=local,
        address=_address(environment, "127.0.0.1" if local == size else ""),
        port=_port(environment, environment.get("PMIX_NAMESPACE", environment.get("PMI_JOBID", ""))),
    )


def _is_step(environment: Mapping[str, str]) -> bool:
    """Whether srun started this process, or one above it; in sbatch's script it did not."""
    return "SLURM_PROCID" in environment and "SLURM_STEP_NUM_TASKS" in environment


def _is_mpi(environment: Mapping[str, str]) -> bool:
    """Whether mpirun did. In an allocation its ranks inherit Slurm's variables: those of the shell that it was typed in, or
    of the daemon that srun started for each machine. srun itself (--mpi=pmi2) gives PMI's rank and size too, but no local
    one."""
    if "OMPI_COMM_WORLD_RANK" in environment:
        return True
    if "PMI_RANK" not in environment:
        return False
    pmi = environment["PMI_RANK"], environment.get("PMI_SIZE")
    slurm = environment.get("SLURM_PROCID"), environment.get("SLURM_STEP_NUM_TASKS")
    return not _is_step(environment) or "MPI_LOCALNRANKS" in environment or pmi != slurm


def _kubeflow(environment: Mapping[str, str]) -> Launch:
    if environment.get("PET_NPROC_PER_NODE", "1") not in ("1", "auto"):
        raise LaunchError("PET_NPROC_PER_NODE is more than 1. Fix: start `torchrun -m sequela`, which starts them.")
    return Launch(
        launcher="Kubeflow's PyTorchJob",
        rank=_number(environment, "PET_NODE_RANK"),
        size=_number(environment, "PET_NNODES"),
        local_rank=0,
        local_size=1,
        address=_address(environment, environment.get("PET_MASTER_ADDR", "")),
        port=_number(environment, "MASTER_PORT", "PET_MASTER_PORT", default=29_500),
    )


def find_launch(environment: Mapping[str, str]) -> Launch | None:
    """The launcher of this process; None: no launcher, or one that started a single rank.

    Raises:
        LaunchError: its environment does not say enough.
    """
    launch = None
    if "RANK" in environment and "WORLD_SIZE" in environment:  # torchrun, PyTorchJob, by hand
        launch = _torchrun(environment)
    elif _is_mpi(environment):
        launch = _mpi(environment)
    elif _is_step(environment):
        launch = _srun(environment)
    elif "PET_NODE_RANK" in environment and "PET_NNODES" in environment:
        launch = _kubeflow(environment)
    if launch is None or launch.size == 1:
        return None
    if not 0 <= launch.rank < launch.size:
        raise LaunchError(f"rank {launch.rank} of {launch.size} ranks. Fix: start all ranks by {launch.launcher}.")
    return launch
