"""Whether the kit runs from a checkout, and whether its symbolic links are links: else half of it is not importable."""

from pathlib import Path

LINKS = ("circuits", "netlists", "characterization")
"""Packages of `rramkit` that are links to the folders of the same names beside it."""


_PACKAGE = Path(__file__).resolve().parents[1]


def in_checkout(package: Path = _PACKAGE) -> bool:
    """Return whether the kit runs from a checkout, where `make` works; a wheel has none."""
    return (package.parent / "pyproject.toml").is_file() and (package.parent / "Makefile").is_file()


def links_complaint(package: Path = _PACKAGE) -> str | None:
    """Return what is wrong with the links of the package's folder, and the cure; None when they are sound."""
    broken = [name for name in LINKS if not (package / name).is_dir()]
    if not broken:
        return None
    names = ", ".join(f"rramkit/{name}" for name in broken)
    return (
        f"{names} must be a symbolic link to the folder beside `rramkit`; this checkout has a plain file or nothing "
        f"there. {_cure(package.parent)}"
    )


def _cure(root: Path) -> str:
    """Return how the links come back: from git, or by hand where the files came as a ZIP or an sdist."""
    if (root / ".git").exists():
        paths = " ".join(f"rramkit/{name}" for name in LINKS)
        return f"Run `git config core.symlinks true`, then `git checkout -- {paths}`."
    names, targets = " ".join(LINKS), " ".join(f"../{name}" for name in LINKS)
    return f"Run in {root}: `cd rramkit && rm -rf {names} && ln -s {targets} .`."
