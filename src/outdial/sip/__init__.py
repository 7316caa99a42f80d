"""SIP, RFC 3261 and its relatives, without I/O: bytes and `now` in, datagrams and events out.

Tolerant in what is read, strict in what is sent: an unparseable 200 on a live trunk is a call that nobody
hangs up.
"""
