"""RTP for the dialer's legs, paced by worker processes that do nothing else.

The dialer holds a ``client.MediaClient``; audio never passes through the dialer's own process.
"""
