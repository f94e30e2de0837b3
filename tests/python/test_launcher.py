"""The environments of launchers."""

import pytest
from sequela._launcher import LaunchError, find_launch, first_host

TORCHRUN = dict(
    RANK="3", WORLD_SIZE="4", LOCAL_RANK="1", LOCAL_WORLD_SIZE="2", MASTER_ADDR="node1", MASTER_PORT="1234",
    TORCHELASTIC_RUN_ID="x",
)  # fmt: skip
SRUN = dict(
    SLURM_PROCID="5", SLURM_STEP_NUM_TASKS="8", SLURM_LOCALID="1", SLURM_STEP_NUM_NODES="2",
    SLURM_STEP_TASKS_PER_NODE="4(x2)", SLURM_STEP_NODELIST="gpu[03-04]", SLURM_JOB_ID="77", SLURM_STEP_ID="0",
)  # fmt: skip
OPENMPI = dict(
    OMPI_COMM_WORLD_RANK="1", OMPI_COMM_WORLD_SIZE="2", OMPI_COMM_WORLD_LOCAL_RANK="1", OMPI_COMM_WORLD_LOCAL_SIZE="2"
)
KUBEFLOW = dict(PET_NODE_RANK="2", PET_NNODES="3", PET_MASTER_ADDR="job-master-0", PET_MASTER_PORT="23456")


def place(launch):
    return launch.rank, launch.size, launch.local_rank, launch.local_size, launch.address


@pytest.mark.parametrize(
    "environment, expected",
    [
        (TORCHRUN, (3, 4, 1, 2, "node1")),
        (SRUN, (5, 8, 1, 4, "gpu03")),
        (OPENMPI, (1, 2, 1, 2, "127.0.0.1")),
        (dict(PMI_RANK="0", PMI_SIZE="2", MPI_LOCALNRANKS="2"), (0, 2, 0, 2, "127.0.0.1")),
        (KUBEFLOW, (2, 3, 0, 1, "job-master-0")),
    ],
)
def test_each_launcher_says_where_a_rank_stands(environment, expected):
    assert place(find_launch(environment)) == expected


PMI = dict(PMI_RANK="1", PMI_SIZE="2")
SHELL = {**SRUN, "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_TASKS_PER_NODE": "1"}  # srun --pty bash
DAEMON = {**SHELL, "SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2"}  # one a machine, started by mpirun


@pytest.mark.parametrize("slurm", [SHELL, DAEMON, SRUN])
@pytest.mark.parametrize("mpi", [OPENMPI, {**PMI, "MPI_LOCALNRANKS": "2", "MPI_LOCALRANKID": "1"}])
def test_in_an_allocation_mpiruns_ranks_are_mpiruns(slurm, mpi):
    launch = find_launch({**slurm, **mpi})
    assert launch.launcher == "mpirun"
    assert place(launch) == (1, 2, 1, 2, "127.0.0.1")
    assert launch.port == find_launch(mpi).port  # a rank that mpirun started without a daemon has no step


def test_srun_s_own_pmi_leaves_srun_the_launcher():
    launch = find_launch({**SRUN, "PMI_RANK": "5", "PMI_SIZE": "8", "PMI_JOBID": "77.0"})
    assert launch.launcher == "srun"
    assert place(launch) == (5, 8, 1, 4, "gpu03")
    assert find_launch({**SHELL, "PMI_RANK": "0", "PMI_SIZE": "1"}) is None


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1"},
        dict(SLURM_PROCID="0", SLURM_NTASKS="4", SLURM_JOB_ID="7"),  # sbatch's script itself
        dict(OMPI_COMM_WORLD_RANK="0", OMPI_COMM_WORLD_SIZE="1"),
    ],
)
def test_without_others_a_process_is_alone(environment):
    assert find_launch(environment) is None


def test_the_port_follows_from_the_job():
    ports = {find_launch({**SRUN, "SLURM_JOB_ID": job}).port for job in ("77", "78", "77")}
    assert len(ports) == 2 and all(20_000 <= port < 30_000 for port in ports)
    assert find_launch({**SRUN, "MASTER_PORT": "4321"}).port == 4321


@pytest.mark.parametrize(
    "environment, words",
    [
        ({**TORCHRUN, "RANK": "x"}, "RANK is 'x'"),
        ({**TORCHRUN, "RANK": "4"}, "rank 4 of 4"),
        (dict(RANK="0", WORLD_SIZE="2"), "MASTER_ADDR is not set"),
        ({**OPENMPI, "OMPI_COMM_WORLD_SIZE": "4"}, "MASTER_ADDR is not set"),
        ({**KUBEFLOW, "PET_NPROC_PER_NODE": "4"}, "torchrun -m sequela"),
    ],
)
def test_what_is_missing_is_named(environment, words):
    with pytest.raises(LaunchError, match=words):
        find_launch(environment)


def test_the_first_host_of_slurms_list():
    for nodes, host in {
        "gpu[03-05,9],login": "gpu03",
        "n7": "n7",
        "a,b": "a",
        "c[9,10]": "c9",
        "rack[1-2]-x": "rack1-x",
    }.items():
        assert first_host(nodes) == host
