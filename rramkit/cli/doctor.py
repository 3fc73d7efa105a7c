"""`rramkit doctor`: what was found on this machine, what is missing, and the cure for each."""


def doctor() -> None:
    """Print what the kit found on this machine, with the cure for whatever is missing."""
