"""What a language has to say to be said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Noun:
    """What is counted: the unit of a currency."""

    one: str
    many: str
    feminine: bool = False

    def of(self, number: int) -> str:
        """Its form behind a number."""
        return self.one if number == 1 else self.many


@dataclass(frozen=True, slots=True)
class Currency:
    """The names of a currency and its hundredth."""

    unit: Noun
    cent: Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """One language."""

    language: str
    """BCP 47, without a region."""
    digits: Sequence[str]
    """From 0 to 9, as they are said one by one."""
    keys: Mapping[str, str]
    """The keys of a telephone that are no digits."""
    minus: str
    point: str
    """What is said in front of decimals."""
    conjunction: str
    """Between units and cents."""
    cardinal: Callable[[int], list[str]]
    """A number from 0 to below `LARGEST`."""
    count: Callable[[int, Noun], list[str]]
    """So many of something."""
    date: Callable[[date], list[str]]
    currencies: Mapping[str, Currency]
    """By ISO 4217."""
    words: tuple[Sequence[str], ...]
    """Those that numbers and dates are made of, in groups."""

    @property
    def vocabulary(self) -> frozenset[str]:
        """Every word that any of this can give; what a set of recorded words has to hold."""
        nouns = [noun for each in self.currencies.values() for noun in (each.unit, each.cent)]
        named = {word for noun in nouns for word in (noun.one, noun.many)}
        signs = {*self.keys.values(), self.minus, self.point, self.conjunction}
        return frozenset(named).union(signs, self.digits, *self.words)


def by_thousands(number: int) -> list[tuple[int, int]]:
    """Groups of three digits with their power of a thousand, the highest first, without empty ones."""
    groups = []
    power = 0
    while number:
        number, group = divmod(number, 1_000)
        if group:
            groups.append((group, power))
        power += 1
    return groups[::-1]


def below_hundred(
    number: int, small: Sequence[str], tens: Sequence[str], between: Sequence[str] = ()
) -> list[str]:
    """A number in languages that say the tens first, as `forty two`; of zero, nothing.

    The small ones have words of their own.
    """
    if number < len(small):
        return [small[number]] if number else []
    high, low = divmod(number, 10)
    return [tens[high], *([*between, small[low]] if low else [])]
