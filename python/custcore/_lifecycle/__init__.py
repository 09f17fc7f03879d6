"""Life cycle of customers: windows and stages."""

from custcore._lifecycle.model import LifecycleModel

__all__ = ["LifecycleModel"]
