"""Settings: environment and TOML become one frozen, validated `Settings`; nothing else reads either.

Only the composition root (`outdial.supervisor`, `outdial.cli`, `outdial.__main__`) imports this package.
Every lower package has an options dataclass of its own, which the composition root fills from here.
"""

from outdial.config.load import find_config_file, load_settings
from outdial.config.settings import Settings

__all__ = ["Settings", "find_config_file", "load_settings"]
