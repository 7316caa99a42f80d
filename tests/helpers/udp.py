"""Plain UDP sockets, where a test needs a peer that is no telephone."""

import contextlib
import socket
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def silent_socket(host: str = "127.0.0.1") -> Iterator[tuple[tuple[str, int], Callable[[], int]]]:
    """A bound port that answers nothing: its address, and a way to count what has arrived."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind((host, 0))
        bound.setblocking(False)
        seen = 0

        def count() -> int:
            nonlocal seen
            with contextlib.suppress(BlockingIOError):
                while bound.recv(65535):
                    seen += 1
            return seen

        yield bound.getsockname(), count
