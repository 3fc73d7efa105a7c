"""Files of data sets: found in a folder, or downloaded into it with a checksum."""

import hashlib
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from rramkit.errors import InputError, SetupError
from rramkit.files import whole_file

_PATIENCE = 30.0  # s without a byte before a download is given up


@dataclass(frozen=True)
class Remote:
    """One file of a data set: its name, where it lives, and its MD5 sum as published beside it."""

    set_name: str
    file: str
    url: str
    md5: str


def fetched(remote: Remote, folder: Path, subfolder: str, *, also: tuple[str, ...] = (), download: bool) -> Path:
    """Return the path of a file that lies in `folder` or in its `subfolder`, under its own name or one of `also`.

    Raises
    ------
    InputError
        When it is missing and no download was asked for.
    SetupError
        When the download fails or brings something else.
    """
    places = [where / name for where in (folder / subfolder, folder) for name in (remote.file, *also)]
    found = next((path for path in places if path.is_file()), None)
    if found is not None:
        return found
    by_hand = f"save {remote.url} as {places[0]} (MD5 {remote.md5})"
    if not download:
        raise InputError(
            f"{remote.set_name}: {remote.file} is neither in {folder / subfolder} nor in {folder}. "
            f"Set `data.folder`, or `data.download = true`, or {by_hand}."
        )
    try:
        _download(remote, places[0])
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise SetupError(f"{remote.set_name}: the download failed ({reason}). By hand: {by_hand}.") from error
    return places[0]


def _download(remote: Remote, path: Path) -> None:
    with urllib.request.urlopen(remote.url, timeout=_PATIENCE) as answer:
        content = answer.read()  # 170 MB at most
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if digest != remote.md5:
        raise SetupError(
            f"{remote.set_name}: {remote.url} brought MD5 {digest}, not {remote.md5}. "
            f"By hand: save the right file as {path}."
        )
    with whole_file(path) as draft:
        draft.write_bytes(content)
