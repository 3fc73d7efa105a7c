"""Files of data sets: local copies, or downloads with a checksum."""

import hashlib
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from rramkit.errors import InputError, SetupError
from rramkit.files import whole_file

_TIMEOUT = 30.0  # s without data after which a download fails


@dataclass(frozen=True)
class Remote:
    """One file of a data set: its name, address and published MD5 sum."""

    set_name: str
    file: str
    url: str
    md5: str


def fetch(remote: Remote, folder: Path, subfolder: str, *, also: tuple[str, ...] = (), download: bool) -> Path:
    """Return the path of a file that lies in `folder` or in its `subfolder`, under its own name or one of `also`.

    Raises
    ------
    InputError
        When it is missing and `download` is false.
    SetupError
        When the download fails or has another MD5 sum.
    """
    candidates = [where / name for where in (folder / subfolder, folder) for name in (remote.file, *also)]
    local = next((path for path in candidates if path.is_file()), None)
    if local is not None:
        return local
    by_hand = f"save {remote.url} as {candidates[0]} (MD5 {remote.md5})"
    if not download:
        raise InputError(
            f"{remote.set_name}: {remote.file} is neither in {folder / subfolder} nor in {folder}. "
            f"Set `data.folder`, or `data.download = true`, or {by_hand}."
        )
    try:
        _download(remote, candidates[0])
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise SetupError(f"{remote.set_name}: the download failed ({reason}). By hand: {by_hand}.") from error
    return candidates[0]


def _download(remote: Remote, path: Path) -> None:
    with urllib.request.urlopen(remote.url, timeout=_TIMEOUT) as response:
        content = response.read()  # 170 MB at most
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if digest != remote.md5:
        raise SetupError(
            f"{remote.set_name}: {remote.url} gave a file of MD5 {digest}, expected {remote.md5}. "
            f"By hand: save the right file as {path}."
        )
    with whole_file(path) as draft:
        draft.write_bytes(content)
