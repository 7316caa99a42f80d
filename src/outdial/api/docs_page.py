"""`/docs`: every endpoint, to read and to try. It loads nothing from anywhere but this server."""

from functools import lru_cache
from importlib.resources import files

from fastapi import APIRouter, Response

router = APIRouter(include_in_schema=False)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'"
)
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}


@router.get("/docs")
async def page() -> Response:
    """The page."""
    return _file("html")


@router.get("/docs/page.js")
async def script() -> Response:
    """Its script."""
    return _file("js")


@router.get("/docs/page.css")
async def style() -> Response:
    """Its style."""
    return _file("css")


def _file(kind: str) -> Response:
    return Response(_read(kind), media_type=_TYPES[kind], headers={"Content-Security-Policy": _POLICY})


@lru_cache
def _read(kind: str) -> bytes:
    return files("outdial.api").joinpath(f"docs_page_files/page.{kind}").read_bytes()
