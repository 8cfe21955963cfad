"""Random parameters that come out the same, to the last digit, on every machine and in every version."""

import hashlib
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from faceforge.errors import BadSpec, ReservedSeed

RESERVED = range(900_000_000, 1_000_000_000)  # kept for evaluation by others

_DIGITS = 6
_T = TypeVar("_T")


class Draws:
    """A stream of numbers that a seed and a path of purposes determine; children are streams of their own.

    >>> Draws(7, "light").uniform() == Draws(7).child("light").uniform()
    True
    """

    def __init__(self, seed: int, *path: str) -> None:
        self.seed = _checked(seed)
        self.path = path
        self._count = 0
        # Lengths keep ("ab", "c") apart from ("a", "bc").
        self._key = "".join(f"{len(part)}:{part}" for part in (str(seed), *path)).encode()

    def child(self, *names: str) -> "Draws":
        """The stream for one purpose, unmoved by what is drawn from this one."""
        return Draws(self.seed, *self.path, *names)

    def noise_seed(self) -> int:
        """A seed for the functions of `noise`, from 0 to 2**31 - 1."""
        return self._bits() >> 33

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number from low to high."""
        return round(low + (high - low) * self._unit(), _DIGITS)

    def log_uniform(self, low: float, high: float) -> float:
        """A number from low to high, every doubling equally likely."""
        return round(math.exp(math.log(low) + math.log(high / low) * self._unit()), _DIGITS)

    def normal(self, mean: float = 0.0, sd: float = 1.0, clip: float = 3.0) -> float:
        """A normal number, held within `clip` deviations of its mean."""
        deviations = _inverse_normal(self._unit())
        return round(mean + sd * max(-clip, min(clip, deviations)), _DIGITS)

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        if high < low:
            raise BadSpec(f"There is no whole number from {low!r} to {high!r}. Give the smaller one first.")
        return low + (self._bits() * (high - low + 1) >> 64)

    def chance(self, probability: float) -> bool:
        """True with this probability; 0 never, 1 always."""
        return self._unit() < probability

    def choice(self, options: Sequence[_T], weights: Sequence[float] | None = None) -> _T:
        """One of the options, equally likely or in proportion to the weights."""
        if weights is None:
            return options[self.integer(0, len(options) - 1)]
        if len(weights) != len(options) or min(weights, default=0.0) < 0 or not sum(weights) > 0:
            raise BadSpec(f"weights={weights!r} do not fit {len(options)} options. Give one each, not all zero.")
        left = sum(weights) * self._unit()
        for option, weight in zip(options, weights, strict=True):
            left -= weight
            if left < 0:
                return option
        return next(option for option, weight in zip(reversed(options), reversed(weights), strict=True) if weight > 0)

    def shuffled(self, options: Sequence[_T]) -> list[_T]:
        """All options in random order."""
        mixed = list(options)
        for last in range(len(mixed) - 1, 0, -1):
            other = self.integer(0, last)
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed

    def _bits(self) -> int:
        """64 fresh bits."""
        self._count += 1
        digest = hashlib.blake2b(self._key + b"#%d" % self._count, digest_size=8).digest()
        return int.from_bytes(digest, "little")

    def _unit(self) -> float:
        return (self._bits() >> 11) * 2.0**-53


def check_seed(seed: int, *, allow_reserved: bool = False) -> int:
    """The seed, if it is a whole number that may be used; those kept for evaluation are refused unless allowed."""
    _checked(seed)
    if seed in RESERVED and not allow_reserved:
        raise ReservedSeed(
            f"Seed {seed} is one of those kept for evaluation ({RESERVED.start} to {RESERVED.stop - 1}). "
            f"Choose another; to evaluate, pass allow_reserved=True."
        )
    return seed


def balanced(seed: int, **axes: int) -> dict[str, int]:
    """Which stratum a seed falls into on each axis: a number below the axis's size.

    Of N seeds in a row that begin at a multiple of N, the product of the sizes, each meets another combination.

    >>> sorted(balanced(seed, sex=2)["sex"] for seed in (8, 9))
    [0, 1]
    """
    if not axes or min(axes.values()) < 1:
        raise BadSpec(f"Balance over axes={axes!r} is not possible. Name axes with at least one stratum each.")
    block, place = divmod(_checked(seed), math.prod(axes.values()))
    stratum = _order(block, tuple(axes.items()))[place]
    found = {}
    for name, size in axes.items():
        stratum, found[name] = divmod(stratum, size)
    return found


@lru_cache(maxsize=64)
def _order(block: int, axes: tuple[tuple[str, int], ...]) -> list[int]:
    count = math.prod(size for _, size in axes)
    return Draws(block, "balanced", *(f"{name}={size}" for name, size in axes)).shuffled(range(count))


def _checked(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise BadSpec(f"seed={seed!r} is not a seed. Give a whole number from 0 to 2**63 - 1.")
    return seed


def _inverse_normal(p: float) -> float:
    """The number that a standard normal variable stays below with probability p, to about 5e-4.

    Abramowitz and Stegun 26.2.23; its logarithm is rounded, because mathematical libraries differ in the last bit.
    """
    tail = max(min(p, 1 - p), 2.0**-53)
    t = math.sqrt(round(-2 * math.log(tail), 9))
    top = 2.515517 + t * (0.802853 + t * 0.010328)
    bottom = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    deviations = t - top / bottom
    return deviations if p > 0.5 else -deviations
