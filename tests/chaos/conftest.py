"""One system on each database for all tests of this folder: starting it takes longer than most of them."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.chaos.world import World, system_to_harm
from tests.postgres import empty_database


@pytest.fixture(scope="package", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def shared_world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("chaos")
    with ExitStack() as stack:
        if request.param == "sqlite":
            (folder / "data").mkdir()
            shutil.copyfile(_sqlite_template, folder / "data" / "outdial.db")
            url = f"sqlite:///{folder / 'data' / 'outdial.db'}"
        else:
            url = stack.enter_context(empty_database(request.getfixturevalue("postgres_cluster")))
        system = system_to_harm(folder, url)
        try:
            yield asyncio.run(World.start(system))
        finally:
            asyncio.run(system.close())


@pytest.fixture
async def world(shared_world: World) -> World:
    """The shared system, running."""
    await shared_world.begin()
    return shared_world


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    """Random decisions of one test; CHAOS_SEED makes others."""
    return Random(f"{os.environ.get('CHAOS_SEED', '0')} {request.node.name}")
