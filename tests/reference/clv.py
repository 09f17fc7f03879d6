"""Models of purchases by definition: published likelihoods, expectations as integrals over what is unknown.

A customer who is alive buys at a rate lambda ~ Gamma(r + x, alpha + T). Under BG/NBD and MBG/NBD he drops out after a
purchase with p ~ Beta(a, b'), under Pareto/NBD at a rate mu ~ Gamma(s, beta + T). Everything here follows from that by
one integral over p or over time; no 2F1 of a prediction and no series is used. Parameters and times are in one unit.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaln, gammaln
from scipy.stats import nbinom

from .clv_quadrature import beta_nodes, over_time

FAMILIES = ("NBD", "BGNBD", "MBGNBD", "ParetoNBD")
NAMES = {
    "NBD": ("r", "alpha"),
    "BGNBD": ("r", "alpha", "a", "b"),
    "MBGNBD": ("r", "alpha", "a", "b"),
    "ParetoNBD": ("r", "alpha", "s", "beta"),
}
# More purchases than anybody makes in a test.
MOST = 4_000


@dataclass(frozen=True)
class Purchases:
    """A model with its parameters."""

    family: str
    r: float
    alpha: float
    third: float = math.nan
    fourth: float = math.nan

    @classmethod
    def of(cls, family: str, params: dict[str, float]) -> Purchases:
        return cls(family, *(params[name] for name in NAMES[family]))

    def in_unit(self, factor: float) -> Purchases:
        """The same with times in a unit `factor` times as short."""
        fourth = self.fourth * (factor if self.family == "ParetoNBD" else 1)
        return Purchases(self.family, self.r, self.alpha * factor, self.third, fourth)

    # What was seen of a customer.

    def parts(self, x: int, t_x: float, age: float) -> tuple[float, float]:
        """Logarithms of the likelihoods of these purchases: alive still, and dropped out since."""
        r, alpha, a, b = self.r, self.alpha, self.third, self.fourth
        q = r + x
        buying = gammaln(q) - gammaln(r) + r * math.log(alpha)
        alive, lost = buying - q * math.log(alpha + age), buying - q * math.log(alpha + t_x)
        if self.family == "NBD":
            return alive, -math.inf
        if self.family == "ParetoNBD":
            return alive + b_power(a, b, age), buying + self._log_lost(q, t_x, age)
        draws = x + (self.family == "MBGNBD")
        alive += betaln(a, b + draws) - betaln(a, b)
        if draws == 0:
            return alive, -math.inf
        return alive, lost + betaln(a + 1, b + draws - 1) - betaln(a, b)

    def _log_lost(self, q: float, t_x: float, age: float) -> float:
        """ln of the integral over the time of loss: (alpha + t)^-q s beta^s (beta + t)^-(s + 1)."""
        alpha, s, beta = self.alpha, self.third, self.fourth

        def log_density(time: float) -> float:
            return -q * math.log(alpha + time) + math.log(s / (beta + time)) + b_power(s, beta, time)

        top = log_density(t_x)
        area = over_time(lambda t: math.exp(log_density(t) - top), t_x, age, min(alpha, beta))
        return top + math.log(area) if area > 0 else -math.inf

    def log_likelihood(self, x: int, t_x: float, age: float) -> float:
        """Without the term ln x!."""
        return float(np.logaddexp(*self.parts(x, t_x, age)))

    def p_alive(self, x: int, t_x: float, age: float) -> float:
        alive, lost = self.parts(x, t_x, age)
        return float(np.exp(alive - np.logaddexp(alive, lost)))

    # What is to come of a customer who is alive.

    def draws(self, x: int) -> int:
        """Purchases after which he could have dropped out."""
        return x + (self.family == "MBGNBD")

    def rate(self, x: int, age: float, time: float) -> float:
        """Expected purchases per unit of time, `time` from now."""
        q, alpha = self.r + x, self.alpha + age
        if self.family == "NBD":
            return q / alpha
        if self.family == "ParetoNBD":
            return q / alpha * math.exp(b_power(self.third, self.fourth + age, time))
        p, _, weight = beta_nodes(self.third, self.fourth + self.draws(x))
        return q / alpha * float(weight @ np.exp(-(q + 1) * np.log1p(p * time / alpha)))

    def expected(self, x: int, age: float, horizon: float) -> float:
        """Given that he is alive: the integral of his rate over time; of BG and MBG it is done for each p."""
        q, alpha = self.r + x, self.alpha + age
        if self.family == "NBD":
            return q * horizon / alpha
        if self.family == "ParetoNBD":
            return over_time(lambda u: self.rate(x, age, u), 0.0, horizon, self.fourth + age)
        p, log_p, weight = beta_nodes(self.third, self.fourth + self.draws(x))
        survived = -np.expm1(-q * np.log1p(p * horizon / alpha))
        known = log_p > -600
        counts = np.where(known, survived / np.where(known, p, 1.0), q * horizon / alpha)
        return float(weight @ counts)

    def alive_end(self, x: int, age: float, horizon: float) -> float:
        """Given that he is alive now."""
        if self.family == "NBD":
            return 1.0
        if self.family == "ParetoNBD":
            return math.exp(b_power(self.third, self.fourth + age, horizon))
        p, _, weight = beta_nodes(self.third, self.fourth + self.draws(x))
        return float(weight @ np.exp(-(self.r + x) * np.log1p(p * horizon / (self.alpha + age))))

    def counts(self, x: int, age: float, horizon: float, most: int = MOST) -> Any:
        """P(n purchases | alive) of n = 0 .. most - 1."""
        q, alpha = self.r + x, self.alpha + age
        n = np.arange(most)

        def stays(time: float) -> Any:
            return nbinom.pmf(n, q, alpha / (alpha + time))

        if self.family == "NBD":
            return stays(horizon)
        a, b = self.third, self.fourth
        if self.family == "ParetoNBD":
            # Whether and when he is lost, by a fine rule that serves all n at once.
            edges = np.exp(np.linspace(np.log(b + age), np.log(b + age + horizon), 41)) - (b + age)
            nodes, weights = np.polynomial.legendre.leggauss(24)
            found = stays(horizon) * math.exp(b_power(a, b + age, horizon))
            for low, high in itertools.pairwise(edges):
                for node, weight in zip(nodes, weights, strict=True):
                    u = low + (high - low) * (node + 1) / 2
                    density = a / (b + age + u) * math.exp(b_power(a, b + age, u))
                    found = found + weight * (high - low) / 2 * density * stays(u)
            return found
        draws = self.draws(x)
        # (1 - p)^n, and p (1 - p)^(n - 1), in expectation over p ~ Beta(a, b + draws).
        start = betaln(a, b + draws)
        survive = np.exp(betaln(a, b + draws + n) - start)
        drop = np.concatenate([[0.0], np.exp(betaln(a + 1, b + draws + n[1:] - 1) - start)])
        at_least = nbinom.sf(n - 1, q, alpha / (alpha + horizon))
        return stays(horizon) * survive + drop * at_least

    def discounted(self, x: int, age: float, horizon: float, delta: float) -> float:
        """Present value of the purchases given alive, at a force of interest; `horizon` may be infinite."""
        offset = (self.fourth + age) if self.family == "ParetoNBD" else self.alpha + age
        return over_time(lambda u: math.exp(-delta * u) * self.rate(x, age, u), 0.0, horizon, offset, delta)

    def discounted_by_periods(self, x: int, age: float, horizon: float, period: float, rate: float) -> float:
        """Purchases of each period paid at its end; the last period may be cut by the horizon."""
        total, before, k = 0.0, 0.0, 1
        while (k - 1) * period < horizon * (1 - 1e-12):
            upto = self.expected(x, age, min(k * period, horizon))
            total += (upto - before) * (1 + rate) ** -k
            before, k = upto, k + 1
        return total

    # Of all customers, alive or not.

    def distribution(self, x: int, t_x: float, age: float, horizon: float, most: int = MOST) -> Any:
        """P(n purchases) of n = 0 .. most - 1."""
        alive = self.p_alive(x, t_x, age)
        found = alive * self.counts(x, age, horizon, most)
        found[0] += 1 - alive
        return found

    def unconditional(self, days: float) -> float:
        """Expected repeat purchases of a customer in the first `days` after his first purchase."""
        return self.p_alive(0, 0.0, 0.0) * self.expected(0, 0.0, days)


def b_power(s: float, beta: float, time: float) -> float:
    """ln of (beta / (beta + time))^s: the probability of not being lost by then."""
    return -s * math.log1p(time / beta)


def quantile(probabilities: Any, level: float) -> int:
    """The least n with P(N <= n) >= level."""
    return int(np.searchsorted(np.cumsum(probabilities), level))


# Spend and contracts.


def spend_log_likelihood(p: float, q: float, gamma: float, x: int, m_x: float) -> float:
    """The published density of the mean of x purchases (Fader & Hardie 2013, equation 1a)."""
    return float(
        gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * math.log(gamma)
        + (p * x - 1) * math.log(m_x) + p * x * math.log(x) - (p * x + q) * math.log(gamma + m_x * x)
    )  # fmt: skip


def expected_spend(p: float, q: float, gamma: float, x: int, m_x: float | None) -> float | None:
    """Of a customer; None where the mean is infinite."""
    if x == 0 or m_x is None or m_x <= 0:
        return p * gamma / (q - 1) if q > 1 else None
    return p * (gamma + x * m_x) / (p * x + q - 1) if p * x + q > 1 else None


def contract_survival(a: float, b: float, renewals: int) -> float:
    """The share of a cohort that is left after some renewals (Fader & Hardie 2007), by products of retention rates."""
    return math.prod((b + k - 1) / (a + b + k - 1) for k in range(1, renewals + 1))


def contract_log_likelihood(a: float, b: float, survivors: list[int]) -> float:
    """Of a cohort's counts at renewal 0, 1, ...: lost at each, and still there after the last."""
    survival = [contract_survival(a, b, renewals) for renewals in range(len(survivors))]
    total = survivors[-1] * math.log(survival[-1])
    for k in range(1, len(survivors)):
        total += (survivors[k - 1] - survivors[k]) * math.log(survival[k - 1] - survival[k])
    return total


def contract_lifetime(a: float, b: float, n: int, rate: float, terms: int = 20_000) -> float:
    """Discounted expected residual lifetime after n - 1 renewals, just before the next."""
    total, left = 0.0, 1.0
    for k in range(terms):
        left *= (b + n - 1 + k) / (a + b + n - 1 + k)
        total += left * (1 + rate) ** -k
    return total
