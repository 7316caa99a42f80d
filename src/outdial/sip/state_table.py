"""A state machine as one table, so that it can be read, tested for completeness and drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

S = TypeVar("S", bound=Enum)
I = TypeVar("I", bound=Enum)  # noqa: E741 — the usual letters of an automaton: states, inputs, actions
A = TypeVar("A", bound=Enum)


@dataclass(frozen=True, slots=True)
class StateTable(Generic[S, I, A]):
    """All transitions of one machine.

    ``transitions`` maps (state, input) to (next state, actions in order). ``ignored`` lists the strays that
    SIP allows and that change nothing. A pair in neither is a defect: `missing` finds them, and a test
    holds every table to having none.
    """

    name: str
    states: type[S]
    inputs: type[I]
    transitions: Mapping[tuple[S, I], tuple[S, tuple[A, ...]]]
    ignored: frozenset[tuple[S, I]]
    final: S | None = None

    def step(self, state: S, symbol: I) -> tuple[S, tuple[A, ...]]:
        """Return the next state and the actions; a stray returns the same state and no action."""
        found = self.transitions.get((state, symbol))
        return found if found is not None else (state, ())

    def missing(self) -> list[tuple[S, I]]:
        """Pairs that the table says nothing about; the final state takes no input."""
        return [pair for pair in self._pairs() if pair not in self.transitions and pair not in self.ignored]

    def contradictory(self) -> list[tuple[S, I]]:
        """Pairs that are both a transition and ignored."""
        return [pair for pair in self._pairs() if pair in self.transitions and pair in self.ignored]

    def _pairs(self) -> Iterator[tuple[S, I]]:
        for state in self.states:
            if state is not self.final:
                for symbol in self.inputs:
                    yield state, symbol
