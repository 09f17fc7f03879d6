"""Settings: ``custcore.toml`` as a map of defaults for click, and where the value of an option came from.

Top-level keys are for all verbs, those of a table such as ``[rfm]`` for that verb. Keys are names of options.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import io
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "FILE_NAME",
    "META",
    "Settings",
    "environment_names",
    "found_file",
    "key",
    "origin",
    "proposal",
    "read",
    "settable",
    "words",
]

FILE_NAME = "custcore.toml"
# Where a context keeps the settings file it was given.
META = "custcore.settings"


@dataclass(frozen=True)
class Settings:
    """A settings file.

    Attributes
    ----------
    path : Path
        Where it is.
    text : str
        What is in it.
    tables : dict
        The same, parsed.
    """

    path: Path
    text: str
    tables: dict[str, Any]

    def values(self, context: click.Context) -> dict[str, Any]:
        """Values of the options of a verb, by the names that click has for them.

        Parameters
        ----------
        context
            Of the verb.

        Raises
        ------
        click.UsageError
            If a table or a key is unknown, or a value is of a type that no option has.
        """
        self._check(context.find_root().command, self.tables, ())
        options = {key(option): option for option in settable(context.command)}
        found: dict[str, Any] = {}
        for table, given in self._levels(words(context)):
            for name, value in given.items():
                option = options.get(_dashed(name))
                if option is not None and not isinstance(value, dict):
                    found[str(option.name)] = self._as_typed(option, value, self.place(table, name))
        return found

    def place(self, table: tuple[str, ...], name: str) -> str:
        """The file and the line of a key."""
        line = _line(self.text, table, name)
        return f"{self.path.name}, line {line}" if line else self.path.name

    def place_of(self, context: click.Context, option: click.Option) -> str:
        """The file and the line of what applies to an option."""
        for table, given in reversed(list(self._levels(words(context)))):
            for name in given:
                if _dashed(name) == key(option):
                    return self.place(table, name)
        return self.path.name

    def _levels(self, verb: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
        """The tables that apply to a verb, the most special one last."""
        for depth in range(len(verb) + 1):
            table: Any = self.tables
            for word in verb[:depth]:
                table = table.get(word, {}) if isinstance(table, dict) else {}
            if isinstance(table, dict):
                yield verb[:depth], table

    def _check(self, command: click.Command, given: Mapping[str, Any], table: tuple[str, ...]) -> None:
        """Raise for what is neither a verb nor an option of a verb below `command`."""
        verbs: Mapping[str, click.Command] = getattr(command, "commands", {})
        options = {key(option) for below in _leaves(command) for option in settable(below)}
        for name, value in given.items():
            if isinstance(value, dict) and name in verbs:
                self._check(verbs[name], value, (*table, name))
            elif isinstance(value, dict):
                title = ".".join((*table, name))
                line = _line(self.text, (*table, name), None)
                near = proposal(name, [] if table else list(verbs))
                known = ", ".join(f"[{'.'.join((*table, verb))}]" for verb in verbs)
                hint = near or (f"; the tables are {known}" if known else "")
                raise click.UsageError(f"{self.path.name}{f', line {line}' if line else ''}: no verb [{title}]{hint}")
            elif _dashed(name) not in options:
                what = f"[{'.'.join(table)}] has no option" if table else "no verb has the option"
                near = proposal(_dashed(name), list(options))
                raise click.UsageError(f"{self.place(table, name)}: {what} {name!r}{near}")

    def _as_typed(self, option: click.Option, value: object, place: str) -> Any:  # noqa: ANN401
        """A value as the command line would give it: text, a list of texts, or true and false."""
        if isinstance(value, list):
            parts = [self._text(option, part, place) for part in value]
            if option.multiple:
                return parts
            if getattr(option.type, "is_list", False):
                line = io.StringIO()
                csv.writer(line, lineterminator="").writerow(parts)
                return line.getvalue()
            raise click.UsageError(f"{place}: {key(option)} takes one value, not a list")
        if option.is_flag:
            return value if isinstance(value, bool) else str(value)
        text = self._text(option, value, place)
        return [text] if option.multiple else text

    def _text(self, option: click.Option, value: object, place: str) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float | dt.date | dt.time):
            kind = {bool: "true or false", list: "a list", dict: "a table"}.get(type(value), type(value).__name__)
            raise click.UsageError(f"{place}: {key(option)} is {kind}; expected text or a number")
        if isinstance(value, dt.date | dt.time):
            return value.isoformat()
        if isinstance(value, str) and isinstance(option.type, click.Path) and value not in {"", "-"}:
            return str(self.path.parent / Path(value).expanduser())
        return str(value)


def read(path: Path) -> Settings:
    """Read a settings file.

    Parameters
    ----------
    path
        Where it is.

    Raises
    ------
    click.UsageError
        If it cannot be read or is no TOML.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return Settings(path.resolve(), text, tomllib.loads(text))
    except OSError as error:
        raise click.UsageError(f"the settings file {path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{path}: the file is not in UTF-8, as TOML is (byte {error.start})") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise click.UsageError(f"{path}: the file is not TOML: {str(error) or 'nested too deep'}") from error


def found_file(start: Path) -> Path | None:
    """Find the settings file of a folder: in it, or in its parents up to the home folder or the root of a repository.

    A folder that is neither below the home folder nor in a repository is looked at alone: its parents, such as
    ``/tmp``, may belong to others.

    Parameters
    ----------
    start
        The folder.
    """
    start = start.resolve()
    try:
        home: Path | None = Path.home().resolve()
    except RuntimeError:  # no home folder is known
        home = None
    looked_at = []
    for folder in (start, *start.parents):
        looked_at.append(folder)
        if folder == home or os.path.exists(folder / ".git"):  # noqa: PTH110 (false if it may not be looked at)
            break
    else:
        looked_at = [start]
    return next((folder / FILE_NAME for folder in looked_at if os.path.isfile(folder / FILE_NAME)), None)  # noqa: PTH113


def key(option: click.Parameter) -> str:
    """The name of an option in a settings file: its long flag without dashes.

    Parameters
    ----------
    option
        An option of a verb.
    """
    flag = next((flag for flag in option.opts if flag.startswith("--")), option.opts[0])
    return flag.lstrip("-")


def settable(command: click.Command) -> list[click.Option]:
    """The options of a verb that a settings file may have."""
    return [
        option for option in command.params if isinstance(option, click.Option) and getattr(option, "is_setting", False)
    ]


def words(context: click.Context) -> tuple[str, ...]:
    """The words of a verb: ``("rfm",)``.

    Parameters
    ----------
    context
        Of the verb.
    """
    found: list[str] = []
    step: click.Context | None = context
    while step is not None and (step.parent is not None or not found):
        found.append(str(step.command.name))
        step = step.parent
    return tuple(reversed(found))


def environment_names(context: click.Context, option: click.Option) -> list[str]:
    """The environment variables of an option, those for this verb first.

    Parameters
    ----------
    context
        Of the verb.
    option
        One of its options.
    """
    own = _variable(*words(context), key(option))
    # CUSTCORE_COHORT_BY is --by of the verb cohort, and not --cohort-by of all verbs.
    others = {_variable(*words(context), key(other)) for other in settable(context.command) if other is not option}
    names = [
        own,
        *(_variable(*words(context)[:depth], key(option)) for depth in range(len(words(context)) - 1, -1, -1)),
    ]
    if option.name == "n_threads":
        names.append("CUSTCORE_NUM_THREADS")  # of the library, which ignores what is no number
        if not re.fullmatch(r"0*[1-9][0-9]*", os.environ.get(names[-1], "").strip()):
            names.pop()
    return [name for name in names if name == own or name not in others]


def origin(context: click.Context, option: click.Option) -> str:
    """Where the value of an option came from, e.g. ``--as-of``, ``CUSTCORE_AS_OF``, ``custcore.toml, line 3``.

    Parameters
    ----------
    context
        Of the verb.
    option
        One of its options.
    """
    source = context.get_parameter_source(str(option.name))
    if source is click.core.ParameterSource.ENVIRONMENT:
        return next(name for name in environment_names(context, option) if os.environ.get(name))
    if source is click.core.ParameterSource.DEFAULT_MAP:
        settings = context.meta.get(META)
        return settings.place_of(context, option) if settings else FILE_NAME
    return "default" if source is click.core.ParameterSource.DEFAULT else f"--{key(option)}"


def proposal(name: str, there: list[str]) -> str:
    """``; did you mean 'x'?``, or nothing."""
    near = difflib.get_close_matches(name, sorted(there), 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _leaves(command: click.Command) -> Iterator[click.Command]:
    below = getattr(command, "commands", None)
    if below is None:
        yield command
    for verb in (below or {}).values():
        yield from _leaves(verb)


def _variable(*parts: str) -> str:
    return "_".join(("CUSTCORE", *parts)).upper().replace("-", "_")


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _line(text: str, table: tuple[str, ...], name: str | None) -> int | None:
    """The line of a key, or of the title of a table; None where it is written in another way, e.g. dotted."""
    at: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        title = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        if title:
            at = tuple(part.strip().strip("\"'") for part in title[1].split("."))
            if name is None and at == table:
                return number
        found = re.match(r"\s*([\w-]+|\"[^\"]*\"|'[^']*')\s*=", line)
        if found and at == table and found[1].strip("\"'") == name:
            return number
    return None
