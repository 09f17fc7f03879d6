"""Files at URLs, through fsspec where it is installed, else through the file systems of pyarrow."""

from __future__ import annotations

import glob
import importlib.util
from typing import TYPE_CHECKING, Any

from custcore._read.kinds import kind_of_name
from custcore._read.place import Place, partitions_of
from custcore.errors import FileFormatError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["remote"]

# Modules that fsspec needs for a scheme.
NEEDED = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}


def remote(url: str) -> list[Place]:
    """The files at a URL, which may be one file, a folder or a glob.

    Parameters
    ----------
    url
        With its scheme: ``s3://bucket/sales/*.parquet``, ``https://host/sales.csv``.

    Raises
    ------
    InvalidArgumentError
        If no installed library knows the scheme.
    FileNotFoundError
        If there is no such file.
    """
    if importlib.util.find_spec("fsspec") is not None:
        try:
            return _by_fsspec(url)
        except ImportError as error:
            if url.split(":")[0] not in {"s3", "gs", "hdfs"}:
                raise InvalidArgumentError(f"{url} cannot be opened: {error}") from None
    return _by_arrow(url)


def _by_fsspec(url: str) -> list[Place]:
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(url)
    except ValueError as error:  # a scheme that is not known
        raise InvalidArgumentError(f"{url} cannot be opened: {error}") from None
    is_http = url.lower().startswith(("http://", "https://"))
    if is_http:
        return [Place(url, lambda: system.open(path, "rb"))]
    if glob.has_magic(path):
        found = sorted(name for name in system.glob(path) if system.isfile(name))
    elif system.isdir(path):
        found = _data_files(url, path, sorted(system.find(path)))
    else:
        found = [path] if system.exists(path) else []
    if not found:
        raise FileNotFoundError(f"there is no file {url}")
    return [_remote_place(system.unstrip_protocol(name), _opener(system.open, name)) for name in found]


def _by_arrow(url: str) -> list[Place]:
    import pyarrow as pa
    from pyarrow import fs

    try:
        system, path = fs.FileSystem.from_uri(url)
    except (pa.ArrowException, ValueError, OSError):
        scheme = url.split(":")[0].lower()
        wanted = NEEDED.get(scheme)
        how = f"pip install fsspec {wanted}" if wanted else "pip install fsspec aiohttp"
        raise InvalidArgumentError(f"{url} needs a library for {scheme}: {how}") from None
    info = system.get_file_info(path)
    if info.type == fs.FileType.Directory:
        inside = system.get_file_info(fs.FileSelector(path, recursive=True))
        found = _data_files(url, path, sorted(file.path for file in inside if file.is_file))
    else:
        found = [path] if info.type == fs.FileType.File else []
    if not found:
        raise FileNotFoundError(f"there is no file {url}")
    scheme = url.split("://")[0]
    return [_remote_place(f"{scheme}://{name}", _opener(system.open_input_file, name)) for name in found]


def _data_files(url: str, folder: str, names: list[str]) -> list[str]:
    """The data files of a remote folder; table formats are refused, hidden files ignored."""
    found = []
    for name in names:
        parts = name[len(folder) :].strip("/").split("/")
        if "_delta_log" in parts or name.endswith(".metadata.json"):
            what = "a Delta table" if "_delta_log" in parts else "an Iceberg table"
            raise FileFormatError(
                f"{url} is {what}, whose folder also has files of deleted rows; export its rows as Parquet with DuckDB "
                "or the library of its format (deltalake, pyiceberg) first"
            )
        if not any(part[:1] in {".", "_"} for part in parts) and kind_of_name(name):
            found.append(name)
    return found


def _opener(opens: Callable[..., Any], name: str) -> Callable[[], Any]:
    return lambda: opens(name)


def _remote_place(name: str, opener: Callable[[], Any]) -> Place:
    return Place(name, opener, None, partitions_of(name.split("/")[:-1]))
