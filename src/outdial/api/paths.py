"""Ids in paths."""

from outdial.api.errors import ApiError


def number_in_path(thing: str, text: str) -> int:
    """The id that a path names. Raises ApiError 404 for what cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ApiError(404, f"There is no {thing} {text[:40]}.")
    return int(text)
