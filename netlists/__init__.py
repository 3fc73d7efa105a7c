"""SPICE model files as text, and the hash that provenance records."""

import hashlib
from functools import cache
from pathlib import Path

from rramkit.errors import InputError

FOLDER = Path(__file__).resolve().parent

RRAM_SKY130 = "rram_sky130.lib"
SELECTOR_THRESHOLD = "selector_threshold.lib"


@cache
def text(name: str) -> str:
    """Return the text of a library of this folder; raise `InputError` when it is not there."""
    path = FOLDER / name
    if not path.is_file():
        present = ", ".join(sorted(file.name for file in FOLDER.glob("*.lib")))
        raise InputError(f"{path}: no such model file. Libraries of the kit: {present}.")
    return path.read_text(encoding="utf-8")


def sha256(name: str) -> str:
    """Return the SHA-256 of a library's text, in hexadecimal."""
    return hashlib.sha256(text(name).encode()).hexdigest()
