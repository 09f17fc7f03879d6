"""The parent's side of a process that reads commands and replies with a line of JSON each."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# Environment variables from which libraries read their number of threads.
THREAD_VARIABLES = (
    "CUSTCORE_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "TOKIO_WORKER_THREADS",
)


class FailedError(Exception):
    """A contender failed."""


class Process:
    """Starts ``python -m MODULE ...`` from the root of the repository and waits until it is ready."""

    def __init__(
        self, module: str, *arguments: str, threads: int, seconds: float, python_path: Path | None = None
    ) -> None:
        limits = dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"OPENBLAS_NUM_THREADS": "1"}
        self.seconds = seconds
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=os.environ | limits | ({"PYTHONPATH": str(python_path)} if python_path else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer(max(300, seconds))  # the limit does not apply to loading

    def ask(self, request: str) -> dict[str, Any]:
        """Send a command and return the reply."""
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):  # its last output is read below
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        return self._answer(self.seconds)

    def close(self) -> None:
        """End the process."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe and not pipe.closed:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _answer(self, seconds: float) -> dict[str, Any]:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            self.close()
            raise FailedError(f"took more than {seconds:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise FailedError(f"ended with exit code {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            self.close()
            raise FailedError(answer["error"])
        return answer
