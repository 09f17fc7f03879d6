"""Life cycle of customers: windows and stages, early warning of churn and its back-test."""

from custcore._lifecycle._backtest import Backtest as Backtest
from custcore._lifecycle._backtest import backtest as backtest
from custcore._lifecycle._churn import ChurnModel as ChurnModel
from custcore._lifecycle.model import LifecycleModel as LifecycleModel
