"""The current memory read bandwidth: ``python -m benches.harness.bandwidth THREADS``, controlled like a contender.

Each thread computes the dot product of its part of half a gigabyte with itself. The fastest of three passes counts, as
disturbances only slow it down. It is a separate process because numpy's BLAS must be limited to one thread.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

SIZE = 512 << 20


def main() -> None:
    threads = int(sys.argv[1])
    shares = np.array_split(np.ones(SIZE // 8), threads)
    with ThreadPoolExecutor(threads) as pool:

        def read() -> float:
            begin = time.perf_counter()
            list(pool.map(lambda share: np.dot(share, share), shares))
            return SIZE / (time.perf_counter() - begin)

        read()  # starts the threads
        print(json.dumps({"ready": True}), flush=True)
        for _ in sys.stdin:
            print(json.dumps({"bytes_per_second": max(read() for _ in range(3))}), flush=True)


if __name__ == "__main__":
    main()
