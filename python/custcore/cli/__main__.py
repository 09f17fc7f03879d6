"""``python -m custcore.cli``."""

import sys

from custcore.cli import main

sys.exit(main())
