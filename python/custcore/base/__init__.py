"""Customer bases: :class:`CustomerBase`, updated and merged exactly, and :func:`custcore.scan` to update several."""

from custcore.base._customer_base import CustomerBase
from custcore.base._review import Review
from custcore.base._scan import scan

__all__ = ["CustomerBase", "Review", "scan"]
