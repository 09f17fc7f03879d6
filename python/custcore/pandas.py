"""``import custcore.pandas`` gives every pandas DataFrame ``df.custcore``: :class:`CustcoreAccessor`."""

from custcore.adapters.pandas import CustcoreAccessor

__all__ = ["CustcoreAccessor"]
