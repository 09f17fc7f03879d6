"""The encoding of text files: byte order marks, UTF-8, and what charset-normalizer finds."""

from __future__ import annotations

import codecs
import io
import re
from typing import Any

from custcore.errors import InvalidArgumentError

__all__ = ["Utf8Stream", "detect_encoding", "known_encoding", "to_utf8"]

MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Letters and signs that Western texts have; they tell cp1252 from Mac Roman, which a library cannot on a few words.
WESTERN = frozenset("äöüßÄÖÜéèêëàâáãåçñíìîïóòôõúùûøæœÉÈÀÇÑÁÓÚÅØÆ€£°’‘“”–…§")
# Beyond the Western ones; each is what files of one region have.
REGIONAL = (
    "gb18030",
    "big5",
    "shift_jis",
    "euc_jp",
    "euc_kr",
    "cp1251",
    "koi8_r",
    "cp1250",
    "cp1253",
    "cp1254",
    "cp1255",
)
# Bytes beyond ASCII that regional encodings take to be told apart: in a few words, Chinese is Korean as well.
ENOUGH = 48
BLOCK = 1 << 20


def known_encoding(name: str) -> str:
    """The encoding as Python names it.

    Parameters
    ----------
    name
        As a user gives it.

    Raises
    ------
    InvalidArgumentError
        If Python has no such text encoding.
    """
    try:
        found = codecs.lookup(name)
        "".encode(found.name)
    except (LookupError, TypeError):
        raise InvalidArgumentError(
            f"encoding={name!r} is no encoding; expected for instance 'utf-8', 'cp1252', 'mac_roman', 'gb18030' or "
            "'utf-16'"
        ) from None
    return "utf-8" if found.name == "utf-8-sig" else found.name


def detect_encoding(sample: bytes, *, is_whole: bool) -> str | None:
    """The encoding of a text; None if it cannot be detected.

    Parameters
    ----------
    sample
        The text, or its first part.
    is_whole
        Whether it is all of the text: else a character may be cut at its end.
    """
    for mark, name in MARKS:
        if sample.startswith(mark):
            return name
    if b"\0" in sample[:4096]:
        wide = _without_mark(sample[:4096])
        if wide is not None:
            return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, is_whole)
    except UnicodeDecodeError as error:
        # Damaged UTF-8 stays UTF-8, so that the line of the damage is named.
        return "utf-8" if _is_mostly_utf8(sample) else _legacy(sample, error.start)
    return "utf-8"


def _is_mostly_utf8(sample: bytes) -> bool:
    """Whether more characters beyond ASCII are right than wrong: in other encodings hardly any is right by chance."""
    beyond = [letter for letter in sample.decode("utf-8", errors="replace") if ord(letter) > 127]
    wrong = beyond.count("\ufffd")
    return len(beyond) - wrong > wrong


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: nearly every second byte of Western text is 0."""
    half = len(head) // 2
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if odd > half * 0.4 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.4 and odd < half * 0.1 else None


def _legacy(sample: bytes, start: int) -> str | None:
    """An 8-bit or multi-byte encoding, by the lines that have bytes beyond ASCII."""
    lines = [line for line in sample[max(0, start - 4096) :][:BLOCK].splitlines() if not line.isascii()]
    text = b"\n".join(lines)[: 1 << 16]
    high = sum(byte > 127 for byte in text)
    letters = len(re.findall(rb"[A-Za-z]", text))
    if high <= letters:
        likely = {name: _western(text, name) for name in ("cp1252", "mac_roman")}
        best = max(likely, key=lambda name: likely[name])
        if likely[best] > 0.5:
            return best
    if high < ENOUGH:
        return None
    try:
        import charset_normalizer
    except ImportError:
        return None
    found = charset_normalizer.from_bytes(text, cp_isolation=list(REGIONAL)).best()
    return str(found.encoding) if found else None


def _western(text: bytes, name: str) -> float:
    """The share of characters beyond ASCII that Western texts have."""
    beyond = [letter for letter in text.decode(name, errors="replace") if ord(letter) > 127]
    return sum(letter in WESTERN for letter in beyond) / max(len(beyond), 1)


def to_utf8(data: bytes, encoding: str) -> bytes:
    """A whole text in UTF-8.

    Parameters
    ----------
    data
        The text.
    encoding
        Its encoding.

    Raises
    ------
    UnicodeDecodeError
        If it is not in this encoding.
    """
    if encoding == "utf-8":
        if not data.isascii():
            data.decode("utf-8")
        return data
    return data.decode(encoding).encode()


class Utf8Stream(io.RawIOBase):
    """A stream of bytes in UTF-8 over one in any encoding, with the number of line ends that passed.

    Attributes
    ----------
    ends, blank : int
        Line ends, and empty lines, so far.
    nul : int or None
        The line of the first NUL byte.
    """

    def __init__(self, raw: Any, encoding: str) -> None:  # noqa: ANN401 (pyarrow publishes no types)
        super().__init__()
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(encoding)() if encoding != "utf-8" else None
        self._left = b""
        self._last = b"\n"
        self.ends = 0
        self.blank = 0
        self.nul: int | None = None

    def readable(self) -> bool:
        """It can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; empty at the end.

        Parameters
        ----------
        size
            Number of bytes; a negative one stands for a block.
        """
        while not self._left:
            block = self._raw.read(BLOCK)
            if self._decoder is not None:
                self._left = self._decoder.decode(block, not block).encode()
            else:
                self._left = block
            if not block:
                break
        size = size if size >= 0 else len(self._left)
        part, self._left = self._left[:size], self._left[size:]
        self._count(part)
        return part

    def _count(self, part: bytes) -> None:
        if not part:
            return
        if self.nul is None and b"\0" in part:
            self.nul = self.ends + part.count(b"\n", 0, part.index(b"\0")) + 1
        self.ends += part.count(b"\n")
        joined = self._last[-2:] + part
        self.blank += blank_lines(joined) - blank_lines(self._last[-2:])
        self._last = joined[-2:]

    @property
    def lines(self) -> int:
        """Lines that are not empty, so far."""
        return self.ends - self.blank + (0 if self._last.endswith(b"\n") else 1)

    def close(self) -> None:
        """Close the stream below, too."""
        self._raw.close()
        super().close()


def blank_lines(data: bytes) -> int:
    r"""The number of empty lines that follow a line end.

    Parameters
    ----------
    data
        A part of a text.

    Examples
    --------
    >>> blank_lines(b"a\n\nb\r\n\r\n\r\n"), blank_lines(b"a\nb\n")
    (3, 0)
    """
    if b"\n\n" not in data and b"\n\r\n" not in data:
        return 0
    return len(re.findall(rb"(?<=\n)\r?\n", data))
