"""Text to speech: engines behind one protocol, and prompts made of what they say.

- `engine`: the protocol, and what a voice is;
- `pico`, `espeak`, `openai_server`: the engines;
- `child`, `wav`, `level`: a bounded process, the file it writes, and how loud it is to be;
- `render`: a whole prompt, with pauses and repetitions, as one sound;
- `voices`: all voices of the engines in use, and the one that a request means.
"""
