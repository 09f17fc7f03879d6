"""What is bought together: the next category of each customer, and its back-test."""

from custcore.affinity._next_category import NextCategory, backtest_next

__all__ = ["NextCategory", "backtest_next"]
