"""Messages of the library in the words of the command line: arguments become options, Python code is left out.

Errors of the library name arguments (``as_of='x'``, ``pass on_null='drop'``), as its callers write them. Here are the
only rules by which the command line says the same: an argument that the verb has as an option is written as that
option, with its value as a shell takes it; advice about another argument, or as code, is left out, as it cannot be
followed.
"""

from __future__ import annotations

import ast
import difflib
import re
import shlex
from typing import TYPE_CHECKING, Any

import click

from custcore._options import (
    affinity,
    allocation,
    bases,
    churn,
    clusters,
    clv,
    cohorts,
    effects,
    funnels,
    lifecycles,
    next_category,
    portraits,
    preferences,
    reading,
    scores,
    transactions,
)
from custcore.cli import _settings

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ARGUMENTS", "Whole", "Word", "in_words", "is_about_argument"]

# All arguments that messages may name.
ARGUMENTS = frozenset(
    option.name
    for group in (
        transactions.RFM,
        scores.SCORING,
        scores.QUANTILES,
        scores.SCORED,
        cohorts.COHORT,
        clusters.SEGMENTED,
        clusters.KMEANS,
        clusters.SCALER,
        bases.BASE,
        bases.TRANSITIONS,
        churn.MODEL,
        churn.BACKTEST,
        funnels.FUNNEL_STEPS,
        funnels.FUNNEL,
        (funnels.MONTH,),
        lifecycles.MODEL,
        lifecycles.COUNTS,
        portraits.PORTRAIT,
        portraits.NPS,
        clv.SUMMARY,
        clv.MODEL,
        clv.PREDICT,
        effects.OF_BASE,
        effects.PLAN,
        affinity.BASKETS,
        affinity.PAIRS,
        affinity.RULES,
        allocation.ALLOCATE,
        allocation.CONTACTS,
        preferences.PREFERENCES,
        preferences.PROMOTION,
        next_category.MODEL,
        next_category.RECOMMEND,
        next_category.BACKTEST,
        (bases.BATCH_ID, bases.COMMIT_EVERY),
        reading.READING,
    )
    for option in group
)

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_VALUE = rf"{_QUOTED}|\[[^\]]*\]|\([^)]*\)|\{{[^}}]*\}}|[^\s,;:.)]+(?:\.\d+)?"
_NAMES = "|".join(sorted(ARGUMENTS, key=len, reverse=True))
# Quoted text is data, such as the name of a column, unless it is the value of an argument.
_TOKEN = re.compile(
    rf"(?<![\w.])(?P<name>{_NAMES})=(?P<value>{_VALUE})?"
    rf"|(?<!\w)(?:{_QUOTED})(?!\w)"
    rf"|(?<![\w-])--[a-z][a-z-]*(?: (?:{_QUOTED}|\S+))?"  # an option already
    rf"|(?<![\w./\\-])(?P<bare>{_NAMES})(?![\w(]|[./\\-]\w)"
)
# Of bare words those with an underscore are arguments for sure, and those after a verb of advice.
_ADVICE = re.compile(r"\b(?:omit|lower|pass|give|set|use)\s+$", re.IGNORECASE)
_CODE = re.compile(
    r"(?<![\w'])(?:pd|pl|pc|df|lf|np|pandas|polars|pyarrow|duckdb|custcore|base|scorer)[.\[]\w|"
    r"\bfit_\.\w|\w\.\w+\(|(?<!\w)\.\w+\(|(?<!\w)(?:rfm|rfm_scores|cohort_retention|profile|seal|fit|scan)\("
)
_ONE_OF = re.compile(r"='([^']*)' is invalid; expected one of ((?:'[^']*'(?:, )?)+)")
# Columns of files are not cast by the command line.
_CAST = re.compile(r"^(?:Cast|Convert) it first\b")
_SENTENCE = re.compile(r"(?<=[.?!])(?<!e\.g\.)\s+(?=[A-Za-z-])")
# Where another piece of advice begins.
_CLAUSE = re.compile(r"(, e\.g\. |, or |; | or |: )")


def in_words(message: str, command: click.Command | None, paths: Iterable[str] = ()) -> str:
    """A message of the library as the command line says it.

    Parameters
    ----------
    message
        What an error says.
    command
        The verb, whose options are meant; without one only code is left out.
    paths
        Names of files, which are left as they are.

    Examples
    --------
    >>> from custcore.cli._rfm import command
    >>> in_words("returns='x' is invalid. Use returns='net', or base.rfm()", command)
    '--returns x is invalid. Use --returns net'
    """
    parameters = command.params if command else []
    options = {str(option.name): option for option in parameters if isinstance(option, click.Option)}
    kept = {name: f"\ue000{i}\ue001" for i, name in enumerate(sorted(paths, key=len, reverse=True)) if name}
    for name, mark in kept.items():
        message = message.replace(name, mark)
    first, *others = _SENTENCE.split(message)
    said = [_to_be_followed(first, options, keeps_head=True)]
    said += filter(None, (_to_be_followed(sentence, options) for sentence in others))
    text = _translated(" ".join(said), options) + _proposal(message)
    for name, mark in kept.items():
        text = text.replace(mark, name)
    return text


def _proposal(message: str) -> str:
    """What was perhaps meant, where a message lists what may be given."""
    found = _ONE_OF.search(message)
    near = difflib.get_close_matches(found[1], re.findall(r"'([^']*)'", found[2]), 1, 0.6) if found else []
    return f". Did you mean {near[0]!r}?" if near else ""


def is_about_argument(message: str) -> bool:
    """Whether a message begins with an argument and its value, so that not the data are wrong but the call.

    Parameters
    ----------
    message
        What an error of the library says.
    """
    found = _TOKEN.match(message)
    return found is not None and bool(found["name"])


def _translated(text: str, options: dict[str, click.Option]) -> str:
    def word(found: re.Match[str]) -> str:
        name = found["name"] or found["bare"]
        if not name or name not in options:
            return found[0]
        if found["name"]:
            if text[: found.start()].endswith("customer "):  # a column and the id in it: no option
                return found["value"] or found[0]
            return _as_option(options[name], found["value"] or "")
        is_meant = "_" in name or found.start() == 0 or _ADVICE.search(text[: found.start()])
        return f"--{_settings.key(options[name])}" if is_meant else name

    return _TOKEN.sub(word, text)


def _as_option(option: click.Option, value: str) -> str:
    """``--as-of 2026-01-31`` for ``as_of='2026-01-31'``."""
    flag = f"--{_settings.key(option)}"
    if not value:
        return flag
    try:
        given: Any = ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        given = value
    if given is None:
        return {"amount": "--no-amount", "segments": "--segments none"}.get(str(option.name), f"no {flag}")
    if isinstance(given, list | tuple):
        given = ",".join("COLUMN,..." if one is ... else str(one) for one in given)
    return f"{flag} {shlex.quote(str(given))}"


def _to_be_followed(sentence: str, options: dict[str, click.Option], *, keeps_head: bool = False) -> str:
    """What of a sentence can be followed on the command line; the head of the first says what is wrong, and stays."""
    if _can_be_followed(sentence, options):
        return sentence
    head, *parts = _CLAUSE.split(sentence.rstrip("."))
    clauses = [("", head), *zip(parts[::2], parts[1::2], strict=True)]
    kept = [
        (sign, clause)
        for i, (sign, clause) in enumerate(clauses)
        if (keeps_head and i == 0) or _can_be_followed(clause, options)
    ]
    text = "".join(clause if i == 0 else sign + clause for i, (sign, clause) in enumerate(kept)).strip()
    text = text if keeps_head else text[:1].upper() + text[1:]
    return text + ("." if text and sentence.endswith(".") else "")


def _can_be_followed(text: str, options: dict[str, click.Option]) -> bool:
    """Whether no word of a text is code, or an argument that is no option of the verb."""
    named = {
        found["name"] or found["bare"]
        for found in _TOKEN.finditer(text)
        if found["name"] or "_" in (found["bare"] or "")
    }
    if _CAST.match(text):
        return False
    return named <= set(options) and not _CODE.search(re.sub(rf"(?<!\w)(?:{_QUOTED})(?!\w)", "''", text))


class Whole(click.IntRange):
    """A whole number."""

    name = "whole number"


class Word(click.Choice[str]):
    """One of some words; an error proposes the nearest one."""

    def __init__(self, choices: Iterable[str]) -> None:
        super().__init__(list(choices))

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:  # noqa: ANN401 (click's own)
        """What is wrong, and what was perhaps meant."""
        near = difflib.get_close_matches(str(value), list(self.choices), 1, 0.6)
        return super().get_invalid_choice_message(value, ctx) + (f" Did you mean {near[0]!r}?" if near else "")
