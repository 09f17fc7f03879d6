"""Files are read and written in a forked child as in its parent."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import io, os, sys, warnings
warnings.simplefilter("ignore")
import custcore

TEXT = "customer_id,timestamp,amount\\n" + "".join(f"{i},2026-01-01,{i}.5\\n" for i in range(50_000))
source = custcore.read(io.BytesIO(TEXT.encode()))


def work():
    scored = custcore.rfm_scores(source)
    for write, kind in ((scored.to_csv, "csv"), (scored.to_parquet, "parquet"), (scored.to_arrow_ipc, "arrow")):
        write(f"{sys.argv[1]}/{os.getpid()}.{kind}")
        assert custcore.read(f"{sys.argv[1]}/{os.getpid()}.{kind}").table(["customer_id"]).num_rows == 50_000


work()
for _ in range(3):
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_files_after_a_fork(tmp_path):
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
