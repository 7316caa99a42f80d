"""An INVITE that was cancelled and never got a final response leaves nothing behind (RFC 3261 §9.1)."""

from tests.helpers.sip_link import CALLER, Network, Pair


def test_a_cancelled_invite_without_a_final_response_is_forgotten():
    network = Network(drop=lambda data, to, now: to == CALLER and now >= 5.0)
    pair = Pair(network, lambda pair, transaction, now: pair.take(transaction, now).progress(180, now))
    pair.start()
    pair.at(5.0, pair.session.hang_up)
    network.run()
    assert pair.caller.idle
