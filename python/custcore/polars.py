"""``import custcore.polars`` gives every polars frame, eager or lazy, ``df.custcore``: :class:`CustcoreNamespace`."""

from custcore.adapters.polars import CustcoreNamespace

__all__ = ["CustcoreNamespace"]
