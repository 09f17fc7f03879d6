"""Where customers are in their life with us: early warning of churn, and its back-test."""

from custcore._lifecycle._backtest import Backtest as Backtest
from custcore._lifecycle._backtest import backtest as backtest
from custcore._lifecycle._churn import ChurnModel as ChurnModel
