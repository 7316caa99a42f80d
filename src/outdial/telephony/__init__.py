"""Phone calls: sockets and timers around ``sip``, ``sdp`` and ``rtp``; trunks, legs and their media."""
