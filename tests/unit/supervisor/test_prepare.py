"""What is said where a command cannot work on the data folder."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from outdial.config import load_settings
from outdial.errors import ConfigurationError
from outdial.supervisor.prepare import prepare_database

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

SERVER, SOMEBODY = 0, 65_534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter; the test ends as the user that it began as."""
    made = Path(tempfile.mkdtemp(dir="/tmp"))
    made.chmod(0o755)
    yield made
    os.seteuid(SERVER)
    shutil.rmtree(made)


def test_another_users_folder(folder: Path) -> None:
    (folder / "data").mkdir(mode=0o755)
    os.seteuid(SOMEBODY)
    with pytest.raises(ConfigurationError, match=r"data belongs to the user root, .* may not write there"):
        prepare_database(load_settings(data_dir=folder / "data"))


def test_another_users_database(folder: Path) -> None:
    """The folder is everybody's, the file in it is the server's: `outdial token create` as a wrong user."""
    settings = load_settings(data_dir=folder / "data")
    prepare_database(settings)
    (folder / "data").chmod(0o777)
    os.seteuid(SOMEBODY)
    with pytest.raises(ConfigurationError, match=r"outdial\.db belongs to the user root"):
        prepare_database(settings)


def test_another_users_folder_that_cannot_be_entered(folder: Path) -> None:
    """What systemd's StateDirectory is: 0700."""
    settings = load_settings(data_dir=folder / "data")
    prepare_database(settings)
    os.seteuid(SOMEBODY)
    with pytest.raises(ConfigurationError, match="data belongs to the user root"):
        prepare_database(settings)
