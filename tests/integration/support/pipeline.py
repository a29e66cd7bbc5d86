"""zpc import, zpc compile and zprun on a golden case."""

import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .golden_case import spell_flags


class StageFailed(Exception):
    """A tool ended with an exit code other than 0 (None: it ran out of time)."""

    def __init__(self, tool, code, output):
        lines = [line for line in output.strip().splitlines() if line.strip()]
        coded = [line for line in lines if "error[" in line]
        last = (coded or lines or ["no output"])[-1]
        super().__init__(f"{tool} {'timed out' if code is None else f'exit {code}'}: {last[:600]}")
        self.code = code

    @property
    def refused(self):
        """A coded refusal of the input, as against a crash or an internal error."""
        return self.code in (2, 4)


def call(words, timeout, tool=None, log=None):
    """The output of a tool, also written to `log`. Raises StageFailed, naming `tool`."""
    words = [str(word) for word in words]
    name = Path(words[0]).name
    tool = tool or " ".join([name, *([words[1]] if name == "zpc" else [])])
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as late:
        raise StageFailed(tool, None, (late.stdout or b"").decode(errors="replace")) from late
    except OSError as absent:
        raise SystemExit(f"{words[0]}: {absent.strerror}; build first, or name the folder with --bin") from absent
    if log:
        log.write_text(done.stdout)
    if done.returncode:
        raise StageFailed(tool, done.returncode, done.stdout)
    return done.stdout


@dataclass
class Job:
    bin: Path
    ranks: int = 1
    zero_stage: int = 0
    launcher: str = ""  # e.g. "mpirun -n {ranks}": starts a process per rank; empty: zprun -n
    import_flags: dict = field(default_factory=dict)
    run_flags: list = field(default_factory=list)
    timeout: float = 120
    compile_flags: list = field(default_factory=list)
    zprun: str = "zprun"


def import_flags(case, job):
    """The case's flags with its rows of an update spread over the job's ranks: the global batch stays the same."""
    batch = int(case.import_flags["per_device_train_batch_size"])
    if batch % job.ranks:
        raise SystemExit(f"{case.name}: {batch} rows of a micro-batch don't divide over {job.ranks} ranks")
    return {
        **case.import_flags,
        "per_device_train_batch_size": str(batch // job.ranks),
        "num_processes": str(job.ranks),
        "zero_stage": str(job.zero_stage),
        "stage3_param_persistence_threshold": "0",
        **job.import_flags,
    }


def commands(case, job, work):
    model, plan = work / "model.mlir", work / "plan.fb"
    source = ["--model", case.model] + (["--adapter_name_or_path", case.adapter] if case.adapter else [])
    start = shlex.split(job.launcher.format(ranks=job.ranks)) if job.launcher else []
    ranks = [] if job.launcher else ["-n", str(job.ranks)]
    return {
        "zpc import": [job.bin / "zpc", "import", *source, *spell_flags(import_flags(case, job)), "-o", model],
        "zpc compile": [job.bin / "zpc", "compile", model, *job.compile_flags, "-o", plan],
        "zprun": [
            *start,
            job.bin / job.zprun,
            plan,
            *source,
            "--dataset",
            case.tokens,
            "--output_dir",
            work / "out",
            *ranks,
            *case.run_flags,
            *job.run_flags,
        ],
    }


def run(case, job, work):
    """Runs the three tools in `work` and returns the output folder. Raises StageFailed."""
    work.mkdir(parents=True, exist_ok=True)
    for tool, words in commands(case, job, work).items():
        words = [str(word) for word in words]
        with open(work / "commands.txt", "a") as log:
            log.write(shlex.join(words) + "\n")
        call(words, job.timeout, tool, work / f"{tool.replace(' ', '-')}.log")
    return work / "out"
