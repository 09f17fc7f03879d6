"""Damaged files of every format, for as long as asked: only errors of custcore, and never fewer rows than an oracle.

`python -m tests.stress.files --seconds 120 --seed 1` prints how many were read and refused, by format. The bytes of a
file that fails are kept, and its name is printed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.property.damaged_files import VALID, Edit, check, damaged

PIECES = (b"", b"\0", b'"', b"\n", b"\r", b",", b";", b"\xff", b"\xef\xbb\xbf", b"1e999", b"\x1f\x8b", b"{", b"'", b"%")


def run(seconds: float, seed: int) -> None:
    rng = random.Random(seed)
    counts: dict[str, Counter[str]] = {name: Counter() for name in VALID}
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        while time.monotonic() < end:
            kind = rng.choice(list(VALID))
            edits = _edits(rng, VALID[kind])
            data = damaged(VALID[kind], edits)
            try:
                counts[kind][check(folder, kind, data)] += 1
            except BaseException:
                kept = Path(tempfile.mkdtemp()) / kind
                kept.write_bytes(data)
                sys.stderr.write(f"failed: {kept} (seed {seed}, {edits})\n")
                raise
    for kind, found in counts.items():
        sys.stdout.write(f"{kind:12} {found['read']:6} read {found['refused']:6} refused\n")


def _edits(rng: random.Random, data: bytes) -> list[Edit]:
    """Half of the time a slip of a byte, which may well be read; else up to four blows."""
    if rng.random() < 0.5:
        return [Edit(rng.random(), rng.choice((0, 1)), rng.choice((b"", b"7", b"a", b" ", rng.choice(PIECES))))]
    blows = []
    for _ in range(rng.randint(1, 4)):
        put = rng.choice((rng.choice(PIECES), rng.randbytes(rng.randint(1, 8)), data[: rng.randint(0, len(data))]))
        blows.append(Edit(rng.random(), rng.choice((0, 1, 1, 2, 8, 200, 1 << 20)), put))
    return blows


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments = parser.parse_args()
    run(arguments.seconds, arguments.seed)
