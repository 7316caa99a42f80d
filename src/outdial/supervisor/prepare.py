"""What has to be there before a role can work: the data folder and a database at the right revision."""

from outdial.config import Settings
from outdial.errors import ConfigurationError
from outdial.storage import schema


def prepare_database(settings: Settings) -> bool:
    """Make the data folder, and bring the embedded database up to date; True when it did not exist before.

    PostgreSQL is only looked at: a database that other machines share is upgraded when somebody says so
    (`outdial db upgrade`). Raises ConfigurationError when the folder cannot be made or the database is at
    another revision.
    """
    make_data_dir(settings)
    url = settings.resolved_database_url
    revision = schema.current_revision(url)
    if revision == schema.newest_revision():
        return False
    if not settings.is_sqlite:
        raise ConfigurationError(
            f"The database is at revision {revision or 'none'}, this version needs"
            f" {schema.newest_revision()}:"
            " run `outdial db upgrade`."
        )
    schema.upgrade(url)
    return revision is None


def make_data_dir(settings: Settings) -> None:
    """Create the data folder for this user alone: it holds the passwords of trunks and what people said."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"data_dir = {str(settings.data_dir)!r}: this folder cannot be made ({error.strerror});"
            " set it to one that can be written."
        ) from None
