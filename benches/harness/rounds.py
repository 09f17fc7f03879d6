"""Measures a case: all contenders in turns; results are compared before times count."""

from __future__ import annotations

import dataclasses
import datetime
import json
import platform
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benches.harness.bench import UnequalError
from benches.harness.machine import GIB, available_memory, hardware, installed_version, revision
from benches.harness.process import FailedError, Process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benches.harness.bench import Bench, Input


@dataclass(frozen=True)
class Limits:
    """Limits and repetitions.

    Parameters
    ----------
    rounds
        Timed runs of each contender.
    warm
        A first run of more seconds than this counts as timed.
    run
        A run of more seconds than this ends the contender.
    budget
        A contender whose runs took more seconds than this together sits out the other rounds.
    memory
        Bytes that contenders may take together; default: what is available.
    """

    rounds: int = 5
    warm: float = 4.0
    run: float = 180.0
    budget: float = 60.0
    memory: int | None = None


@dataclass
class Runner:
    """A contender in a case, across its processes; from another build of custcore if a ``python_path`` is given."""

    name: str
    command: list[str]
    threads: int
    limits: Limits
    python_path: Path | None = None
    seconds: list[float] = field(default_factory=list)
    peak: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    failed: str | None = None
    process: Process | None = None
    first_seconds: float = 0.0

    def start(self) -> None:
        """Start its process and let it load the input."""
        self.process = Process(
            "benches.harness.child",
            *self.command,
            threads=self.threads,
            seconds=self.limits.run,
            python_path=self.python_path,
        )

    @property
    def contender(self) -> str:
        """The name of its contender in the bench."""
        return self.command[1]

    def first(self) -> None:
        """Run for the first time: measure memory and write the result to its file."""
        assert self.process
        answer = self.process.ask("first")
        self.peak, self.first_seconds = int(answer["bytes"]), answer["seconds"]
        if self.first_seconds > self.limits.warm:
            self.seconds.append(self.first_seconds)

    def turn(self, n: int) -> None:
        """Do the n-th timed run, unless it was done, or time is up."""
        if self.failed or len(self.seconds) >= n or sum(self.seconds) > self.limits.budget:
            return
        try:
            visiting = self.process is None
            if visiting:
                self.start()
            assert self.process
            if visiting and self.first_seconds <= self.limits.warm:
                self.process.ask("again")
            self.seconds.append(self.process.ask("again")["seconds"])
            if visiting:
                self.stop()
        except FailedError as error:
            self.fail(str(error))

    def fail(self, why: str) -> None:
        """Exclude it from further rounds."""
        print(f"  {self.name}: {why}", file=sys.stderr)
        self.failed = why
        self.stop()

    def stop(self) -> None:
        """End its process."""
        if self.process:
            self.process.close()
        self.process = None


def measure(
    bench: Bench,
    where: str,
    case: Any,
    names: Sequence[str],
    limits: Limits | None = None,
    builds: Mapping[str, Path] | None = None,
) -> dict[str, Any]:
    """Measure one case.

    Parameters
    ----------
    bench, where
        The bench, and where to import it from, as ``module:name``.
    case
        The case.
    names
        Contenders; the first is what the others are compared with.
    limits
        How long and how often.
    builds
        Other builds of custcore by name, each the folder that holds its package: the first contender runs with these,
        too.

    Returns
    -------
    dict
        The record for `record.save`: the case, the date, the machine, the versions and the measurements.

    Raises
    ------
    UnequalError
        If two results differ.
    FailedError
        If the first contender fails; failures of others are recorded.
    """
    limits = limits or Limits()
    print(f"{bench.name}: {case.key}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="custcore-bench-") as folder:
        source = bench.write(case, Path(folder))
        skipped = {name: why for name in names if (why := _refusal(bench, case, name, source, limits))}
        for name, why in skipped.items():
            print(f"  {name}: skipped, {why}", file=sys.stderr)
        plain = json.dumps(dataclasses.asdict(case))
        runners = [
            Runner(name, [where, name, plain, str(source.path), f"{folder}/{name}.result"], case.threads, limits)
            for name in names
            if name not in skipped
        ]
        runners += [
            Runner(
                name, [where, names[0], plain, str(source.path), f"{folder}/{name}.result"], case.threads, limits, path
            )
            for name, path in (builds or {}).items()
        ]
        together = _fits_together(bench, runners, source, limits)
        probe = Process("benches.harness.bandwidth", str(case.threads), threads=case.threads, seconds=60)
        rates = [probe.ask("probe")["bytes_per_second"]]
        try:
            _first_runs(bench, case, runners, together=together)
            for n in range(1, limits.rounds + 1):
                for runner in runners:
                    runner.turn(n)
                rates.append(probe.ask("probe")["bytes_per_second"])
        finally:
            for runner in runners:
                runner.stop()
            probe.close()
    return _record(bench, case, source, runners, skipped, rates, together=together)


def _available(limits: Limits) -> int:
    return available_memory() if limits.memory is None else min(limits.memory, available_memory())


def _refusal(bench: Bench, case: Any, name: str, source: Input, limits: Limits) -> str | None:
    contender = bench.contenders[name]
    if installed_version(contender.package) is None:
        return f"{contender.package} is not installed"
    if why := contender.refuses(case):
        return why
    needed, available = contender.needed * (source.in_memory + source.grouped), _available(limits)
    if needed > available:
        return f"needs about {needed / GIB:.1f} GiB, {available / GIB:.1f} are available"
    return None


def _fits_together(bench: Bench, runners: list[Runner], source: Input, limits: Limits) -> bool:
    """Whether all contenders can hold their input while the one with the highest peak runs."""
    contenders = [bench.contenders[runner.contender] for runner in runners]
    held = sum(contender.held * source.in_memory + GIB // 8 for contender in contenders)
    working = max(contender.needed for contender in contenders) * (source.in_memory + source.grouped)
    return held + working < 0.8 * _available(limits)


def _first_runs(bench: Bench, case: Any, runners: list[Runner], *, together: bool) -> None:
    expected: pa.Table | None = None
    for runner in runners:
        try:
            runner.start()
            runner.first()
        except FailedError as error:
            runner.fail(str(error))
            if runner is runners[0]:
                raise
            continue
        if not together:
            runner.stop()
        found = _read(Path(runner.command[-1]))
        if expected is None:
            expected = found
            continue
        try:
            runner.notes = bench.compare(case, expected, found)
        except UnequalError as error:
            raise UnequalError(f"{case.key}: {runner.name} and {runners[0].name} differ: {error}") from error
        Path(runner.command[-1]).unlink()


def _read(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _record(
    bench: Bench,
    case: Any,
    source: Input,
    runners: list[Runner],
    skipped: dict[str, str],
    rates: list[float],
    *,
    together: bool,
) -> dict[str, Any]:
    bandwidth = statistics.median(rates)
    failed = {runner.name: runner.failed for runner in runners if runner.failed}
    return {
        "bench": bench.name,
        "key": case.key,
        "case": dataclasses.asdict(case),
        "revision": revision(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "hardware": hardware(),
        "python": platform.python_version(),
        "together": together,
        "input_bytes": source.in_memory,
        "bytes_to_read": source.to_read,
        "bandwidth_bytes_per_second": round(bandwidth),
        "skipped": skipped | failed,
        "contenders": [
            {
                "name": runner.name,
                "version": installed_version(bench.contenders[runner.contender].package),
                "median_seconds": round(median := statistics.median(runner.seconds), 5),
                "seconds": [round(taken, 5) for taken in runner.seconds],
                "peak_bytes_above_input": runner.peak,
                "share_of_bandwidth": round(source.to_read / bandwidth / median, 4),
                "notes": runner.notes,
            }
            for runner in runners
            if runner.seconds and not runner.failed
        ],
    }
