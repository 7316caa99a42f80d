"""One system on each database for all tests of this folder: starting it takes longer than most of them."""

import asyncio
import os
import shutil
from collections.abc import Generator, Iterator
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the killed and the living had to say about it."""
    report = yield
    world = getattr(item, "funcargs", {}).get("world")
    if report.failed and isinstance(world, World):
        for file in sorted(world.system.folder.glob("*.log")):
            report.sections.append((f"problems in {file}", "\n".join(_problems(file))))
    return report


def _problems(log: Path) -> list[str]:
    """The last lines that are no everyday business."""
    return [line for line in log.read_text().splitlines() if '"level": "info"' not in line][-40:]
