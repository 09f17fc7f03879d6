"""RFM scores by custcore and other libraries: cases, input, contenders, comparison of results."""

from benches.python.rfm.case import CHUNK_ROWS, SOURCES, RfmCase, RfmInput
from benches.python.rfm.contenders import BENCH, CONTENDERS

__all__ = ["BENCH", "CHUNK_ROWS", "CONTENDERS", "SOURCES", "RfmCase", "RfmInput"]
