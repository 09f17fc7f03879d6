"""Ways in and out for one dataframe library each: ``df.custcore.rfm(...)``, dataframes in and out.

An adapter imports its own library and the public API; it computes no result. ``import custcore.pandas`` and
``import custcore.polars`` are the doors to them.
"""
