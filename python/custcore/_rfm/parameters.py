"""Arguments of a scorer by name, as ``sklearn.base.clone`` reads and sets them; scikit-learn is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from custcore.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Parameters", "arguments_given"]


def arguments_given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments among the local names of ``__init__``."""
    return {name: value for name, value in values.items() if name not in {"self", "__class__"}}


class Parameters:
    """The methods by which scikit-learn copies an estimator."""

    __slots__ = ()

    _given: dict[str, Any]

    @property
    def _settings(self) -> dict[str, Any]:
        raise NotImplementedError

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 (as scikit-learn calls it)
        """The arguments of this scorer by name.

        Parameters
        ----------
        deep : bool, default True
            Ignored: no argument has parameters of its own.

        Returns
        -------
        dict
            The objects that were passed; of a scorer that was loaded, equal ones.
        """
        # A scorer that was loaded was not constructed by its arguments.
        return dict(self._given) if hasattr(self, "_given") else dict(self._settings)

    def set_params(self, **params: Any) -> Self:  # noqa: ANN401
        """Change arguments; the scorer is then not fitted.

        Parameters
        ----------
        params : object
            The new values by argument.

        Raises
        ------
        InvalidArgumentError
            If there is no argument of a name.
        """
        known = self.get_params()
        unknown = [name for name in params if name not in known]
        if unknown:
            raise InvalidArgumentError(
                f"{type(self).__name__} has no argument {unknown[0]!r}; its arguments are {', '.join(known)}"
            )
        if params:
            type(self).__init__(self, **known | params)
        return self
