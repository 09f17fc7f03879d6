"""``python -m custcore``: the command line."""

import sys

from custcore.cli import main

sys.exit(main())
