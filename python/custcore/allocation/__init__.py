"""Where the money goes: budgets allocated to segments and channels along response curves, or to contacts of customers.

>>> import custcore
>>> sms, mail = (
...     custcore.Curve.exp(a=5_000, b=1 / 500),
...     custcore.Curve.exp(a=12_000, b=1 / 1_500),
... )
>>> cells = [{"segment": "new", "curve": sms}, {"segment": "loyal", "curve": mail}]
>>> [round(spend, 2) for spend in custcore.allocate(cells, 2_000).table()["spend"]]
[583.68, 1416.32]
"""

from custcore.allocation._allocate import allocate, allocate_contacts
from custcore.allocation._curve import Curve
from custcore.allocation._result import Allocation

__all__ = ["Allocation", "Curve", "allocate", "allocate_contacts"]
