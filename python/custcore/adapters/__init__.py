"""Accessors for one dataframe library each: ``df.custcore.rfm(...)``, dataframes in and out.

An adapter imports only its own library and the public API; it computes no result. ``import custcore.pandas`` and
``import custcore.polars`` register them.
"""
