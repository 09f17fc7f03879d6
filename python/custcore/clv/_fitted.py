"""What all models of lifetime value have: attributes of a fit, files, equality."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Self

from custcore._persistable import Persistable
from custcore.clv._estimates import Estimates, whole
from custcore.clv._fit import Fit
from custcore.clv._settings import restored
from custcore.clv._text import sentence_of_limit
from custcore.errors import BoundaryWarning, ConvergenceError, NotFittedError, SmallSampleWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from custcore import _core

__all__ = ["Fitted"]

# Below it standard errors are not to be trusted, either.
_FEW = 50


class Fitted(Persistable):
    """A model with parameters: fitted, given, or none yet."""

    _names: ClassVar[tuple[str, ...]]
    # The class of the core.
    _core_class: ClassVar[Any]

    # The model of the core; None before the fit.
    _fit_core: Any
    _settings: Any
    _n_threads: int | None
    _infos: list[_core.FitInfo]

    @property
    def params_(self) -> dict[str, float]:
        """The parameters by name."""
        return self._estimates(self._parameters_info()).params

    @property
    def log_likelihood_(self) -> float:
        """The log-likelihood, without priors."""
        return self._estimates(self._info()).log_likelihood

    @property
    def n_customers_(self) -> int | float:
        """The customers of the fit; a sum of weights if there were some."""
        return whole(self._info()["customers"])

    @property
    def standard_errors_(self) -> dict[str, float | None]:
        """Standard errors of the parameters, from the observed information; None where a limit leaves one open.

        They speak of the model on days: several purchases on a day are one, so heavy buyers
        look slower than they are, and parameters of many customers differ from those of a
        simulation by more than their standard errors.
        """
        return self._estimates(self._info()).standard_errors

    @property
    def interval_(self) -> dict[str, tuple[float, float] | None]:
        """Intervals of 95 % of the parameters, symmetric in their logarithms."""
        return self._estimates(self._info()).intervals

    @property
    def covariance_(self) -> list[list[float | None]]:
        """Covariance of the logarithms of the parameters, in the order of ``params_``; the unit does not matter."""
        return [list(row) for row in self._info()["covariance"]]

    @property
    def gradient_norm_(self) -> float:
        """Largest first derivative of the mean log-likelihood at the end."""
        return self._info()["gradient_norm"]

    @property
    def decrement_(self) -> float | None:
        """Newton decrement at the end, in units of log-likelihood; up to 1e-6 is converged.

        None where the likelihood is not concave, so that there is none.
        """
        return self._info()["decrement"]

    @property
    def n_evaluations_(self) -> int:
        """Evaluations of the likelihood, of all starts."""
        return self._info()["evaluations"]

    @property
    def aic_(self) -> float:
        """Akaike's criterion: 2 parameters - 2 log-likelihood."""
        return sum(found.aic() for found in self._parts())

    @property
    def bic_(self) -> float:
        """Schwarz's criterion: parameters * ln(customers) - 2 log-likelihood."""
        return sum(found.bic() for found in self._parts())

    @property
    def fingerprint_(self) -> str:
        """What the model was fitted on: the end of calibration, the number of customers, a hash of their counts."""
        info = self._info()
        return f"{info['calibration_end'] or '-'}/{whole(info['customers'])}/{info['fingerprint']}"

    @property
    def status_(self) -> str:
        """How the fit ended: "converged", "boundary", "not_converged"; "given" for given parameters."""
        return self._parameters_info()["status"]

    @property
    def limit_(self) -> str | None:
        """Of a fit on the boundary: "no_dropout", "equal_dropout", "equal_rate" or "point_dropout"."""
        return self._parameters_info()["limit"]

    @property
    def fit_(self) -> Fit:
        """How the search went; its text is one page."""
        return Fit(f"{type(self).__name__}", self._estimates(self._info()))

    # For the classes

    @property
    def _unit_days(self) -> float:
        return 1.0

    def _estimates(self, info: _core.FitInfo) -> Estimates:
        return Estimates(self._names, info, self._unit_days)

    def _parts(self) -> list[Estimates]:
        """Fits whose log-likelihoods add up to that of the model."""
        return [self._estimates(self._info())]

    def _ready(self) -> Any:  # noqa: ANN401 (of the core, of the class)
        """The model of the core, fitted or with given parameters."""
        if self._fit_core is None:
            name = type(self).__name__
            raise NotFittedError(f"this {name} is not fitted yet; call {self._call} first, or {name}.of_parameters")
        return self._fit_core

    _call: ClassVar[str] = "fit(summary)"

    def _parameters_info(self) -> _core.FitInfo:
        self._ready()
        return self._infos[0]

    def _info(self) -> _core.FitInfo:
        """The fit of all customers."""
        info = self._parameters_info()
        if info["status"] == "given":
            raise NotFittedError(
                f"the parameters of this {type(self).__name__} were given, so there is no fit to speak of; "
                f"call {self._call} first"
            )
        return info

    def _with(self, core: Any) -> Self:  # noqa: ANN401 (of the core)
        """A model with the same settings and another fit."""
        found = copy.copy(self)
        found._fit_core, found._infos = core, core.fits()
        return found

    def _labelled(self) -> Iterator[tuple[str, _core.FitInfo]]:
        """All fits, each with what to call it."""
        for at, info in enumerate(self._infos):
            yield ("" if at == 0 else f" of the group {self._fit_core.groups[at - 1]!r}"), info

    def _check_converged(self) -> Self:
        """Raise unless every search ended in a maximum, or at a limit."""
        failed = [of for of, info in self._labelled() if info["status"] == "not_converged"]
        if failed and self._settings.on_failure == "error":
            estimates = self._estimates(self._info())
            raise ConvergenceError(
                f"{self._failure(failed)}. Look at the starts of this error, give another start=, or a prior=; "
                "on_failure='warn' keeps the best parameters seen",
                model=self,
                params=estimates.params,
                gradient_norm=self._info()["gradient_norm"],
                starts=self.fit_.starts,
            )
        return self

    def _failure(self, failed: list[str]) -> str:
        info = self._info()
        return (
            f"the fit of {type(self).__name__}{failed[0]} found no maximum: after {info['evaluations']:,} evaluations "
            f"the mean gradient is {info['gradient_norm']:.1e}"
        )

    def _warnings(self) -> Iterator[tuple[str, type[Warning]]]:
        """What is to be warned of after a fit."""
        name = type(self).__name__
        failed = [of for of, info in self._labelled() if info["status"] == "not_converged"]
        if failed:
            yield f"{self._failure(failed)}; the best parameters seen are kept", RuntimeWarning
        for of, info in self._labelled():
            if info["status"] == "boundary":
                yield f"{name}{of}: {sentence_of_limit(info['limit'])}", BoundaryWarning
        repeat = self._infos[0]["repeat_customers"]
        if repeat < _FEW:
            yield (
                f"{name}: {whole(repeat):,} customers bought again, fewer than {_FEW}; the parameters are uncertain, "
                "and their standard errors, too",
                SmallSampleWarning,
            )

    # Files and copies

    def _can_be_saved(self) -> bool:
        return self._fit_core is not None

    def _bytes(self) -> bytes:
        found: bytes = self._ready().to_bytes(self._settings.text())
        return found

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        core, text = cls._core_class.from_bytes(data)
        model: Self = restored(text, cls)
        return model._with(core)

    def __reduce__(self) -> tuple[object, ...]:
        state = {"_n_threads": self._n_threads}
        if self._fit_core is None:
            return _unfitted, (type(self), self._settings.text()), state
        return type(self).from_bytes, (self._bytes(),), state

    def __copy__(self) -> Self:
        found = object.__new__(type(self))
        vars(found).update(vars(self))
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fitted):
            return NotImplemented
        if type(self) is not type(other) or self._settings != other._settings:
            return False
        if self._fit_core is None or other._fit_core is None:
            return self._fit_core is other._fit_core
        return self._bytes() == other._bytes()

    # Mutable: fit changes it.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        name = type(self).__name__
        shown = ", ".join(f"{key}={value!r}" for key, value in self._shown().items())
        if self._fit_core is None:
            return f"{name}({shown}), not fitted"
        numbers = ", ".join(f"{key}={value:.6g}" for key, value in self.params_.items())
        limit = f" ({self.limit_})" if self.limit_ else ""
        return f"{name}({shown}), {numbers}, {self.status_}{limit}"

    def _shown(self) -> dict[str, object]:
        """The settings that a text shows."""
        return {}


def _unfitted(kind: type[Fitted], text: str) -> Fitted:
    """A model that was pickled before it was fitted."""
    model: Fitted = restored(text, kind)
    return model
