"""Jobs over MPI in several instances, with this machine's OpenMPI in the image and a real all-reduce."""
import io
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tarfile
import time

import pytest

from boxes import BUSYBOX, containers_left, jobs, mounts_of, processes_of, supervisors_of  # noqa: F401: a fixture

SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS = [pathlib.Path("/usr/bin/orterun"), pathlib.Path("/usr/bin/orted")]
LIBRARIES = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/libmpi.so.40"))), pathlib.Path("/none")).parent
# Plugins that need libraries of their own: for hardware that is not here, for measuring.
FOREIGN = re.compile("ucx|ofi|psm|openib|netlink|monitoring|coll_sm")

# Without the headers of OpenMPI, which are a package of their own: its handles are addresses.
REDUCE = """
#include <stdio.h>
#include <unistd.h>
extern struct communicator ompi_mpi_comm_world;
extern struct datatype ompi_mpi_int;
extern struct operation ompi_mpi_op_sum;
int MPI_Init(int*, char***);
int MPI_Comm_rank(void*, int*);
int MPI_Comm_size(void*, int*);
int MPI_Allreduce(const void*, void*, int, void*, void*, void*);
int MPI_Finalize(void);
int main(int argc, char** argv) {
  int rank, size, mine, sum;
  char host[64];
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(&ompi_mpi_comm_world, &rank);
  MPI_Comm_size(&ompi_mpi_comm_world, &size);
  mine = rank + 1;
  if (MPI_Allreduce(&mine, &sum, 1, &ompi_mpi_int, &ompi_mpi_op_sum, &ompi_mpi_comm_world) != 0) return 1;
  gethostname(host, sizeof host);
  printf("rank %d of %d on %s: sum %d\\n", rank, size, host, sum);
  MPI_Finalize();
  return 0;
}
"""

pytestmark = [
    pytest.mark.skipif(not all(one.exists() for one in PROGRAMS) or not LIBRARIES.exists(), reason="openmpi-bin is not installed"),
    pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler"),
    pytest.mark.skipif(not shutil.which("ip", path=SYSTEM), reason="no ip(8)"),
]


def needed_libraries(*files):
    out = subprocess.run(["ldd", *files], capture_output=True, text=True, check=True).stdout
    return {pathlib.Path(one) for one in re.findall(r"^\s+(?:\S+ => )?(/\S+) \(0x", out, re.M)}


def write_openmpi_image(path, reduce):
    plugins = [one for folder in ("openmpi/lib/openmpi3", "pmix2/lib/pmix") for one in (LIBRARIES / folder).glob("*.so") if not FOREIGN.search(one.name)]
    bridge = [one for one in plugins if one.name == "mca_pmix_ext3x.so"]
    with tarfile.open(path, "w") as tar:
        for folder in ("bin", "tmp", "mnt"):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        tar.add(BUSYBOX.resolve(), "bin/busybox")
        for link, target in [("bin/" + one, "busybox") for one in ("sh", "sleep", "hostname", "env", "touch", "cat")] + [("bin/mpirun", "/usr/bin/orterun")]:
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
        shared = [one for folder in ("/usr/share/openmpi", "/etc/openmpi") for one in pathlib.Path(folder).glob("*") if one.is_file()]
        for file in [*PROGRAMS, *plugins, *shared, *needed_libraries(reduce, *PROGRAMS, *bridge)]:
            tar.add(file.resolve(), str(file).lstrip("/"))
        passwd = b"root:x:0:0:root:/:/bin/sh\n"
        member = tarfile.TarInfo("etc/passwd")
        member.size = len(passwd)
        tar.addfile(member, io.BytesIO(passwd))


@pytest.fixture
def mpi(cloche, jobs, tmp_path_factory):
    """Has an image mpi:1 and the program ./reduce in the code."""
    shared = tmp_path_factory.getbasetemp() / "mpi"
    if not shared.exists():
        shared.mkdir()
        (shared / "reduce.c").write_text(REDUCE)
        subprocess.run(["cc", "-o", shared / "reduce", shared / "reduce.c", LIBRARIES / "libmpi.so.40"], check=True)
        write_openmpi_image(shared / "image.tar", shared / "reduce")
    cloche.run("image", "import", shared / "image.tar", "mpi:1")
    (cloche.folder / "code").mkdir(exist_ok=True)
    shutil.copy(shared / "reduce", cloche.folder / "code/reduce")
    cloche.environment["PATH"] = f"{cloche.environment['PATH']}:/usr/sbin:/sbin"
    return jobs


def create(cloche, name, command, *options, processes=1, code=0):
    cloche.write("job.yml", f"""
command: {command}
code: code
environment: {{image: "mpi:1"}}
environment_variables: {{PATH: "/usr/bin:/bin"}}
name: {name}
distribution: {{type: mpi, process_count_per_instance: {processes}}}
resources: {{instance_count: 2, cpus: 0.5}}
limits: {{timeout: 100}}
""")
    return cloche.run("job", "create", "-f", "job.yml", *options, code=code)


def nothing_left(cloche):
    end = time.monotonic() + 10
    while processes_of(cloche) and time.monotonic() < end:
        time.sleep(0.05)  # supervisors on their way out
    networks = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
    return (processes_of(cloche), mounts_of(cloche), containers_left(cloche), [one for one in networks if one.startswith("cloche-job-")]) == ([], [], [], [])


def test_ranks_of_two_instances_reduce(cloche, mpi):
    create(cloche, "pair", "./reduce && echo $RANK $LOCAL_RANK $NODE_RANK $WORLD_SIZE $OMPI_COMM_WORLD_LOCAL_SIZE", "--stream")
    assert mpi.log("pair", "std_log_0.txt") == "rank 0 of 2 on node-0: sum 3\n0 0 0 2 1\n"
    assert mpi.log("pair", "std_log_1.txt") == "rank 1 of 2 on node-1: sum 3\n1 0 1 2 1\n"
    create(cloche, "four", "./reduce", "--stream", processes=2)
    assert [mpi.log("four", f"std_log_{rank}.txt") for rank in range(4)] == [f"rank {rank} of 4 on node-{rank // 2}: sum 10\n" for rank in range(4)]
    assert nothing_left(cloche)


def test_a_rank_that_fails_elsewhere_ends_the_job_with_its_code(cloche, mpi):
    create(cloche, "fails", '"[ $RANK = 1 ] && exit 7; exec sleep 1000"', "--stream", code=1)
    job = cloche.json("job", "show", "fails")
    assert (job["status"], job["exit_code"]) == ("Failed", 7)
    assert nothing_left(cloche)


@pytest.mark.parametrize("supervised", [True, False])
def test_cancel_ends_the_ranks_of_every_instance(cloche, mpi, supervised):
    create(cloche, "long", '"touch outputs/up-$RANK; trap : TERM; while :; do sleep 1000; done"')
    while not all((mpi.workspace / f"jobs/long/outputs/up-{rank}").exists() for rank in range(2)):
        time.sleep(0.02)
    if not supervised:
        (supervisor,) = supervisors_of(cloche, "long")
        os.kill(supervisor, signal.SIGKILL)
    assert cloche.json("job", "cancel", "long")["status"] == "Canceled"
    assert nothing_left(cloche)
