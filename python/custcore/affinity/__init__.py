"""What is bought together and next: pairs, itemsets and rules of baskets; the next category of each customer."""

from custcore.affinity._baskets import Baskets
from custcore.affinity._next_category import NextCategory, backtest_next
from custcore.affinity._once import pairs, rules

__all__ = ["Baskets", "NextCategory", "backtest_next", "pairs", "rules"]
