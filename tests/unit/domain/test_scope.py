"""Which scope contains which."""

import pytest

from outdial.domain.scope import MEANINGS, Scope, allows


def test_every_scope_has_its_line() -> None:
    assert set(MEANINGS) == set(Scope)
    assert all(line.endswith(".") for line in MEANINGS.values())


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_is_what_it_says_and_nothing_else(scope: Scope) -> None:
    assert allows([scope], scope)
    assert not allows([], scope)
    others = {each for each in Scope if allows([scope], each)} - {scope}
    if scope is Scope.ACCOUNT:
        assert others == set(Scope) - {Scope.ACCOUNT, Scope.ADMIN}
    elif scope is Scope.CALLS:
        assert others == {Scope.CALLS_READ}
    else:
        assert others == set()


def test_scopes_add_up_and_unknown_ones_are_nothing() -> None:
    assert allows(["account", "admin"], Scope.ADMIN)
    assert not allows(["everything"], Scope.CALLS)
