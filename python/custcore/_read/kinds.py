"""Formats of files, by the extension of the name and by their first bytes."""

from __future__ import annotations

from pathlib import PurePosixPath

__all__ = ["CODECS", "FORMATS", "KNOWN", "TEXT", "is_text", "kind_of_bytes", "kind_of_name"]

# What `format=` takes.
FORMATS = ("csv", "tsv", "jsonl", "parquet", "arrow", "xlsx")
TEXT = ("csv", "tsv")

KINDS = {
    **dict.fromkeys((".parquet", ".pq", ".parq"), "parquet"),
    **dict.fromkeys((".arrow", ".ipc", ".feather", ".arrows"), "arrow"),
    **dict.fromkeys((".csv", ".txt"), "csv"),
    **dict.fromkeys((".tsv", ".tab"), "tsv"),
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "xlsx"),
}
KNOWN = (
    "Parquet (.parquet), CSV (.csv, .tsv, .txt), JSON lines (.jsonl, .ndjson), Arrow (.arrow, .feather, .ipc, .arrows) "
    "and sheets (.xlsx); CSV and JSON lines also as .gz, .bz2, .zst, .lz4 and .zip"
)

# Compressed text, by extension; which codec it is, its first bytes say.
COMPRESSED = (".gz", ".bz2", ".zst", ".zstd", ".lz4", ".zip")
CODECS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}


def kind_of_name(name: str) -> str | None:
    """The format of a file by its extension; None if it is unknown.

    Parameters
    ----------
    name
        A path or the path of a URL.

    Examples
    --------
    >>> (
    ...     kind_of_name("2026/sales.CSV.gz"),
    ...     kind_of_name("sales.zip"),
    ...     kind_of_name("notes.doc"),
    ... )
    ('csv', 'csv', None)
    """
    suffixes = [suffix.lower() for suffix in PurePosixPath(name.replace("\\", "/")).suffixes[-2:]]
    if not suffixes:
        return None
    if suffixes[-1] in COMPRESSED:
        inner = KINDS.get(suffixes[0]) if len(suffixes) == 2 else None
        if inner in (*TEXT, "jsonl"):
            return inner
        return "csv" if suffixes[-1] == ".zip" and inner is None else None
    return KINDS.get(suffixes[-1])


def kind_of_bytes(head: bytes) -> str:
    """The format of a file by its first bytes.

    Parameters
    ----------
    head
        At least the first 8 bytes, decompressed.
    """
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:6] == b"ARROW1" or head[:4] == b"\xff\xff\xff\xff":
        return "arrow"
    if head[:4] == b"PK\x03\x04" or head[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return "xlsx"
    return "jsonl" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" else "csv"


def is_text(head: bytes) -> bool:
    """Whether the first bytes are text.

    Parameters
    ----------
    head
        The first bytes, decompressed.
    """
    return bool(head) and not any(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
