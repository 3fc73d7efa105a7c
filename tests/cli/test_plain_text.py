"""Where a terminal's encoding lacks a sign: other letters stand for it, and a number keeps its prefix."""

import io
import subprocess
import sys

import pytest

from rramkit.cli.plain_text import use_plain_text


def written(text: str, encoding: str) -> bytes:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    use_plain_text((stream,))
    stream.write(text)
    stream.flush()
    return raw.getvalue()


@pytest.mark.parametrize(
    ("encoding", "wanted"),
    [
        ("ascii", b"9.2 uS, 10 kohm, -3, 2 +- 1, |-+?"),
        ("latin-1", b"9.2 \xb5S, 10 kohm, -3, 2 \xb1 1, |-+?"),
        ("utf-8", "9.2 \u00b5S, 10 k\u03a9, \u22123, 2 \u00b1 1, \u2502\u2500\u253c\u4e16".encode()),
    ],
)
def test_a_number_keeps_its_prefix_and_unit(encoding, wanted):
    text = "9.2 \u00b5S, 10 k\u03a9, \u22123, 2 \u00b1 1, \u2502\u2500\u253c\u4e16"
    assert written(text, encoding) == wanted


def test_the_bytes_of_a_name_that_is_no_text_are_kept():
    assert written("caf\udce9", "ascii") == b"caf\xe9"


def test_a_command_prints_on_a_terminal_of_any_encoding(tmp_path):
    (tmp_path / "p.csv").write_text(
        "polarity,G (uS)\n"
        + "".join(f"set,{2 + k}\n" for k in range(12))
        + "".join(f"reset,{13 - k}\n" for k in range(12))
    )
    done = subprocess.run(
        [sys.executable, "-c", "from rramkit.cli import main; main()", "import", "p.csv", "-o", "t.h5"],
        cwd=tmp_path,
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin"},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    assert b"2 to 13 uS" in done.stdout
