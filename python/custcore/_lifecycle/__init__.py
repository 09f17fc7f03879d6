"""Where customers are in their life with us: windows and stages, early warning of churn, and its back-test."""

from custcore._lifecycle._backtest import Backtest, backtest
from custcore._lifecycle._churn import ChurnModel
from custcore._lifecycle.model import LifecycleModel

__all__ = ["Backtest", "ChurnModel", "LifecycleModel", "backtest"]
