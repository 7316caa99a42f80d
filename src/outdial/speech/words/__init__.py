"""Recorded words that come with the package, a folder for each language: see `outdial.speech.recorded`."""
