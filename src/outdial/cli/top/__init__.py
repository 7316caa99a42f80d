"""`outdial top`: what the server does now, in the terminal."""

from outdial.cli.top.command import app

__all__ = ["app"]
