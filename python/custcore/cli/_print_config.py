"""``--print-config``: what a verb would run with, as a settings file that says where each value comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custcore._options.option import GROUPS
from custcore.cli import _settings
from custcore.presets import PRESETS

if TYPE_CHECKING:
    import click

__all__ = ["effective"]


def effective(context: click.Context) -> str:
    """The settings of a verb as TOML; defaults are comments, as an option that is set may exclude another.

    Parameters
    ----------
    context
        Of the verb, with its options parsed.
    """
    verb = _settings.words(context)
    settings = context.meta.get(_settings.META)
    lines = [
        f"# Settings of `custcore {' '.join(verb)}`. Lines that begin with # are defaults.",
        f"# {f'Settings file: {settings.path}' if settings else 'There is no settings file.'}",
        "",
        f"[{'.'.join(verb)}]",
    ]
    for group in GROUPS:
        found = [_line(context, option) for option in _settings.settable(context.command) if _group(option) == group]
        lines += ["", f"# {group}", *found] if found else []
    return "\n".join(lines) + "\n"


def _line(context: click.Context, option: click.Option) -> str:
    name = _settings.key(option)
    value = context.params.get(str(option.name))
    origin = _settings.origin(context, option)
    if origin == "default":
        preset = PRESETS.get(str(context.params.get("preset")), {})
        if option.name in preset:
            return f"# {name} = {_toml(preset[option.name])}  # the preset"
        stated = getattr(option, "stated_default", "")
        if stated:
            return f"# {name}: {stated}"
        return f"# {name} = {_toml(value)}" if _is_set(value) else f"# {name}: not set"
    return f"{name} = {_toml(value)}  # {origin}"


def _group(option: click.Option) -> str:
    return str(getattr(option, "group", GROUPS[-1]))


def _is_set(value: object) -> bool:
    return value is not None and value != ()


def _toml(value: Any) -> str:  # noqa: ANN401 (what click's types convert to)
    """A value as TOML has it. The strings of JSON are strings of TOML, but for DEL, which TOML escapes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Path) and str(value) != "-":
        value = value.absolute()
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
