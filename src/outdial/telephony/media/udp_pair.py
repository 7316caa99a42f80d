"""The two UDP sockets of a stream: RTP on an even port, RTCP on the odd one above it (RFC 3550 §11)."""

import socket


def bind_pair(address: str, port: int, dscp: int) -> tuple[socket.socket, socket.socket]:
    """Bound, non-blocking sockets; raises :class:`OSError`, and leaves nothing open then."""
    rtp = _bind(address, port, dscp)
    try:
        return rtp, _bind(address, port + 1, dscp)
    except OSError:
        rtp.close()
        raise


def _bind(address: str, port: int, dscp: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
