"""Decompression never gives more than a piece at once."""

import gzip
import random
import zlib
from typing import Any

import pytest

from outdial.egress.content import PIECE_BYTES, decoder_for


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 7])
@pytest.mark.parametrize("chunk", [1, 10, 1000, 1_000_000])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity", ""])
def test_pieces(size: int, chunk: int, encoding: str) -> None:
    content = bytes(size - size // 100) + random.Random(1).randbytes(size // 100)
    compress: dict[str, Any] = {"gzip": gzip.compress, "deflate": zlib.compress}
    body = compress.get(encoding, bytes)(content)
    decoder = decoder_for(encoding, "example.com")
    pieces = [
        piece for start in range(0, len(body), chunk) for piece in decoder.decode(body[start : start + chunk])
    ]
    decoder.finish()
    assert b"".join(pieces) == content
    if encoding in ("gzip", "deflate"):
        assert max(map(len, pieces), default=0) <= PIECE_BYTES
