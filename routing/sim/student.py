"""Quantiles of Student's t distribution."""

from __future__ import annotations

import math
from functools import lru_cache

_SLICES = 2_000
_PRECISION = 1e-9


def share_below(value: float, freedom: int) -> float:
    """The distribution function, by Simpson's rule over the density (W. S. Gosset, Biometrika 6, 1908)."""
    logarithm = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    step = abs(value) / _SLICES
    total = 0.0
    for slice_ in range(_SLICES + 1):
        factor = 1 if slice_ in (0, _SLICES) else 4 if slice_ % 2 else 2
        total += factor * math.exp(logarithm - (freedom + 1) / 2 * math.log1p((slice_ * step) ** 2 / freedom))
    half = total * step / 3
    return 0.5 + math.copysign(half, value)


@lru_cache(maxsize=64)
def quantile(share: float, freedom: int) -> float:
    """The value that `share` (0.5 <= share <= 0.9995) of all does not exceed. Raises ValueError for no freedom."""
    if freedom < 1 or not 0.5 <= share <= 0.9995:
        raise ValueError(f"no quantile {share} with {freedom} degrees of freedom")
    low, high = 0.0, 1.0
    while share_below(high, freedom) < share:
        high *= 2
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        low, high = (middle, high) if share_below(middle, freedom) < share else (low, middle)
    return (low + high) / 2
