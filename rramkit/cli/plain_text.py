"""What is printed where the terminal's or the file's encoding lacks a sign: other letters, and no sign is dropped.

A lost prefix would be a wrong number: `9.2 ?S`. Imports nothing heavy: it is loaded before the commands are.
"""

import codecs
import io
from collections.abc import Iterable

_NAME = "rramkit.plain"
_PLAIN = {
    "\N{MICRO SIGN}": "u",
    "\N{GREEK SMALL LETTER MU}": "u",
    "\N{GREEK CAPITAL LETTER OMEGA}": "ohm",
    "\N{OHM SIGN}": "ohm",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{PLUS-MINUS SIGN}": "+-",
    "\N{DEGREE SIGN}": "deg ",
    "\N{SUPERSCRIPT TWO}": "^2",
    "\N{MIDDLE DOT}": "*",
    "\N{HORIZONTAL ELLIPSIS}": "...",
}
_FRAMES = {**dict.fromkeys("─━═╌", "-"), **dict.fromkeys("│┃║", "|")}


def use_plain_text(streams: Iterable[object]) -> None:
    """Let text streams write what their encoding lacks in other letters, in place of an error in the middle."""
    codecs.register_error(_NAME, _replaced)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            stream.reconfigure(errors=_NAME)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what stands for the first sign that an encoding lacks, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    if 0xDC80 <= ord(sign) <= 0xDCFF:  # a byte of a file's name that is no text
        return bytes([ord(sign) - 0xDC00]), error.start + 1
    frame = "+" if 0x2500 <= ord(sign) < 0x2580 else "?"
    return _PLAIN.get(sign, _FRAMES.get(sign, frame)), error.start + 1
