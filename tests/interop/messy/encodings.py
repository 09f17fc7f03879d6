"""Encodings, and bytes that are no text."""

from __future__ import annotations

from tests.interop.messy.case import Case, csv
from tests.interop.messy.text import HEAD, SALES

__all__ = ["CASES"]

WESTERN = HEAD + "Jörg Müller,2026-01-05,1.5\nZoë Français,2026-01-06,2.25\n"
FEW_WORDS = HEAD + "张伟,2026-01-05,1.5\n北京公司,2026-01-06,2.25\n"
CHINESE = HEAD + "张伟,2026-01-05,1.5\n北京公司,2026-01-06,2.25\n" * 12
JAPANESE = HEAD + "田中太郎,2026-01-05,1.5\n東京の店,2026-01-06,2.25\n" * 12
RUSSIAN = HEAD + "Иван Петров,2026-01-05,1.5\nМария,2026-01-06,2.25\n" * 12

CASES = [
    Case(
        "bom.csv",
        "UTF-8 with a byte order mark",
        "the mark is no part of the first name",
        b"\xef\xbb\xbf" + SALES.encode(),
        csv(encoding="utf-8-sig"),
    ),
    Case(
        "utf16_le_bom.csv",
        "UTF-16 little endian with a mark",
        "read",
        b"\xff\xfe" + SALES.encode("utf-16-le"),
        csv(encoding="utf-16"),
        note="utf-16",
    ),
    Case(
        "utf16_be_bom.csv",
        "UTF-16 big endian with a mark",
        "read",
        b"\xfe\xff" + SALES.encode("utf-16-be"),
        csv(encoding="utf-16"),
        note="utf-16",
    ),
    Case(
        "utf16_le.csv",
        "UTF-16 little endian without a mark",
        "read",
        SALES.encode("utf-16-le"),
        csv(encoding="utf-16-le"),
        note="utf-16-le",
    ),
    Case(
        "utf16_be.csv",
        "UTF-16 big endian without a mark",
        "read",
        SALES.encode("utf-16-be"),
        csv(encoding="utf-16-be"),
        note="utf-16-be",
    ),
    Case(
        "cp1252.csv",
        "Windows code page of Western Europe",
        "names with umlauts",
        WESTERN.encode("cp1252"),
        csv(encoding="cp1252"),
        note="cp1252",
    ),
    Case(
        "mac_roman.csv",
        "old Mac encoding",
        "names with umlauts",
        WESTERN.encode("mac_roman"),
        csv(encoding="mac_roman"),
        note="mac_roman",
    ),
    Case("gbk.csv", "Chinese GBK", "Chinese names", CHINESE.encode("gbk"), csv(encoding="gbk"), note="gb18030"),
    Case(
        "shift_jis.csv",
        "Japanese Shift-JIS",
        "Japanese names",
        JAPANESE.encode("shift_jis"),
        csv(encoding="shift_jis"),
        note="shift_jis",
    ),
    Case(
        "cp1251.csv",
        "Windows code page of Russian",
        "Russian names",
        RUSSIAN.encode("cp1251"),
        csv(encoding="cp1251"),
        note="cp1251",
    ),
    Case(
        "few_words.csv",
        "a few words of a regional encoding, which may be Chinese or Korean",
        "not guessed: told to say the encoding",
        FEW_WORDS.encode("gbk"),
        error=("not UTF-8", "encoding"),
    ),
    Case(
        "one_bad_byte.csv",
        "UTF-8 in which one byte is broken",
        "no other encoding is guessed: the line is named",
        (HEAD + "Jörg,2026-01-05,1\n" * 20).encode() + b"J\xf6rg,2026-01-05,1\n",
        error=("utf-8", "line 22", "encoding"),
    ),
    Case(
        "nul_bytes.csv",
        "NUL bytes within cells",
        "damage is named, with its line",
        SALES.replace("bob", "b\0b").encode(),
        error=("NUL", "line 3"),
    ),
    Case(
        "nul_tail.csv",
        "NUL bytes at the end, from a crash while writing",
        "damage is named",
        SALES.encode() + b"\0" * 64,
        error=("NUL", "line 5"),
    ),
]
