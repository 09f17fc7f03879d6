"""Install what is published as a user would, each file in an environment of its own, and run the README there.

    python tools/check_dist.py FILE...

A file is a wheel or a source distribution (then pip builds it, with the build requirements that it declares). It is
installed with the extra ``all``; sizes and seconds are printed. All packages come from pip's index, in their newest
versions. A source distribution must give the extension that the wheel has: its size may differ by a tenth, since
compilers and linkers differ.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "tests" / "docs" / "test_readme.py"
LOCATE = "import custcore._core as core; print(core.__file__)"
ALLOWED = 0.1


def output(*command: str | Path, folder: Path) -> str:
    """Run a command without the environment of this one, and return its output."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "MATURIN"))
    }
    return subprocess.run(command, cwd=folder, env=kept, check=True, text=True, stdout=subprocess.PIPE).stdout


def check(file: Path, folder: Path) -> int:
    """Install a file and run the README; return the size of the extension."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
    start = time.monotonic()
    # pip would build a source distribution once for each of the two installs.
    output(*pip, "wheel", "--no-deps", "--wheel-dir", folder / "wheel", file, folder=folder)
    (wheel,) = (folder / "wheel").iterdir()
    output(*pip, "install", "--no-deps", wheel, folder=folder)
    seconds = time.monotonic() - start
    bare = output(python, "-c", "import custcore; print(custcore.__version__)", folder=folder).strip()
    output(*pip, "install", f"{wheel}[all]", "pytest", folder=folder)
    extension = Path(output(python, "-c", LOCATE, folder=folder).strip())
    if not extension.is_relative_to(folder):
        raise SystemExit(f"{file.name}: {extension} was imported")
    # Neither the settings of this repository nor its folder of sources take part.
    said = output(
        python, "-m", "pytest", "-q", "--noconftest", "-c", os.devnull, "--rootdir", folder, README, folder=folder
    )
    helped = output(folder / "venv" / "bin" / "custcore", "--help", folder=folder)
    if "rfm" not in helped:
        raise SystemExit(f"{file.name}: the command line does not help: {helped}")
    size = extension.stat().st_size
    print(
        f"{file.name}: {file.stat().st_size / 1e6:.2f} MB, extension {size / 1e6:.2f} MB, version {bare}, "
        f"installed in {seconds:.0f} s; README: {said.strip().splitlines()[-1]}"
    )
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("files", type=Path, nargs="+")
    sizes = []
    for file in parser.parse_args().files:
        with tempfile.TemporaryDirectory(prefix="custcore-dist-") as folder:
            sizes.append(check(file.resolve(), Path(folder)))
    if max(sizes) > (1 + ALLOWED) * min(sizes):
        sys.exit(f"the extensions differ: {sizes} bytes; is the profile of [tool.maturin] that of the wheel?")


if __name__ == "__main__":
    main()
