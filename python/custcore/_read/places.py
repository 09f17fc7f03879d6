"""Where files are: names, globs, folders, URLs, file objects and stdin, to places that can be opened again."""

from __future__ import annotations

import glob
import io
import os
import re
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from custcore._read.kinds import KNOWN, kind_of_name
from custcore._read.place import Place, members, partitions_of
from custcore.errors import FileFormatError, InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["places"]

# Streams up to this size are kept in memory.
MEMORY = 64 << 20
URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
# What lies in a folder of a table format; its files include dead ones, which only the log tells apart.
TABLE_FORMATS = {
    "_delta_log": (
        "a Delta table",
        "export its rows, e.g. in DuckDB by COPY (FROM delta_scan('path')) TO 'rows.parquet', or pass what "
        "deltalake.DeltaTable(path).to_pyarrow_dataset() or polars.scan_delta(path) gives",
    ),
    ".hoodie": ("a Hudi table", "export a snapshot as Parquet, and read that"),
}
ICEBERG = (
    "an Iceberg table",
    "export its rows, e.g. in DuckDB by COPY (FROM iceberg_scan('path')) TO 'rows.parquet', or pass what pyiceberg's "
    "table.scan().to_arrow() or polars.scan_iceberg(path) gives",
)


def places(paths: Iterable[Any], *, explicit_format: bool) -> list[Place]:
    """Find all files that are named, each once, in order.

    Parameters
    ----------
    paths
        File names, globs (``**`` for any folder), folders, URLs, file objects, ``"-"`` for stdin.
    explicit_format
        Whether the format is given, so that any extension is accepted.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InvalidArgumentError
        If the extension is unknown.
    FileFormatError
        If a folder is a table of Delta, Iceberg or Hudi.
    """
    found: dict[str, Place] = {}
    for path in paths:
        for place in _expand(path, explicit_format):
            for member in members(place):
                found.setdefault(member.name, member)
    if not found:
        raise InvalidArgumentError("no file is named; pass the name of a file, a glob, a folder or a URL")
    return list(found.values())


def _expand(path: Any, explicit: bool) -> list[Place]:  # noqa: ANN401
    if hasattr(path, "read"):
        return [_spooled(path, getattr(path, "name", None))]
    if not isinstance(path, str | os.PathLike):
        raise InvalidTypeError(
            f"{path!r} is {type(path).__name__}; expected the name of a file, a folder, a URL or an open binary file"
        )
    text = os.fspath(path)
    if text == "-":
        return [_spooled(sys.stdin.buffer, "stdin")]
    if URL.match(text):
        from custcore._read.remote import remote  # rarely needed

        found = remote(text)
        return [_checked(place, explicit) for place in found]
    return _local(text, explicit)


def _local(text: str, explicit: bool) -> list[Place]:
    path = Path(text).expanduser()
    if path.is_dir():
        found = _inside(path, explicit)
        if not found:
            raise FileNotFoundError(f"there is no file of a known format in the folder {text}; custcore reads {KNOWN}")
        return [_place(file) for file in found]
    if not path.exists() and glob.has_magic(text):
        matches = sorted(Path(name) for name in glob.glob(str(path), recursive=True))  # noqa: PTH207
        found = [file for match in matches for file in (_inside(match, explicit) if match.is_dir() else [match])]
        if not found:
            raise FileNotFoundError(f"no file matches {text}")
        for match in matches:
            _refuse_table_formats(match.parent)
    elif path.exists():
        _refuse_table_formats(path.parent)
        found = [path]
    else:
        raise FileNotFoundError(f"there is no file {text}")
    return [_checked(_place(file), explicit) for file in found]


def _inside(folder: Path, explicit: bool) -> list[Path]:
    """The data files of a folder: hidden files, and markers such as "_SUCCESS" of Spark, are not data."""
    found = []
    for here, folders, files in os.walk(folder):
        _refuse_table_formats(Path(here), folders)
        folders[:] = [name for name in folders if name[0] not in "._"]
        found += [
            Path(here) / name for name in files if name[0] not in "._" and (explicit or kind_of_name(name) is not None)
        ]
    return sorted(found)


def _refuse_table_formats(folder: Path, names: list[str] | None = None) -> None:
    """Raise for a folder of a table format: its loose files include those of deleted and replaced rows."""
    for name, (what, remedy) in TABLE_FORMATS.items():
        if (name in names) if names is not None else (folder / name).is_dir():
            raise FileFormatError(f"{folder} is {what}, whose folder also has files of deleted rows; {remedy}")
    at = folder.parent if folder.name in {"data", "metadata"} else folder
    if any((at / "metadata").glob("*.metadata.json")):
        raise FileFormatError(f"{at} is {ICEBERG[0]}, whose folder also has files of deleted rows; {ICEBERG[1]}")


def _place(file: Path) -> Place:
    return Place(str(file), lambda: file.open("rb"), file, partitions_of(file.parts[:-1]))


def _checked(place: Place, explicit: bool) -> Place:
    if not explicit and kind_of_name(place.name.split("?")[0]) is None:
        raise InvalidArgumentError(
            f"{place.name} has an unknown extension; custcore reads {KNOWN}. Or say what it is, e.g. format='csv'"
        )
    return place


def _spooled(stream: Any, name: object) -> Place:  # noqa: ANN401
    """A file object that is read once, kept in a temporary file that vanishes with the process."""
    label = name if isinstance(name, str) else "the file object"
    if isinstance(stream, io.TextIOBase):
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            raise InvalidTypeError(f"{label} is a text stream; open it in binary mode")
        stream = buffer
    spool: list[_Spool] = []

    def opener() -> BinaryIO:
        if not spool:
            spool.append(_Spool(stream))
        return _Part(spool[0])  # type: ignore[return-value]

    return Place(label, opener)


class _Spool:
    """What a stream gave, in memory or, if large, in a temporary file that vanishes with this object."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401
        self.file = tempfile.SpooledTemporaryFile(MEMORY)  # noqa: SIM115 (open as long as the source is used)
        self.size = 0
        # Readers of several threads share the position of the file.
        self.lock = threading.Lock()
        weakref.finalize(self, self.file.close)
        while block := stream.read(1 << 20):
            self.size += self.file.write(block)


class _Part(io.RawIOBase):
    """A view of a spool with a position of its own."""

    def __init__(self, spool: _Spool) -> None:
        super().__init__()
        self._spool = spool
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self._spool.size)[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        with self._spool.lock:
            self._spool.file.seek(self._at)
            part = self._spool.file.read(len(buffer))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
