import pytest

from outdial.storage.database import Database
from tests.storage.world import World


@pytest.fixture
async def world(database: Database) -> World:
    return await World.make(database)
