"""A few cells and options of contacts, as tests change them."""

from __future__ import annotations

import custcore
from custcore import Curve

SMS = Curve.exp(50_000, 1 / 8_000)
MAIL = Curve.hill(30_000, 2_000, 0.7)
POINTS = Curve.table([1_000, 3_000], [4_000, 9_000])
CELLS = [
    {"segment": "loyal", "channel": "sms", "curve": SMS, "low": 500, "se": 4_000.0},
    {"segment": "loyal", "channel": "mail", "curve": MAIL, "high": "25%"},
    {"segment": "new", "channel": "sms", "curve": POINTS},
]
OPTIONS = [
    {"segment": "loyal", "channel": "call", "cost": 5.0, "value": 9.0, "customers": 800, "value_se": 2.0},
    {"segment": "loyal", "channel": "mail", "cost": 0.8, "value": 4.0, "customers": 800},
    {"segment": "new", "channel": "mail", "cost": 0.8, "value": 1.9, "customers": 900},
]


def plan(cells=CELLS, budget=10_000, **given):
    """Allocate a budget to the cells."""
    return custcore.allocate(cells, budget, **given)


def contacts(options=OPTIONS, budget=1_780, **given):
    """Allocate a budget to the options."""
    return custcore.allocate_contacts(options, budget, **given)
