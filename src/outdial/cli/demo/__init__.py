"""`outdial demo`: real calls on this machine, heard at the far end."""

from outdial.cli.demo.command import app

__all__ = ["app"]
