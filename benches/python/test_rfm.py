"""The RFM contenders under pytest-benchmark, for manual checks: ``pytest benches/python --benchmark-only``.

Small, in one process, not in turns; the results in BENCHMARKS.md are from ``benches/suite.py``.
"""

import pytest

from benches.harness import installed_version
from benches.python.rfm import BENCH, RfmCase

CASES = {
    "dense": RfmCase(1_000_000, 100_000),
    "gap2": RfmCase(1_000_000, 100_000, ids="gap2"),
    "sparse": RfmCase(1_000_000, 100_000, ids="sparse"),
    "string": RfmCase(1_000_000, 100_000, ids="string"),
    "order_id": RfmCase(1_000_000, 100_000, order_id=True),
}


@pytest.fixture(scope="module", params=CASES)
def written(request, tmp_path_factory):
    case = CASES[request.param]
    path = BENCH.write(case, tmp_path_factory.mktemp(request.param)).path
    ours = BENCH.contenders["custcore"].prepare(case, path)
    return request.param, case, path, ours.to_arrow(ours.run())


@pytest.mark.parametrize("name", BENCH.contenders)
def test_rfm(benchmark, written, name):
    group, case, path, expected = written
    contender = BENCH.contenders[name]
    if why := contender.refuses(case) or (installed_version(contender.package) is None and "not installed"):
        pytest.skip(why)
    work = contender.prepare(case, path)
    benchmark.group = group
    found = benchmark.pedantic(work.run, rounds=3, warmup_rounds=1)
    BENCH.compare(case, expected, work.to_arrow(found))
