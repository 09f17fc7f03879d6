"""Old module paths of classes, under which pickles of version 0.1 refer to them."""

from __future__ import annotations

import sys

from custcore import _rfm, cluster, result

__all__ = ["register"]

# Breaks is missing: its old module, custcore.select_k, had the name of a public function.
_MOVED = {
    "kmeans": cluster,
    "scaler": cluster,
    "score": _rfm,
    "scorer": _rfm,
    "segments": _rfm,
    "report": result,
}


def register() -> None:
    """Let the old paths resolve to the packages that hold the classes now."""
    for name, package in _MOVED.items():
        sys.modules.setdefault(f"custcore.{name}", package)
