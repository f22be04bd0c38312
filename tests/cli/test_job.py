"""Jobs in real containers: submitted, followed, canceled, looked back at."""
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest
import test_frame

from boxes import containers_left, jobs, mounts_of, processes_of, supervisors_of  # noqa: F401: a fixture


# ---- what needs no container


def refused(cloche, text, code, *options):
    cloche.write("job.yml", text)
    error = cloche.error("job", "create", "-f", "job.yml", *options, code=code)
    assert cloche.json("job", "list")["jobs"] == []
    return error


def test_bad_job_files_are_refused_before_anything_is_entered(cloche):
    cloche.run("workspace", "init")
    cloche.run("env", "create", "--image", "box:1", "--name", "train")
    error = refused(cloche, "command: cat ${{inputs.dta}}\nenvironment: train\ninputs: {data: 1}\n", 3)
    assert (error["file"], error["line"]) == ("job.yml", 1) and "inputs.data" in error["hint"]
    error = refused(cloche, "command: ls\nenvironment: train\ninputs:\n  d: {type: uri_file, path: no-such.csv}\n", 4)
    assert error["line"] == 4 and "no-such.csv" in error["message"]
    error = refused(cloche, "command: ls\nenvironment: train\ncompute: azureml:gpu-cluster\n", 4)
    assert error["line"] == 3 and "--compute local" in error["hint"]
    error = refused(cloche, "command: ls\nenvironment: train\ncode: no-such\n", 4)
    assert "no-such" in error["message"]
    error = refused(cloche, "command: ls\nenvironment: train\nresources: {docker_args: --ipc=host}\n", 10)
    assert "not supported on this machine" in error["message"]
    error = refused(cloche, "command: ls\nenvironment: train\nresources: {cpus: 4000}\n", 3)
    assert "this machine has" in error["message"]
    error = refused(cloche, "comand: ls\nenvironment: train\n", 3)
    assert "did you mean command" in error["hint"]


def test_an_unknown_environment_is_a_failed_job_with_the_nearest_name(cloche):
    cloche.run("workspace", "init")
    cloche.run("env", "create", "--image", "box:1", "--name", "train")
    cloche.write("job.yml", "command: ls\nenvironment: trian\n")
    error = cloche.error("job", "create", "-f", "job.yml", code=4)
    assert "train" in error["hint"] and error["line"] == 2
    job = cloche.json("job", "list")["jobs"][0]
    assert job["status"] == "Failed" and "trian" in job["reason"]


def test_code_over_the_limit_is_refused_with_what_is_large(cloche):
    cloche.run("workspace", "init")
    (cloche.folder / "code/data").mkdir(parents=True)
    with open(cloche.folder / "code/data/big", "wb") as file:
        file.truncate(2 << 30)
    cloche.write("job.yml", "command: ls\nenvironment: train\ncode: code\n")
    error = cloche.error("job", "create", "-f", "job.yml", code=3)
    assert "data: 2.1 GB in 1 file" in error["details"][0] and ".amlignore" in error["hint"]


def test_wrong_usage(cloche):
    assert "neither is given" in cloche.error("job", "create", code=2)["message"]
    assert "--environment" in cloche.run("job", "create", "--", "ls", code=2).err
    cloche.error("job", "show", "none", code=4)
    cloche.error("job", "compare", "one", code=2)


# ---- in containers


def test_a_command_runs_and_is_kept(cloche, jobs):
    cloche.write("code/run.sh", "cat data.txt; ls; echo 1 > outputs/model; echo $AZUREML_RUN_ID")
    cloche.write("code/data.txt", "hello\n")
    cloche.write("code/ignored.txt", "x")
    cloche.write("code/.amlignore", "ignored.txt\n.amlignore\n")
    cloche.write("data.csv", "1,2\n")
    cloche.write(
        "job.yml",
        """
command: sh run.sh && cat ${{inputs.table}} && echo ${{inputs.lr}} > ${{outputs.kept}}/lr && env
code: code
environment: {image: "box:1"}
environment_variables: {MODE: train}
experiment_name: digits
inputs: {lr: 0.10, table: {type: uri_file, path: data.csv}}
outputs: {kept: {type: uri_folder}}
tags: {team: vision}
""",
    )
    answer = cloche.run("job", "create", "-f", "job.yml", "--stream", "--name", "first")
    lines = answer.out.splitlines()
    assert lines[:5] == ["hello", "data.txt", "logs", "outputs", "run.sh"]
    assert "first" in lines and "1,2" in lines and "MODE=train" in lines
    assert "AZUREML_EXPERIMENT_NAME=digits" in lines and "AZUREML_PARAMETER_lr=0.10" in lines
    job = cloche.json("job", "show", "first")
    assert job["status"] == "Completed" and job["exit_code"] == 0
    assert [one["path"] for one in job["outputs"]] == ["named/kept/lr", "outputs/model"]
    assert job["outputs"][1]["digest"] == "sha256:" + hashlib.sha256(b"1\n").hexdigest()
    assert all(stage["began_at"] for stage in job["stages"])
    assert job["environment"]["image_digest"].startswith("sha256:") and job["definition"]["code_digest"].startswith("sha256:")
    assert job["environment"]["name"] == "CliV2AnonymousEnvironment"
    shown = cloche.run("job", "show", "first").out
    assert "Running" in shown and "R" in shown.splitlines()[-1]
    assert "first" in cloche.run("job", "list", "--experiment-name", "digits").out
    # Late, the log is the same from its first byte.
    again = cloche.run("job", "stream", "first")
    assert again.out.splitlines() == lines[: len(again.out.splitlines())] and "Completed" not in again.out
    cloche.run("job", "download", "first", "--to", "got")
    assert (cloche.folder / "got/first/named/kept/lr").read_text() == "0.10\n"
    cloche.error("job", "download", "first", "--to", "got", code=5)
    assert containers_left(cloche) == [] and mounts_of(cloche) == []


def test_a_failure_says_why(cloche, jobs):
    answer = jobs.shell("echo before; echo \"ModuleNotFoundError: No module named 'sklearn'\"; exit 3", code=1)
    assert "failed in stage Running" in answer.out and "scikit-learn" in answer.out
    job = jobs.last()
    assert (job["status"], job["failed_in"], job["exit_code"]) == ("Failed", "Running", 3)
    assert "before" in job["log_tail"] and "scikit-learn" in job["diagnosis"]
    assert "the last of the log" in cloche.run("job", "show", job["name"]).out
    jobs.command("no-such-program", code=1)
    assert jobs.last()["exit_code"] == 127 and "not found" in jobs.last()["diagnosis"]


def test_inputs_cannot_be_changed(cloche, jobs):
    cloche.write("data/x", "1")
    cloche.write("job.yml", 'command: echo 2 > ${{inputs.d}}/x\nenvironment: {image: "box:1"}\ninputs: {d: {path: data}}\n')
    cloche.run("job", "create", "-f", "job.yml", "--stream", code=1)
    assert (cloche.folder / "data/x").read_text() == "1"


def test_pytorch_ranks_have_their_variables_and_logs(cloche, jobs):
    cloche.write(
        "job.yml",
        """
command: echo $RANK $LOCAL_RANK $WORLD_SIZE $NODE_RANK; test -n "$MASTER_ADDR" && test -n "$MASTER_PORT"
environment: {image: "box:1"}
distribution: {type: pytorch, process_count_per_instance: 2}
name: ranks
""",
    )
    answer = cloche.run("job", "create", "-f", "job.yml", "--stream")
    assert "0 0 2 0" in answer.out
    assert jobs.log("ranks", "std_log_1.txt") == "1 1 2 0\n"
    assert cloche.run("job", "stream", "ranks", "--rank", "1").out == "1 1 2 0\n"
    cloche.error("job", "stream", "ranks", "--rank", "2", code=4)


def test_one_rank_installs_and_the_others_wait(cloche, jobs):
    cloche.write("code/bootstrap.sh", """
if [ $LOCAL_RANK = 0 ]; then sleep 0.2; echo tool > /tmp/tool.new; mv /tmp/tool.new /tmp/tool
else until [ -e /tmp/tool ]; do sleep 0.05; done; fi
cat /tmp/tool
""")
    cloche.write("job.yml", 'command: sh bootstrap.sh\ncode: code\nenvironment: {image: "box:1"}\nname: boot\n'
                 "distribution: {type: pytorch, process_count_per_instance: 3}\n")
    cloche.run("job", "create", "-f", "job.yml", "--stream")
    assert [jobs.log("boot", f"std_log_{rank}.txt") for rank in range(3)] == ["tool\n"] * 3


def test_mpi_is_started_by_the_images_mpirun(cloche, jobs):
    # A stand-in for OpenMPI's (examples/all_reduce.py has the real one): it starts the ranks and gives them their variables.
    cloche.write("code/bin/mpirun", """#!/bin/sh
while [ "$1" != -np ]; do shift; done
count=$2; shift 2
for i in $(seq 0 $((count - 1))); do OMPI_COMM_WORLD_RANK=$i OMPI_COMM_WORLD_LOCAL_RANK=$i OMPI_COMM_WORLD_SIZE=$count "$@" & pids="$pids $!"; done
code=0; for pid in $pids; do wait $pid || code=$?; done; exit $code
""").chmod(0o755)
    text = ('command: echo $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE, $RANK $WORLD_SIZE\ncode: code\nenvironment: {image: "box:1"}\n'
            "name: NAME\ndistribution: {type: mpi, process_count_per_instance: 2}\n")
    cloche.write("job.yml", text.replace("NAME", "mpi") + "environment_variables: {PATH: '/mnt/job/code/bin:/bin'}\n")
    cloche.run("job", "create", "-f", "job.yml", "--stream")
    assert jobs.log("mpi", "std_log_0.txt") == "0 of 2, 0 2\n" and jobs.log("mpi", "std_log_1.txt") == "1 of 2, 1 2\n"
    cloche.write("job.yml", text.replace("NAME", "none"))
    cloche.run("job", "create", "-f", "job.yml", "--stream", code=1)
    assert "mpirun is not in the image" in jobs.log("none")


def test_instances_are_machines_on_a_network_of_their_own(cloche, jobs):
    if not pathlib.Path("/usr/sbin/ip").exists() and not pathlib.Path("/sbin/ip").exists():
        pytest.skip("no ip(8)")
    # A real all-reduce of two ranks over the network between two containers.
    cloche.write("code/reduce.sh", """
if [ $RANK = 0 ]; then
  echo 2 > mine; nc -l -p $MASTER_PORT < mine > theirs
else
  echo 5 > mine; until nc $MASTER_ADDR $MASTER_PORT < mine > theirs && [ -s theirs ]; do sleep 0.1; done
fi
echo $(hostname) $RANK/$WORLD_SIZE sum $(( $(cat mine) + $(cat theirs) ))
""")
    cloche.write("job.yml", 'command: sh reduce.sh\ncode: code\nenvironment: {image: "box:1"}\nname: net\n'
                 "resources: {instance_count: 2, cpus: 0.5}\nlimits: {timeout: 60}\n")
    cloche.run("job", "create", "-f", "job.yml", "--stream", env={"PATH": f"{cloche.environment['PATH']}:/usr/sbin:/sbin"})
    assert jobs.log("net", "std_log_0.txt") == "node-0 0/2 sum 7\n"
    assert jobs.log("net", "std_log_1.txt") == "node-1 1/2 sum 7\n"
    assert not [name for name in os.listdir("/run/netns") if name.startswith("cloche-job-")] if os.path.isdir("/run/netns") else True


def test_cancel_ends_every_process(cloche, jobs):
    cloche.run("job", "create", "--image", "box:1", "--code", "code", "--name", "long", "--", "sh", "-c",
               "sleep 1000 & echo up; touch outputs/up; wait")
    jobs.wait("long", "Running")
    while not (jobs.workspace / "jobs/long/outputs/up").exists():
        time.sleep(0.02)
    began = time.monotonic()
    job = cloche.json("job", "cancel", "long")
    assert job["status"] == "Canceled" and job["canceled_by"]
    assert time.monotonic() - began < 9, "SIGTERM was enough"
    assert [one["path"] for one in job["outputs"]] == ["outputs/up"]
    assert containers_left(cloche) == []
    cloche.error("job", "cancel", "long", code=5)


def test_a_timeout_is_a_failure(cloche, jobs):
    jobs.shell("sleep 1000", code=1, options=["--time-limit", "1"])
    job = jobs.last()
    assert job["status"] == "Failed" and job["timed_out"] and "limits.timeout" in job["reason"]


def test_memory_that_ran_out_is_told(cloche, jobs):
    if not any(pathlib.Path(f"/sys/fs/cgroup/{place}").exists() for place in ("memory", "cgroup.controllers")):
        pytest.skip("no cgroup can be written")
    jobs.shell("echo 1 > outputs/first; dd if=/dev/zero of=/dev/shm/x bs=1M count=200 && cat /dev/shm/x", code=1, options=["--memory", "32MB"])
    job = jobs.last()
    assert job["status"] == "Failed" and job["out_of_memory"], job["reason"]
    assert "memory" in job["reason"] and "resources.memory" in job["diagnosis"]
    assert [one["path"] for one in job["outputs"]] == ["outputs/first"]


def test_gpus_are_counted_and_given(cloche, jobs):
    specs = cloche.folder / "cdi"
    specs.mkdir()
    (specs / "vendor.yaml").write_text("cdiVersion: 0.5.0\nkind: vendor.com/gpu\ndevices:\n" + "".join(
        f"- name: '{i}'\n  containerEdits: {{deviceNodes: [{{path: /dev/fake{i}, hostPath: /dev/{node}}}]}}\n" for i, node in enumerate(["null", "zero"])))
    env = {"CLOCHE_CDI_PATH": str(specs)}
    one = cloche.write("one.yml", 'command: ls /dev; while [ ! -e outputs/go ]; do sleep 0.05; done\nenvironment: {image: "box:1"}\nresources: {gpus: 1, cpus: 0.1}\n')
    for name in ("first", "second", "third"):
        cloche.run("job", "create", "-f", one, "--name", name, env=env)
    for name in ("first", "second"):
        jobs.wait(name, "Running")
    assert cloche.json("job", "show", "third")["status"] == "Queued"
    (jobs.workspace / "jobs/second/outputs/go").touch()
    jobs.wait("third", "Running")
    for name in ("first", "third"):
        (jobs.workspace / f"jobs/{name}/outputs/go").touch()
        jobs.wait(name, "Completed")
    given = {name: cloche.json("job", "show", name)["gpus"] for name in ("first", "second", "third")}
    assert given == {"first": ["vendor.com/gpu=0"], "second": ["vendor.com/gpu=1"], "third": ["vendor.com/gpu=1"]}
    for name, there, hidden in [("first", "fake0", "fake1"), ("third", "fake1", "fake0")]:
        assert there in jobs.log(name).split() and hidden not in jobs.log(name).split()
    error = cloche.error("job", "create", "-f", "one.yml", "--gpus", "3", code=3, env=env)
    assert "this machine has 2" in error["message"]
    assert "nvidia-ctk" in cloche.error("job", "create", "-f", "one.yml", code=3, env={"CLOCHE_CDI_PATH": "/nowhere"})["hint"]


def test_kill_9_of_the_supervisor_does_not_end_the_job(cloche, jobs):
    cloche.run("job", "create", "--image", "box:1", "--code", "code", "--name", "kept", "--", "sh", "-c",
               "touch outputs/up; sleep 1; echo end; exit 4")
    while not (jobs.workspace / "jobs/kept/outputs/up").exists():
        time.sleep(0.02)
    supervisors = supervisors_of(cloche, "kept")
    assert len(supervisors) == 1
    os.kill(supervisors[0], signal.SIGKILL)
    answer = cloche.run("job", "stream", "kept", code=1)
    assert answer.out == "end\n"
    job = cloche.json("job", "show", "kept")
    assert job["exit_code"] == 4 and job["attempts"] == 2
    assert containers_left(cloche) == []


def test_jobs_wait_for_their_turn_and_leave_nothing(cloche, jobs):
    many = 20
    for i in range(many):
        cloche.run("job", "create", "--image", "box:1", "--code", "code", "--cpus", "0.1", "--name", f"job-{i}", "--", "sh", "-c",
                   f"echo {i} > outputs/i")
    for i in range(many):
        jobs.wait(f"job-{i}", "Completed", "Failed", seconds=60)
        assert cloche.json("job", "show", f"job-{i}")["status"] == "Completed"
        assert (jobs.workspace / f"jobs/job-{i}/outputs/i").read_text() == f"{i}\n"
    end = time.monotonic() + 10
    while processes_of(cloche) and time.monotonic() < end:
        time.sleep(0.05)  # supervisors on their way out
    assert processes_of(cloche) == [] and mounts_of(cloche) == [] and containers_left(cloche) == []
    for name in ["work", "state", "lib", "hosts", "reserve"]:
        assert not list((jobs.workspace / "jobs").glob(f"*/{name}"))


def test_rerun_and_compare(cloche, jobs):
    cloche.write("code/m.sh", 'for i in 3 2 1; do echo "{\\"loss\\": $i.5}" >> outputs/metrics.jsonl; done; cat x')
    cloche.write("code/x", "first\n")
    cloche.run("job", "create", "--image", "box:1", "--code", "code", "--name", "one", "--stream", "--", "sh", "m.sh")
    cloche.write("code/x", "second\n")
    again = cloche.run("job", "rerun", "one", "--name", "two", "--stream")
    assert again.out.startswith("first\n"), "the code as it was"
    one, two = cloche.json("job", "show", "one", "--metrics"), cloche.json("job", "show", "two")
    assert one["environment"]["image_digest"] == two["environment"]["image_digest"]
    assert two["definition"]["rerun_of"] == "one"
    assert one["metrics"]["loss"]["last"] == 1.5 and one["metrics"]["loss"]["sparkline"] == "█▅▁"
    rows = {row["what"]: row for row in cloche.json("job", "compare", "one", "two", "--all")["rows"]}
    assert rows["code"]["same"] and rows["metric loss"]["values"][0].startswith("1.5 ")
    assert "metric loss" in cloche.run("job", "compare", "one", "two", "--all").out


def test_archive_hides_and_restore_shows(cloche, jobs):
    name = jobs.last()["name"]
    cloche.run("job", "archive", name)
    assert cloche.json("job", "list")["jobs"] == []
    assert len(cloche.json("job", "list", "--all")["jobs"]) == 1
    cloche.run("job", "restore", name)
    assert len(cloche.json("job", "list")["jobs"]) == 1


def test_a_hostile_log_reaches_no_terminal(cloche, jobs):
    jobs.shell(r"printf '\033]0;owned\007\033[31mred\0\233 \302\233 <b>\r\n'; exit 1", code=1)
    name = jobs.last()["name"]
    for shown in (cloche.run("job", "show", name).out, test_frame.in_terminal(cloche, ["job", "stream", name])):
        assert "owned" in shown and "red" in shown and "<b>" in shown
        assert not any(one in shown for one in ("\x1b]", "\x1b[31mred", "\x07", "\0", "\x9b"))


def test_a_line_without_an_end_fills_no_memory(cloche, jobs):
    script = "head -c 200000000 /dev/zero | tr '\\0' x; exit 1"
    cloche.run("job", "create", "--image", "box:1", "--code", "code", "--name", "long", "--", "sh", "-c", script)
    jobs.wait("long", "Failed")
    for verb in ("show", "stream"):
        process = subprocess.Popen([cloche.program, "job", verb, "long"], cwd=cloche.folder, env=cloche.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
        assert used.ru_maxrss < 150_000, f"job {verb}: {used.ru_maxrss} KiB"
    assert len(cloche.json("job", "show", "long")["log_tail"]) <= 65536


def test_garbage_collection_keeps_code(cloche, jobs):
    cloche.write("code/x", "kept\n")
    cloche.run("job", "create", "--image", "box:1", "--code", "code", "--name", "one", "--stream", "--", "cat", "x")
    cloche.run("gc")
    assert cloche.run("job", "rerun", "one", "--stream").out.startswith("kept\n")


def test_records_are_as_documented(cloche, jobs):
    manual = (pathlib.Path(__file__).parent.parent.parent / "docs/manual/cli.md").read_text()
    shape = json.loads(re.search(r"<!-- job shape: job show -->\n```json\n(.*?)```", manual, re.S).group(1))
    cloche.write("table", "1")
    jobs.shell("echo 1 > outputs/x; echo '{\"loss\": 1}' > outputs/metrics.jsonl", options=["--input", "lr=1", "--input", "table=./table"])
    job = cloche.json("job", "show", jobs.last()["name"], "--metrics")
    assert list(job) == list(shape)
    for key in ["environment", "definition"]:
        assert list(job[key]) == list(shape[key])
    assert list(job["definition"]["resources"]) == list(shape["definition"]["resources"])
    assert job["inputs"] == [{"name": "table", "digest": "sha256:" + hashlib.sha256(b"1").hexdigest(), "files": 1, "bytes": 1}]
    for key in ["stages", "inputs", "outputs"]:
        assert list(job[key][0]) == list(shape[key][0])
    assert list(job["metrics"]["loss"]) == list(shape["metrics"]["loss"])
    listed = cloche.json("job", "list")["jobs"][0]
    assert list(listed) == list(shape)[: list(shape).index("reason") + 1]
