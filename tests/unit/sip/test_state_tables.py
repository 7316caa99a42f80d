"""Every state machine of SIP says something about every pair of state and input."""

import pytest

from outdial.sip.client_transaction import INVITE_CLIENT, REQUEST_CLIENT
from outdial.sip.registration.table import REGISTRATION
from outdial.sip.server_transaction import INVITE_SERVER, REQUEST_SERVER
from outdial.sip.session.answering import ANSWERING
from outdial.sip.session.call_attempt import CALLING
from outdial.sip.session.established import ESTABLISHED
from outdial.sip.state_table import StateTable

TABLES = [
    INVITE_CLIENT,
    REQUEST_CLIENT,
    INVITE_SERVER,
    REQUEST_SERVER,
    CALLING,
    ESTABLISHED,
    ANSWERING,
    REGISTRATION,
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_pair_is_a_transition_or_ignored(table):
    assert table.missing() == []
    assert table.contradictory() == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_state_but_the_first_can_be_reached(table):
    first = next(iter(table.states))
    reached = {first}
    while (
        found := {target for (source, _), (target, _) in table.transitions.items() if source in reached}
        - reached
    ):
        reached |= found
    assert reached == set(table.states)


def test_a_table_with_a_hole_is_found_out():
    holey = StateTable(
        name="holey",
        states=INVITE_CLIENT.states,
        inputs=INVITE_CLIENT.inputs,
        transitions=INVITE_CLIENT.transitions,
        ignored=frozenset(list(INVITE_CLIENT.ignored)[1:]) | {next(iter(INVITE_CLIENT.transitions))},
        final=INVITE_CLIENT.final,
    )
    assert len(holey.missing()) == 1
    assert holey.contradictory() == [next(iter(INVITE_CLIENT.transitions))]


def test_a_stray_changes_nothing():
    state = INVITE_CLIENT.states.ACCEPTED
    assert INVITE_CLIENT.step(state, INVITE_CLIENT.inputs.PROVISIONAL) == (state, ())
