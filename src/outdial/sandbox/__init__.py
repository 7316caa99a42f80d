"""The simulated phone network: a real SIP user agent server whose phones follow scripts.

It has sockets and RTP of its own and shares with the dialer only the protocol code (sip, sdp, rtp) and the
codecs, so that a mistake in how the dialer uses them does not cancel out here.
"""
