"""What is bought together: baskets, and the pairs, itemsets and rules of them."""

from custcore.affinity._baskets import Baskets
from custcore.affinity._once import pairs, rules

__all__ = ["Baskets", "pairs", "rules"]
