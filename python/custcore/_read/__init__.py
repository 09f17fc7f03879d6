"""Files to a lazy source of Arrow batches: the command line and ``custcore.read`` are on it."""

from custcore._read.reading import open_source, read
from custcore._read.source import Source

__all__ = ["Source", "open_source", "read"]
