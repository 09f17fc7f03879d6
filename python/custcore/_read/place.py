"""One file that can be opened any number of times, and the columns that the names of its folders state."""

from __future__ import annotations

import contextlib
import datetime
import errno
import io
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote

from custcore._read.kinds import CODECS
from custcore.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["Place", "decompressed", "members", "partition_types", "partitions_of"]

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Place:
    """A file that can be opened any number of times.

    Attributes
    ----------
    name : str
        The path or URL as messages say it.
    opener : callable
        Opens it for reading bytes.
    local : Path or None
        Its path, if it is a file of this machine.
    partitions : dict
        Columns that its folders state: ``month=2026-01``.
    """

    name: str
    opener: Callable[[], BinaryIO]
    local: Path | None = None
    partitions: dict[str, str | None] = field(default_factory=dict)

    def open(self) -> BinaryIO:
        """Open the file for reading, from its start."""
        return self.opener()


def decompressed(place: Place) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
    """Open a file, and decompress it if its first bytes say so.

    Parameters
    ----------
    place
        The file.
    """
    raw = place.open()
    head = raw.read(4)
    raw.seek(0)
    for mark, codec in CODECS.items():
        if head.startswith(mark):
            import pyarrow as pa

            return pa.CompressedInputStream(raw, codec)
    return raw


def members(place: Place) -> list[Place]:
    """The files of a ZIP archive, or the file itself if it is none.

    Parameters
    ----------
    place
        The file.
    """
    if not place.name.lower().endswith(".zip"):
        return [place]
    try:
        with place.open() as raw, zipfile.ZipFile(raw) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            locked = any(info.flag_bits & 1 for info in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise FileFormatError(f"{place.name} cannot be read as ZIP: {error}") from None
    names = [name for name in names if not any(part[:1] in {".", "_"} for part in name.split("/"))]
    if locked:
        raise FileFormatError(f"{place.name} is encrypted; decrypt it first")
    if not names:
        raise FileFormatError(f"{place.name} has no files in it")
    return [Place(f"{place.name}:{name}", _member(place, name), None, place.partitions) for name in names]


def _member(place: Place, name: str) -> Callable[[], BinaryIO]:
    return lambda: _Member(place, name)  # type: ignore[return-value]


class _Member(io.RawIOBase):
    """A file of a ZIP archive, which closes the archive with itself."""

    def __init__(self, place: Place, name: str) -> None:
        super().__init__()
        self._name = f"{place.name}:{name}"
        self._raw = place.open()
        try:
            with self._readable_or_refused():
                self._archive = zipfile.ZipFile(self._raw)
                self._file = self._archive.open(name)
        except BaseException:
            self._raw.close()
            raise

    @contextlib.contextmanager
    def _readable_or_refused(self) -> Iterator[None]:
        """Raise an error of our own for what a damaged archive raises."""
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError) as error:
            raise FileFormatError(f"{self._name} cannot be read from its ZIP archive: {error}") from None
        except (ValueError, OSError) as error:  # an offset that is none
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            raise FileFormatError(f"{self._name} cannot be read from its ZIP archive: it is damaged") from None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        with self._readable_or_refused():
            return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        with self._readable_or_refused():
            part = self._file.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._file.close()
        self._archive.close()
        self._raw.close()
        super().close()


def partitions_of(folders: Iterable[str]) -> dict[str, str | None]:
    """The columns that folders such as ``month=2026-01`` state.

    Parameters
    ----------
    folders
        Names of folders, the outermost first.
    """
    found = {}
    for folder in folders:
        name, equals, value = folder.partition("=")
        if equals and name:
            found[unquote(name)] = None if value == HIVE_NULL else unquote(value)
    return found


def partition_types(places: Iterable[Place]) -> dict[str, Any]:
    """The columns that folders state, with their Arrow types: whole numbers, ISO dates or text.

    Parameters
    ----------
    places
        All files.
    """
    import pyarrow as pa

    stated: dict[str, set[str]] = {}
    for place in places:
        for name, value in place.partitions.items():
            stated.setdefault(name, set()).update([] if value is None else [value])
    types: dict[str, Any] = {}
    for name, values in stated.items():
        if values and all(re.fullmatch(r"-?(0|[1-9]\d{0,17})", value) for value in values):
            types[name] = pa.int64()
        else:
            types[name] = pa.date32() if values and all(map(_is_day, values)) else pa.string()
    return types


def _is_day(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10
