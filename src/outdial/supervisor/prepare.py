"""What has to be there before a role can work: the data folder and a database at the right revision."""

import os
import pwd
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from outdial.config import Settings
from outdial.errors import ConfigurationError
from outdial.storage import schema
from outdial.supervisor.parts import why


def prepare_database(settings: Settings) -> bool:
    """Make the data folder, and bring the embedded database up to date; True when it did not exist before.

    PostgreSQL is only looked at: a database that other machines share is upgraded when somebody says so
    (`outdial db upgrade`). Raises ConfigurationError when the folder cannot be made or is another user's, or
    the database is at another revision; an SQLite database only if it is a newer version's.
    """
    make_data_dir(settings)
    check_access(settings)
    revision = current_revision(settings)
    if revision == schema.newest_revision():
        return False
    check_known(revision)
    if not settings.is_sqlite:
        raise ConfigurationError(
            f"The database is {f'at revision {revision}' if revision else 'empty'}, this version needs"
            f" revision {schema.newest_revision()}: run `outdial db upgrade`."
        )
    schema.upgrade(settings.resolved_database_url)
    return revision is None


def current_revision(settings: Settings) -> str | None:
    """The revision of the database, None if it is empty or not there.

    Raises ConfigurationError when it cannot be reached or read.
    """
    try:
        return schema.current_revision(settings.resolved_database_url)
    except DBAPIError as error:
        shown = make_url(settings.resolved_database_url).render_as_string(hide_password=True)
        reason = str(error.orig).strip().splitlines()[0]
        raise ConfigurationError(f"database_url: the database {shown} cannot be reached: {reason}") from None


def check_known(revision: str | None) -> None:
    """Raise ConfigurationError for a database that a newer version of Outdial has upgraded."""
    if revision is not None and not schema.is_known(revision):
        raise ConfigurationError(
            f"The database is at revision {revision}, which a newer version of Outdial made; this one knows"
            f" those up to {schema.newest_revision()}. Install the newer version again, or restore a backup"
            " from before the upgrade."
        )


def make_data_dir(settings: Settings) -> None:
    """Create the data folder for this user alone: it holds the passwords of trunks and what people said."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"data_dir = {str(settings.data_dir)!r}: this folder cannot be made ({why(error)});"
            " set it to one that can be written."
        ) from None


def check_access(settings: Settings) -> None:
    """Raise ConfigurationError if this user may not write what is in the data folder.

    Mostly a command was run as another user than the server.
    """
    paths = [settings.data_dir]
    if settings.is_sqlite:
        paths.append(Path(make_url(settings.resolved_database_url).database or ""))
    for path in paths:
        mode = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
        if path.exists() and not os.access(path, mode, effective_ids=True):
            raise ConfigurationError(
                f"{path} belongs to {_name(path.stat().st_uid)}, and {_name(os.geteuid())} may not write"
                " there: run this as the user that runs the server, or set data_dir to another folder."
            )


def _name(user: int) -> str:
    try:
        return f"the user {pwd.getpwuid(user).pw_name}"
    except KeyError:  # a container's user need not have a name
        return f"the user {user}"
