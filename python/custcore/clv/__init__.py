"""What a customer will be worth: models of purchases and of spend, fitted, predicted and checked.

:func:`custcore.clv_summary` or :meth:`custcore.CustomerBase.clv_summary` makes the summary
that models are fitted on.

>>> import custcore
>>> custcore.clv.MBGNBD(unit="day")
MBGNBD(unit='day'), not fitted
"""

from custcore.clv._backtest import backtest
from custcore.clv._comparison import compare
from custcore.clv._contracts import SBG
from custcore.clv._evaluation import Evaluation
from custcore.clv._fit import Fit
from custcore.clv._models import BGNBD, MBGNBD, NBD, ParetoNBD
from custcore.clv._predictions import Prediction
from custcore.clv._purchases import PurchaseModel
from custcore.clv._segments import by_segment
from custcore.clv._spend import GammaGamma, SpendFit

__all__ = [
    "BGNBD",
    "MBGNBD",
    "NBD",
    "SBG",
    "Evaluation",
    "Fit",
    "GammaGamma",
    "ParetoNBD",
    "Prediction",
    "PurchaseModel",
    "SpendFit",
    "backtest",
    "by_segment",
    "compare",
]
