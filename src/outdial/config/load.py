"""Find and read the settings: command line over environment over TOML file over defaults."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsError,
    TomlConfigSettingsSource,
)

from outdial.config.problems import nearest, sentences, setting_names, unknown_setting, variable_name
from outdial.config.settings import ENV_NESTING, ENV_PREFIX, Settings
from outdial.errors import ConfigurationError

CONFIG_VARIABLE = "OUTDIAL_CONFIG"
CLIENT_VARIABLES = frozenset({"OUTDIAL_URL", "OUTDIAL_TOKEN"})
"""Variables of the client commands (`call`, `sounds`), which are no settings of a server."""


def find_config_file(explicit: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The TOML file to read: `explicit`, else `$OUTDIAL_CONFIG`, else `outdial.toml` here, else none.

    Raises ConfigurationError when a file that somebody named does not exist.
    """
    named, source = explicit, "--config"
    if named is None and environment.get(CONFIG_VARIABLE):
        named, source = Path(environment[CONFIG_VARIABLE]), CONFIG_VARIABLE
    if named is not None:
        if not named.is_file():
            raise ConfigurationError(f"{source} names {str(named)!r}, which is not a file that can be read.")
        return named
    here = Path("outdial.toml")
    return here if here.is_file() else None


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """Read and validate all settings once.

    `overrides` (nested dicts such as `api={"port": 0}`) win over the environment, which wins over the file.
    Raises ConfigurationError with one line for each thing that is wrong.
    """
    file = find_config_file(config, os.environ)
    _refuse_unknown_variables(os.environ)

    class FromTheseSources(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            environment = _Environment(settings_cls)
            if file is None:
                return init_settings, environment
            return init_settings, environment, TomlConfigSettingsSource(settings_cls, toml_file=file)

    try:
        return FromTheseSources(**overrides)
    except ValidationError as error:
        raise ConfigurationError("\n".join(sentences(error))) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is not a TOML file: {error}") from None
    except SettingsError as error:
        raise ConfigurationError(
            f"{error}; set one variable for each setting, such as OUTDIAL_API__PORT, and write a list with"
            " commas between."
        ) from None


class _Environment(EnvSettingsSource):
    """Environment variables; a list may be written with commas, beside JSON."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        is_section = isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        if is_section or value.lstrip().startswith(("[", "{")):
            return super().decode_complex_value(field_name, field, value)
        return [each.strip() for each in value.split(",") if each.strip()]


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {variable_name(name) for name in setting_names()}
    known |= {variable_name(name) for name in Settings.model_fields} | {CONFIG_VARIABLE} | CLIENT_VARIABLES
    problems = []
    for variable in sorted(environment):
        if not variable.upper().startswith(ENV_PREFIX) or variable.upper() in known:
            continue
        guess = nearest(variable.upper(), known)
        setting = variable.upper().removeprefix(ENV_PREFIX).lower().replace(ENV_NESTING, ".")
        problems.append(
            f"{variable}: {unknown_setting(setting)}"
            if guess is None
            else f"{variable}: there is no such setting; did you mean {guess}?"
        )
    if problems:
        raise ConfigurationError("\n".join(problems))
