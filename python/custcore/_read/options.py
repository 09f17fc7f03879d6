"""How files are to be read: what the caller says; None is detected."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ID_ROLES", "Reading"]

# Arguments of custcore's functions that name columns of ids.
ID_ROLES = frozenset({"customer_id", "order_id"})


@dataclass(frozen=True)
class Reading:
    """The options of `custcore.read`, checked.

    Attributes
    ----------
    words : bool
        Whether messages name options of the command line instead of arguments.
    text_ids : bool
        Whether all ids are text.
    """

    format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    names: tuple[str, ...] | None = None
    text: frozenset[str] = field(default_factory=frozenset)
    timestamp_format: tuple[str, ...] = ()
    where: str | None = None
    sheet: str | int | None = None
    text_ids: bool = False
    words: bool = False

    def option(self, name: str, value: str) -> str:
        """An option with a value, as the caller would write it.

        Parameters
        ----------
        name
            Name of the argument.
        value
            Its value.

        Examples
        --------
        >>> (
        ...     Reading().option("decimal", ","),
        ...     Reading(words=True).option("timestamp_format", "%d.%m.%Y"),
        ... )
        ("decimal=','", "--timestamp-format '%d.%m.%Y'")
        """
        if not self.words:
            return f"{name}={value!r}" if name != "text" else f"text=[{value!r}]"
        if name == "text":
            return "--text-ids"
        return f"--{name.replace('_', '-')} '{value}'"
