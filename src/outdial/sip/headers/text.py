"""The lexical rules that headers share (RFC 3261 §25.1): tokens, quoted strings, lists."""

import re

TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
"""RFC 3261 `token`: method names, header names, parameter names."""

_QUOTED_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_ESCAPE = re.compile(r'(["\\])')


def quote(text: str) -> str:
    """Return `text` as a quoted string, with `"` and `\\` escaped."""
    if '"' in text or "\\" in text:
        text = _NEEDS_ESCAPE.sub(r"\\\1", text)
    return f'"{text}"'


def unquote(text: str) -> str:
    """Return what a quoted string says; text without quotes is returned unchanged.

    A missing closing quote is forgiven: the header is worth more than its punctuation.
    """
    if not text.startswith('"'):
        return text
    inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
    return _QUOTED_PAIR.sub(r"\1", inner) if "\\" in inner else inner


def end_of_quoted(text: str, start: int) -> int:
    """Return the index after the quoted string that opens at `start`, -1 if it never closes."""
    match = _QUOTED_STRING.match(text, start)
    return match.end() if match else -1


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at `separator` wherever it stands neither in a quoted string nor between `<` and `>`.

    A quote or bracket that never closes does not hide the rest: it, and those after it, are plain characters.
    """
    if separator not in text:
        return [text]
    if '"' not in text and "<" not in text:
        return text.split(separator)
    pieces: list[str] = []
    hiding = {'"', "<"}
    begin = position = 0
    for match in re.finditer(rf'["<{separator}]', text):
        at = match.start()
        character = match.group()
        if at < position:
            continue
        if character == separator:
            pieces.append(text[begin:at])
            begin = at + 1
        elif character in hiding:
            end = end_of_quoted(text, at) if character == '"' else text.find(">", at) + 1
            if end > 0:
                position = end
            else:
                # Looking again for what is not there would take hostile text quadratic time.
                hiding.discard(character)
    pieces.append(text[begin:])
    return pieces
