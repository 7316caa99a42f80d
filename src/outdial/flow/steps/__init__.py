"""The step types, one module each: a module here is a step type of the same name, and need not be listed.

A step module holds one subclass of :class:`outdial.flow.step.Step` and names it ``STEP``. Its
cases lie in ``tests/flows/<name>.json``.
"""

from importlib import import_module
from pkgutil import iter_modules

from outdial.flow.step import Step


def _find_step_types() -> dict[str, type[Step]]:
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").STEP for name in names}


STEP_TYPES = _find_step_types()
"""Every step type by the name that a definition uses."""
