"""Words of expressions: names of columns (also with spaces, or in double quotes), numbers, texts, signs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from custcore.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["check_depth", "tokens"]

NUMBER = re.compile(r"\d+(\.\d+)?(?![\w.])|\.\d+(?![\w.])")
TEXT = re.compile(r"'((?:[^']|'')*)'")
QUOTED = re.compile(r'"((?:[^"]|"")*)"|`([^`]*)`|\[([^\]]*)\]')
WORD = re.compile(r"\w+")
# Brackets, signs and negations within one another; parsers recurse for each.
DEPTH = 50


def tokens(
    text: str, names: Sequence[str], signs: Sequence[str], words: Sequence[str] = ()
) -> list[tuple[str, Any]] | None:
    """The tokens of an expression: ("column", name), ("number", text), ("text", text), ("sign", sign), ("word", word).

    Parameters
    ----------
    text
        The expression.
    names
        The columns; the longest that fits is taken.
    signs
        Operators and brackets, the longest first.
    words
        Key words, in lower case.

    Returns
    -------
    list or None
        None if some part is none of these.
    """
    ordered = sorted((name for name in set(names) if name), key=len, reverse=True)
    found: list[tuple[str, Any]] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        name = next((one for one in ordered if text.startswith(one, at) and _ends(text, at, one)), None)
        quoted, literal, number, word = (pattern.match(text, at) for pattern in (QUOTED, TEXT, NUMBER, WORD))
        sign = next((one for one in signs if text.startswith(one, at)), None)
        if word and word.group().lower() in words and word.group() not in names:
            found.append(("word", word.group().lower()))
            at = word.end()
        elif name is not None:
            found.append(("column", name))
            at += len(name)
        elif quoted and (column := next(g for g in quoted.groups() if g is not None).replace('""', '"')) in names:
            found.append(("column", column))
            at = quoted.end()
        elif literal:
            found.append(("text", literal.group(1).replace("''", "'")))
            at = literal.end()
        elif number:
            found.append(("number", number.group()))
            at = number.end()
        elif sign:
            found.append(("sign", sign))
            at += len(sign)
        else:
            return None
    return found


def check_depth(text: str, found: Sequence[tuple[str, Any]]) -> None:
    """Raise if brackets, signs or negations are nested too deeply.

    Parameters
    ----------
    text
        The expression.
    found
        Its tokens.

    Raises
    ------
    InvalidArgumentError
        If they are nested deeper than any sensible expression is.
    """
    depth = run = 0
    for token in found:
        depth += {("sign", "("): 1, ("sign", ")"): -1}.get(token, 0)
        run = run + 1 if token in {("sign", "-"), ("word", "not")} else 0
        if depth + run > DEPTH:
            raise InvalidArgumentError(f"{text[:60]!r}... is nested more than {DEPTH} levels deep; simplify it")


def _ends(text: str, at: int, name: str) -> bool:
    """Whether a name is not the beginning of a longer word."""
    after = text[at + len(name) : at + len(name) + 1]
    return not (re.match(r"\w", after) and re.match(r"\w", name[-1]))
