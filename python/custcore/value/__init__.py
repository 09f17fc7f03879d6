"""Who is worth what: measures per period and what their changes consist of."""

from custcore.value._measures import decomposition, measures

__all__ = ["decomposition", "measures"]
