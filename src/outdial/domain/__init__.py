"""Values and rules of calling: pure, no clock, no I/O. Everything else may import this package."""
