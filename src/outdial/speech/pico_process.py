"""The child that says one text with Pico: JSON with `text`, `voice` and `out` comes on standard input.

It imports as little as it can, because it starts anew for each text.
"""

import json
import sys
import wave

_RATE = 16_000
_VOLUME = 0.4
"""At Pico's own loudness vowels clip; `level` makes up for this."""


def main() -> None:
    """Say it."""
    from py_nanotts import NanoTTS

    request = json.load(sys.stdin)
    pcm = NanoTTS().speak(request["text"], voice=request["voice"], volume=_VOLUME)
    with wave.open(request["out"], "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(pcm)


if __name__ == "__main__":
    main()
