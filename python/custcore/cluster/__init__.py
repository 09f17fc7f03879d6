"""Clusters of customers: :class:`KMeans`, :class:`Scaler`, the choice of k, and segments from clusters."""

from custcore.cluster._kmeans import KMeans
from custcore.cluster._natural_breaks import Breaks, natural_breaks
from custcore.cluster._scaler import Scaler
from custcore.cluster._segment_customers import segment_customers
from custcore.cluster._select_k import select_k

__all__ = ["Breaks", "KMeans", "Scaler", "natural_breaks", "segment_customers", "select_k"]
