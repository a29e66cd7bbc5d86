#!/usr/bin/env python3
"""Every way to start the ranks of a job: the adapter has the same bytes, whoever started them.

    launchers_test.py [--bin DIR] [--launchers DIR]

real       Those launchers of README.md's table beside this file that are on the PATH or in --launchers DIR, as they are.
variables  Two processes with the variables that torchrun, accelerate, deepspeed and srun give theirs, and deepspeed's
           --local_rank (README.md beside this file has the versions that they are of, and the runs of the real launchers).
mpirun     The real one; and across two hosts, which are network namespaces, where weights and gradients cross the cable: of a
           Llama and of a Falcon.
refusals   Sets of variables that disagree, half a set, ranks on several hosts without MPI, -n under a launcher of another
           number: the exit code and one coded line.
A line a check; what this machine cannot do is left out with a line. The last line is 'N passed, N failed'.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support import saving, tools
from support.hosts import NotHere, TwoHosts
from support.pipeline import StageFailed

CASE = "llama_gqa_fp32"
FALCON = "falcon_groups"
LINE = re.compile(r"^error\[ZP(\d{4})\] .+;.+$", re.M)
OF_LAUNCHERS = re.compile(r"(RANK|WORLD_SIZE|(LOCAL|GROUP|ROLE|CROSS|MASTER|TORCHELASTIC|OMPI|PMIX?|SLURM|MPI|ACCELERATE)_.*)$")


def torchrun(rank, port):
    return {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": 2,
        "LOCAL_WORLD_SIZE": 2,
        "GROUP_RANK": 0,
        "GROUP_WORLD_SIZE": 1,
        "ROLE_RANK": rank,
        "ROLE_WORLD_SIZE": 2,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "TORCHELASTIC_RUN_ID": "none",
        "TORCHELASTIC_RESTART_COUNT": 0,
        "TORCHELASTIC_MAX_RESTARTS": 0,
        "OMP_NUM_THREADS": 1,
    }


def accelerate(rank, port):
    return {**torchrun(rank, port), "ACCELERATE_MIXED_PRECISION": "no", "ACCELERATE_USE_DEEPSPEED": "true"}


def deepspeed(rank, port):
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_SIZE": 2, "CROSS_RANK": 0, "CROSS_SIZE": 1}
    return {**place, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}


def srun(rank, port):
    """With --mpi=none."""
    step = {"SLURM_JOB_ID": port, "SLURM_STEP_ID": 0, "SLURM_STEP_NUM_NODES": 1, "SLURM_STEP_TASKS_PER_NODE": 2}
    return {**step, "SLURM_NODEID": 0, "SLURM_NTASKS": 2, "SLURM_NPROCS": 2, "SLURM_PROCID": rank, "SLURM_LOCALID": rank}


def srun_pmi2(rank, port):
    return {**srun(rank, port), "PMI_RANK": rank, "PMI_SIZE": 2, "PMI_JOBID": f"{port}.0"}


def torchrun_in_batch(rank, port):
    """torchrun in a batch script of Slurm, which is task 0 of the job's two by its variables."""
    return {"SLURM_JOB_ID": 7, "SLURM_PROCID": 0, "SLURM_NTASKS": 2, **torchrun(rank, port)}


def real_launchers(port):
    """(label, the words before zprun's, engine): the rows of README.md beside this file."""
    yaml = tools.ROOT / "samples/configs/deepspeed_config.yaml"
    accelerate_launch = "accelerate launch --no_python --num_processes 2 --main_process_port"
    return [
        ("torchrun", f"torchrun --no-python --nproc_per_node 2 --master_port {port}", "local"),
        ("torchrun --standalone", "torchrun --standalone --no-python --nproc_per_node 2", "local"),
        ("accelerate launch --multi_gpu", f"{accelerate_launch} {port + 1} --multi_gpu", "local"),
        ("accelerate launch by the guide's YAML", f"{accelerate_launch} {port + 2} --config_file {yaml}", "local"),
        ("deepspeed", f"deepspeed --no_python --num_gpus 2 --master_port {port + 3}", "local"),
        ("deepspeed --no_local_rank", f"deepspeed --no_python --no_local_rank --num_gpus 2 --master_port {port + 4}", "local"),
        ("srun --mpi=pmix", "srun -n 2 --mpi=pmix", "mpi"),
        ("srun --mpi=none", "srun -n 2 --mpi=none", "local"),
        ("srun --mpi=pmi2", "srun -n 2 --mpi=pmi2", "local"),
    ]


class Launchers:
    def __init__(self, bench, tally):
        self.bench, self.tally, self.port = bench, tally, os.getpid()
        self.plan = bench.plan(CASE, 2, 3)
        self.bare = {name: value for name, value in os.environ.items() if not OF_LAUNCHERS.fullmatch(name)}
        self.expected = saving.weights(self.ended(self.bench.words(CASE, 2, self.plan, self.bench.folder())))

    def words(self, out):
        return self.of_rank(self.bench.words(CASE, 2, self.plan, out))

    @staticmethod
    def of_rank(words):
        """Without -n."""
        place = words.index("-n")
        return words[:place] + words[place + 2 :]

    def start(self, words, variables):
        env = {**self.bare, **{name: str(value) for name, value in variables.items()}}
        return subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self, process):
        """(exit code, output)."""
        try:
            text = process.communicate(timeout=self.bench.chosen.timeout)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise StageFailed("zprun", None, process.communicate()[0]) from None
        return process.returncode, text

    def ended(self, words, variables=None):
        """The output folder of a run that ends well."""
        code, text = self.end(self.start(words, variables or {}))
        if code:
            raise StageFailed("zprun", code, text)
        return Path(words[words.index("--output_dir") + 1])

    def same(self, label, run, engine, expected=None):
        """`run` gives the output folder; its adapter is that of -n 2, `expected` or that of CASE."""
        try:
            out = run()
            used = json.loads((out / "summary.json").read_text())["engine"]
            failures = [] if used == engine else [f"engine {used}, expected {engine}"]
            failures += [] if saving.weights(out) == (expected or self.expected) else ["the adapter has other bytes than that of -n 2"]
        except (StageFailed, OSError) as problem:
            failures = [str(problem)]
        self.tally.check(label, failures, f"engine {engine}, the bytes of -n 2")

    def real(self, folder):
        """`folder`: where launchers are looked for beside the PATH, or None."""
        path = os.pathsep.join([*([str(folder)] if folder else []), os.environ.get("PATH", "")])
        absent = set()
        for label, words, engine in real_launchers(20000 + os.getpid() % 20000):
            tool, *rest = words.split()
            found = shutil.which(tool, path=path)
            if not found or (tool == "srun" and not self.answers("sinfo", path)):  # srun wants a controller
                absent.add(tool)
                continue
            out = self.bench.folder()
            self.same(f"real: {label}", lambda: self.ended([found, *rest, *self.words(out)], {"PATH": path}), engine)
        if absent:
            print(f"no {', '.join(sorted(absent))} here: what they were run by hand with is in README.md beside this file")

    @staticmethod
    def answers(tool, path):
        found = shutil.which(tool, path=path)
        return bool(found) and subprocess.run([found], capture_output=True).returncode == 0

    def variables(self):
        ways = [torchrun, accelerate, deepspeed, srun, srun_pmi2, torchrun_in_batch]
        for launcher in ways:

            def run():
                self.port += 1
                out = self.bench.folder()
                flags = lambda rank: [f"--local_rank={rank}"] if launcher is deepspeed else []  # noqa: E731
                started = [self.start(self.words(out) + flags(rank), launcher(rank, self.port)) for rank in (0, 1)]
                for code, text in [self.end(process) for process in started]:
                    if code:
                        raise StageFailed("zprun", code, text)
                return out

            self.same(f"variables of {launcher.__name__}", run, "local")
        batch = {"SLURM_JOB_ID": 7, "SLURM_PROCID": 0, "SLURM_NTASKS": 4}
        words = self.bench.words(CASE, 2, self.plan, self.bench.folder())
        self.same("-n 2 in a batch script of Slurm", lambda: self.ended(words, batch), "local")

    def mpirun(self):
        words = "mpirun --allow-run-as-root --oversubscribe --bind-to none -n 2".split()
        try:
            self.same("mpirun", lambda: self.ended([*words, *self.words(self.bench.folder())]), "mpi")
        except FileNotFoundError:
            print("no mpirun here: its checks are left out")
            return
        try:
            with TwoHosts(self.bench.work) as hosts:
                self.same("mpirun over two hosts", lambda: self.ended([*hosts.mpirun(), *self.words(self.bench.folder("far"))]), "mpi")
                out = max(self.bench.work.glob("far*"), default=None)
                moved = json.loads((out / "summary.json").read_text())["gathered_bytes"] // 2 if out else 0
                came = hosts.received_bytes()
                failures = [] if came > moved > 0 else [f"{came} bytes, expected more than the {moved} gathered from the other host"]
                self.tally.check("the cable between the hosts", failures, f"{came} bytes came, {moved} of them of gathers")
                plan, out = self.bench.plan(FALCON, 2, 3), self.bench.folder("falcon")
                near = saving.weights(self.ended(self.bench.words(FALCON, 2, plan, self.bench.folder())))
                far = [*hosts.mpirun(), *self.of_rank(self.bench.words(FALCON, 2, plan, out))]
                self.same("a small Falcon over two hosts", lambda: self.ended(far), "mpi", near)
        except NotHere as why:
            print(f"no network namespaces here ({why}): the run over two hosts is left out")

    def refusals(self):
        pair = {"RANK": 0, "WORLD_SIZE": 2}
        ways = [
            ("two launchers, two ranks", {**pair, "OMPI_COMM_WORLD_RANK": 1, "OMPI_COMM_WORLD_SIZE": 2}, 2, "expected one answer"),
            ("two launchers, two sizes", {**pair, "OMPI_COMM_WORLD_RANK": 0, "OMPI_COMM_WORLD_SIZE": 4}, 2, "expected one answer"),
            ("a set and half of another", {**pair, "OMPI_COMM_WORLD_SIZE": 4}, 2, "OMPI_COMM_WORLD_SIZE is 4"),
            ("half of one and half of another", {"RANK": 0, "OMPI_COMM_WORLD_SIZE": 4}, 2, "WORLD_SIZE is not set"),
            ("half a set", {"PMI_RANK": 0}, 2, "PMI_SIZE is not set"),
            ("a rank that is none", {"RANK": 2, "WORLD_SIZE": 2}, 2, "expected a rank below the size"),
            ("another size than the plan's", {"RANK": 0, "WORLD_SIZE": 3}, 2, "was compiled for 2 ranks"),
            ("-n 3 under a launcher of two", pair, 2, "leave -n out under a launcher"),
            ("torchrun on two hosts", {**pair, "LOCAL_WORLD_SIZE": 1}, 6, "across hosts start zprun with mpirun"),
            ("deepspeed on two hosts", {**pair, "LOCAL_SIZE": 1}, 6, "across hosts start zprun with mpirun"),
            ("srun on two hosts", {**srun(0, 7), "SLURM_STEP_TASKS_PER_NODE": "1(x2)"}, 6, "across hosts start zprun with mpirun"),
            ("mpirun's variables without mpirun's MPI", {"PMI_RANK": 1, "PMI_SIZE": 2}, 2, "expected one answer"),
        ]
        for label, variables, expected, says in ways:
            out = self.bench.folder()
            words = self.words(out) + (["-n", "3"] if label.startswith("-n") else [])
            code, text = self.end(self.start(words, variables))
            failures = [] if code == expected else [f"exit {code}, expected {expected}"]
            failures += [] if len(LINE.findall(text)) == 1 and says in text else [f'one coded line with "{says}" expected: {text.strip()[-400:]}']
            failures += ["an adapter was written"] if list(out.glob("adapter_model*")) else []
            self.tally.check(f"refused: {label}", failures, text.strip()[:110])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    parser.add_argument("--launchers", type=Path, help="a folder with more launchers than the PATH has, e.g. an environment's bin")
    chosen = parser.parse_args()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="launchers-") as scratch:
        work = chosen.work_dir or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        launchers = Launchers(saving.Bench(chosen, work), tally)
        launchers.real(chosen.launchers)
        launchers.variables()
        launchers.mpirun()
        launchers.refusals()
    sys.exit(tally.close())


if __name__ == "__main__":
    main()
