"""Parameters of a card: where each name and its `=` stand, outside quotes, braces and parentheses."""

import re

# Pieces of a card; a name and its `=` is one.
_PIECE = re.compile(
    r"'[^']*'|\"[^\"]*\"|(?P<open>[({])|(?P<close>[)}])|(?P<name>[a-z_]\w*)\s*(?:\([^(){}=]*\)\s*)?=(?!=)|\w+|\S",
    re.IGNORECASE,
)


def assigned(text: str) -> list[tuple[str, int, int]]:
    """Return name (lower case), its place and that of its value for each `name=value` of a card.

    A value runs to the next name: `a = 1 b='c + d' f(x)={2*x}` has three.
    """
    found, depth = [], 0
    for piece in _PIECE.finditer(text):
        depth += (piece["open"] is not None) - (piece["close"] is not None)
        if piece["name"] and depth <= 0:
            found.append((piece["name"].lower(), piece.start(), piece.end()))
    return found


def assignments(text: str) -> dict[str, str]:
    """Return the value of each `name=value` of a card, by its name in lower case, without quotes and braces."""
    found = assigned(text)
    ends = [*(start for _, start, _ in found), len(text)][1:]
    pairs = zip(found, ends, strict=True) if found else ()
    return {name: text[value:end].strip(" \t'\"{}") for (name, _, value), end in pairs}
