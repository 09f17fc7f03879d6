"""Accessors for one dataframe library each: ``df.custcore.rfm(...)``, dataframes in and out.

An adapter imports only its library and the public API; it computes no results. ``import custcore.pandas`` and
``import custcore.polars`` register them.
"""
