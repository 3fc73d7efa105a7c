"""docs/tutorials/gpu.md, walked: on a GPU where there is one."""

import pytest
from fixtures.pages import Walk, blocks

pytest.importorskip("torch")


def test_the_tutorial_runs(tmp_path, monkeypatch, kit, capfd):
    monkeypatch.chdir(tmp_path)
    reader = Walk(kit, capfd)
    printed = ""
    for block in (each for each in blocks("docs/tutorials/gpu.md") if "not run" not in each.marks):
        reader.block(block)
        printed += reader.printed
    assert "largest difference" in printed and "0.cells" in printed and " nJ" in printed
