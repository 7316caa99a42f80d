"""Where messages of flows are kept: a name of its own for each, whatever nodes are called."""

from pathlib import Path

import pytest

from outdial.dispatch.messages import Messages
from outdial.domain.call import Lease
from outdial.errors import NotFound


class Store:
    async def take(self, key: str, file: Path) -> None:
        file.unlink()

    async def local_path(self, key: str) -> Path:
        raise NotFound(key)


@pytest.mark.parametrize(
    "node",
    [
        pytest.param("message", id="short"),
        pytest.param("a very long name of a node " * 3, id="long"),
        pytest.param("संदेश छोड़ें " * 8, id="Hindi"),
        pytest.param("请留言" * 33, id="Chinese"),
    ],
)
async def test_each_message_has_a_key_of_its_own_that_a_file_can_have(tmp_path: Path, node: str) -> None:
    messages = Messages(tmp_path / "messages", Store())
    lease = Lease("70fa87e0-9df9-4327-bc80-a561c48703d8:1", 12, 1, "d")
    keys = []
    for recording_id in (f"{node[:100]}/7/recording", f"{node[:100]}/8/recording", f"{node[:100]}/8/connect"):
        file = messages.begin(lease, recording_id)
        file.write_bytes(b"x")
        keys.append(await messages.keep(lease, recording_id, file, "PCMU"))
        assert not file.exists()
    assert len(set(keys)) == 3, keys
    for key in keys:
        name = key.removeprefix("recordings/")
        assert name.startswith("70fa87e0-9df9-4327-bc80-a561c48703d8-1-12-")
        assert name.isascii()
        assert len(name) <= 200
