"""K-means and the process around it: Ctrl-C, forks, threads, memory."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


def child(code: str) -> str:
    """Run a program in a separate process; returns its output."""
    program = "import custcore, numpy as np, os, time\n" + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_ctrl_c_ends_a_fit() -> None:
    found = child(
        """
        import signal, threading
        x = np.random.default_rng(0).random((1_500_000, 8))
        km = custcore.KMeans(100, tol=0, init="random", n_init=50)
        sent = []
        def send():
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(1.0, send).start()
        try:
            km.fit(x)
        except KeyboardInterrupt:
            print(time.perf_counter() - sent[0])
        custcore.KMeans(2).fit(x[:1000]).predict(x[:10])
        """
    )
    assert float(found) < 1  # 0.2 on a machine of one's own


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork here")
def test_fork_after_a_fit() -> None:
    found = child(
        """
        import signal, warnings
        warnings.simplefilter("ignore")
        x = np.random.default_rng(0).random((200_000, 3))
        km = custcore.KMeans(5, n_threads=2).fit(x)
        pid = os.fork()
        if pid == 0:
            signal.alarm(60)  # a hang ends here
            again = custcore.KMeans(5, n_threads=2).fit(x)
            os._exit(int(again.inertia_ != km.inertia_ or (km.predict(x) != km.labels_).any()))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """
    )
    assert found == "0"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.slow
def test_memory_beyond_the_input() -> None:
    """4 million rows of 8 float64 are 256 MB; the fit adds labels and a little, not copies."""
    found = child(
        """
        def memory(field):
            return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(field + ":"))
        x = np.random.default_rng(0).random((4_000_000, 8))
        custcore.KMeans(3).fit(x[:1000])
        open("/proc/self/clear_refs", "w").write("5")
        before = memory("VmRSS")
        custcore.KMeans(8, max_iter=5, n_threads=2).fit(x)
        print((memory("VmHWM") - before) // 1024)
        """
    )
    assert int(found) < 128
