"""What Liquid may do in templates: variables, filters, conditions; no loops, no includes, all of it bounded.

Without loops the time of a render is bounded by the length of the source, and the filters bound what each
step can make of its input. Loading the library takes a third of a second, so `template` does it when the
first template comes.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

from liquid import BoundTemplate
from liquid.builtin import content, illegal, output
from liquid.builtin.tags import assign_tag, case_tag, comment_tag, if_tag, unless_tag
from liquid.environment import Environment
from liquid.exceptions import LiquidError

from outdial.errors import InvalidInput
from outdial.templates.filters import LONGEST_VALUE, add_filters

_DYNAMIC = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
_RANGE = re.compile(r"\([^()]*\.\.[^()]*\)")


class _Sandbox(Environment):
    output_stream_limit: ClassVar[int | None] = LONGEST_VALUE
    local_namespace_limit: ClassVar[int | None] = 4 * LONGEST_VALUE

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in (
            content.Literal,
            output.Output,
            illegal.Illegal,
            assign_tag.AssignTag,
            case_tag.CaseTag,
            comment_tag.CommentTag,
            if_tag.IfTag,
            unless_tag.UnlessTag,
        ):
            self.add_tag(tag)
        add_filters(self)


_ENVIRONMENT = _Sandbox()


def check(source: str) -> None:
    """Raise InvalidInput with a sentence if `source` is not a template that may be used."""
    unknown = sorted(set(_parse(source).analyze().filters) - set(_ENVIRONMENT.filters))
    if unknown:
        names = ", ".join(sorted(_ENVIRONMENT.filters))
        raise InvalidInput(f"There is no filter {unknown[0][:60]}; there are {names}.")


def render(source: str, variables: Mapping[str, Any]) -> str:
    """Return the text of a template. Raises InvalidInput."""
    template = _parse(source)
    try:
        return template.render(**variables)
    except LiquidError as error:
        raise InvalidInput(f"The template cannot be rendered: {_first_line(error)}.") from None
    except (ArithmeticError, ValueError, TypeError, RecursionError):  # the library lets some through
        raise InvalidInput("The template cannot be rendered: a filter cannot take its value.") from None


def variables_of(source: str) -> set[str]:
    """Return the names of the variables that a template does not make itself. Raises InvalidInput."""
    return set(_parse(source).analyze().globals)


@lru_cache(maxsize=1024)
def _parse(source: str) -> BoundTemplate:
    # A range takes no room, and makes `contains` and others count to its end.
    if any(_RANGE.search(each) for each in _DYNAMIC.findall(source)):
        raise InvalidInput("Ranges such as (1..9) are not available in templates.")
    try:
        return _ENVIRONMENT.from_string(source)
    except LiquidError as error:
        raise InvalidInput(f"This is not a Liquid template: {_first_line(error)}.") from None


def _first_line(error: LiquidError) -> str:
    return str(error.message).splitlines()[0].rstrip(".")[:200] if error.message else type(error).__name__
