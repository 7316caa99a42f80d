"""Sounds that come with the package, for the demo and the tests."""

from importlib.resources import files


def welcome_mp3() -> bytes:
    """A spoken announcement of five and a half seconds, as an mp3 file.

    "Hello, this is Outdial calling. Your order has been shipped. Press one to confirm." Spoken by espeak-ng
    of Debian (``espeak-ng -v en-us+f3 -s 170``), cut to 50 ms before and 250 ms after the voice, encoded by
    LAME through PyAV: mono, 22,050 Hz, 40 kbit/s.
    """
    return files(__name__).joinpath("welcome.mp3").read_bytes()
