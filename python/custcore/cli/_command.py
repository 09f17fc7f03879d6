"""Click's classes, extended: help shows groups and examples, options have settings, errors are one paragraph.

The value of an option is, in this order, that of the command line, of the environment, of ``custcore.toml``, or its
default. The first three steps are click's own.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from custcore._options.option import GROUPS
from custcore.cli import _settings
from custcore.cli._failure import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Argument", "Command", "Example", "Group", "Option", "argument", "command", "group", "option"]

Function = TypeVar("Function", bound="Callable[..., Any]")

# The widest flags that have their text beside them.
FLAGS = 30
# The longest remark that stays on one line.
UNBROKEN = 36
HARD_SPACE = "\xa0"  # where `textwrap` breaks no line
# In the context of a verb: whether its settings are printed, and whether no settings file is read.
PRINT, NO_FILE = "custcore.print", "custcore.no_file"


class Example(NamedTuple):
    """A command line that help shows, and a test runs.

    Attributes
    ----------
    does : str
        What it does, in a few words.
    line : str
        The command line, as it is typed.
    """

    does: str
    line: str


class Option(click.Option):
    """An option in a group of the help text, whose value may come from the environment or a settings file.

    Parameters
    ----------
    group
        The section of help it is in, one of `GROUPS`.
    stated_default
        The default in words, if click does not know it.
    is_setting
        Whether a settings file may have it.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 (click's own)
        group: str,
        stated_default: str = "",
        is_setting: bool = True,
        **given: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*args, **given)
        if group not in GROUPS:
            raise ValueError(f"{self.name}: the group {group!r} is none of {', '.join(GROUPS)}")
        self.group = group
        self.stated_default = stated_default
        self.is_setting = is_setting

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The variable of the verb, else that of all verbs; an empty one counts as not set."""
        if not self.allow_from_autoenv:
            return None
        values = (os.environ.get(name) for name in _settings.environment_names(ctx, self))
        return next((value for value in values if value), None)

    def value_from_envvar(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's own)
        """The variable's value; of an option that may be repeated, one value per line: formats have spaces."""
        value = self.resolve_envvar_value(ctx)
        return value.splitlines() if self.multiple and value is not None else super().value_from_envvar(ctx)

    def consume_value(self, ctx: click.Context, opts: Any) -> Any:  # noqa: ANN401 (click's own)
        """Take the value, and note where it came from: click 8.4 does so only after the conversion."""
        value, source = super().consume_value(ctx, opts)
        ctx.set_parameter_source(str(self.name), source)
        return value, source

    def process_value(self, ctx: click.Context, value: Any) -> Any:  # noqa: ANN401 (click's own)
        """Convert the value; an error says where it came from, if it was not typed."""
        try:
            return super().process_value(ctx, value)
        except click.MissingParameter:
            if ctx.meta.get(PRINT):
                return None
            raise
        except click.BadParameter as error:
            source = ctx.get_parameter_source(str(self.name))
            if source not in {click.core.ParameterSource.ENVIRONMENT, click.core.ParameterSource.DEFAULT_MAP}:
                raise
            text = f"{error.message.rstrip('.')} ({_settings.origin(ctx, self)})"
            raise click.BadParameter(text, ctx=error.ctx, param=error.param, param_hint=error.param_hint) from error

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Flags and text; a short remark in brackets, such as the default, is not broken into two lines."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        text = re.sub(r"(\d+)<=x<=(\d+)", r"\1 to \2", record[1].replace("  [", " ["))
        text = re.sub(r" \[x>=\d+\]$|; x>=\d+(?=\]$)", "", text)  # a number from 0 or 1 goes without saying
        text, bracket, remark = text.rpartition(" [")
        if bracket and len(remark) < UNBROKEN:
            remark = remark.replace(" ", HARD_SPACE)
        return record[0], text + bracket + remark


class Argument(click.Argument):
    """A positional argument; ``--print-config`` needs none."""

    def process_value(self, ctx: click.Context, value: Any) -> Any:  # noqa: ANN401 (click's own)
        """Convert the value."""
        try:
            return super().process_value(ctx, value)
        except click.MissingParameter:
            if ctx.meta.get(PRINT):
                return None
            raise


class _Sections:
    """Layout of the help of commands and of groups of commands."""

    examples: tuple[Example, ...] = ()

    def get_help(self, ctx: click.Context) -> str:
        """The text of ``--help``."""
        return super().get_help(ctx).replace(HARD_SPACE, " ")  # type: ignore[misc, no-any-return]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group of options, all with the same columns."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):  # type: ignore[attr-defined]
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "group", GROUPS[-1]), []).append(record)
        _write_sections(formatter, [(name, sections[name]) for name in GROUPS if name in sections])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each on a line of its own that can be copied."""
        if self.examples:
            with formatter.section("Examples"):
                for does, line in self.examples:
                    formatter.write_text(f"{does}:")
                    formatter.write(f"{'':{formatter.current_indent}}  {line}\n")
        super().format_epilog(ctx, formatter)  # type: ignore[misc]


class Command(_Sections, click.Command):
    """A verb.

    Parameters
    ----------
    examples
        Shown at the end of its help.
    """

    def __init__(self, *args: Any, examples: Iterable[tuple[str, str]] = (), **given: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **given)
        self.examples = tuple(Example(*example) for example in examples)
        self.params += _settings_options()

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's own)
        """Run the verb, or print its settings."""
        if not ctx.meta.get(PRINT):
            try:
                return super().invoke(ctx)
            except (click.exceptions.Exit, click.Abort, BrokenPipeError):
                raise
            except Exception as error:
                raise failure(error, ctx) from error
        from custcore.cli._print_config import effective

        click.echo(effective(ctx), nl=False)
        return None


class Group(_Sections, click.Group):
    """Verbs below a verb.

    Parameters
    ----------
    examples
        Shown at the end of its help.
    """

    command_class = Command

    def __init__(self, *args: Any, examples: Iterable[tuple[str, str]] = (), **given: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **given)
        self.examples = tuple(Example(*example) for example in examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs first: their names are what is looked for."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


def command(name: str, *, short_help: str, examples: Iterable[tuple[str, str]]) -> Callable[[Function], Command]:
    """Make a verb of a function whose docstring is its help.

    Parameters
    ----------
    name
        The verb.
    short_help
        Its line in the list of verbs.
    examples
        What an example does, and its command line. A test runs them.
    """
    return click.command(name, cls=Command, short_help=short_help, examples=examples)


def group(
    name: str, *, short_help: str, examples: Iterable[tuple[str, str]] = (), epilog: str | None = None
) -> Callable[[Function], Group]:
    """Make a group of verbs of a function whose docstring is its help.

    Parameters
    ----------
    name
        The verb that the others are below.
    short_help
        Its line in the list of verbs.
    examples
        What an example does, and its command line. A test runs them.
    epilog
        The end of its help.
    """
    return click.group(name, cls=Group, short_help=short_help, examples=examples, epilog=epilog)


def option(*flags: str, group: str, **given: Any) -> Callable[[Function], Function]:  # noqa: ANN401 (click's own)
    """Create an option that is not in the table of options.

    Parameters
    ----------
    flags
        Its flags, and perhaps the name of the argument.
    group
        The section of help it is in, one of `GROUPS`.
    given
        What `click.option` takes.
    """
    return click.option(*flags, cls=Option, group=group, **given)


def argument(*names: str, **given: Any) -> Callable[[Function], Function]:  # noqa: ANN401 (click's own)
    """Create a positional argument.

    Parameters
    ----------
    names
        The name of the argument.
    given
        What `click.argument` takes.
    """
    return click.argument(*names, cls=Argument, **given)


def _settings_options() -> list[click.Parameter]:
    """The options of every verb about settings; click reads them before all others."""
    return [
        Option(
            ["--config", "config"],
            group="General",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="PATH",
            help="Settings file. [default: custcore.toml of this folder, or of a parent in the home or repository]",
            is_eager=True,
            expose_value=False,
            is_setting=False,
            callback=_use_config,
        ),
        Option(
            ["--no-config", "no_config"],
            group="General",
            is_flag=True,
            help="Read no settings file.",
            is_eager=True,
            expose_value=False,
            is_setting=False,
            callback=_use_no_config,
        ),
        Option(
            ["--print-config", "print_config"],
            group="General",
            is_flag=True,
            help="Print the settings of this command as a settings file, with where each comes from.",
            is_eager=True,
            expose_value=False,
            is_setting=False,
            allow_from_autoenv=False,
            callback=_use_print,
        ),
    ]


def _use_print(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    ctx.meta[PRINT] = value


def _use_no_config(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and ctx.get_parameter_source("config") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--config and --no-config exclude each other")
    if value:
        ctx.meta[NO_FILE] = True
        ctx.default_map = None


def _use_config(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    """Make what the settings file says the defaults of the verb."""
    if ctx.resilient_parsing:
        return
    if ctx.meta.get(NO_FILE):
        if ctx.get_parameter_source(str(param.name)) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError("--config and --no-config exclude each other")
        return
    path = value or _settings.found_file(Path())
    if path is not None:
        settings = _settings.read(path)
        ctx.meta[_settings.META] = settings
        ctx.default_map = settings.values(ctx)


def _write_sections(formatter: click.HelpFormatter, sections: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
    """Write tables with titles, whose second columns begin at the same place."""
    lengths = [len(flags) for _, rows in sections for flags, _ in rows]
    width = max((length for length in lengths if length <= FLAGS), default=0)
    for name, rows in sections:
        with formatter.section(name):
            formatter.write_dl([(f"{flags:<{width}}", text) for flags, text in rows], col_max=width)
