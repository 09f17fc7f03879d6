"""Check that wheels run where their names say, by auditwheel: ``python tools/check_wheel.py WHEEL...``.

The extension may need neither symbols of a later glibc than manylinux2014 has (2.17) nor libraries that it lacks.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

# manylinux2014 is an alias of manylinux_2_17.
GLIBC = 17


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("wheels", type=Path, nargs="+")
    auditwheel = Path(sys.executable).with_name("auditwheel")
    for wheel in parser.parse_args().wheels:
        command = (auditwheel, "show", "--json", wheel)
        found = json.loads(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)
        tag = str(found["overall_tag"])
        matched = re.match(r"manylinux_2_(\d+)_", tag)
        if not matched or int(matched[1]) > GLIBC:
            raise SystemExit(f"{wheel.name} is of {tag}, beyond manylinux2014: {json.dumps(found, indent=2)}")
        symbols = ", ".join(f"{name} {versions[-1]}" for name, versions in found["versioned_symbols"].items())
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.2f} MB, {tag} ({symbols})")


if __name__ == "__main__":
    main()
