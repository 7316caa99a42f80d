import uuid

from outdial.supervisor.parts import UuidSource


def test_uuids_are_random_version_4_and_never_come_twice() -> None:
    source = UuidSource()
    found = [source() for _ in range(1_000)]
    assert len(set(found)) == 1_000
    assert {uuid.UUID(each).version for each in found} == {4}
    assert all(str(uuid.UUID(each)) == each for each in found)
