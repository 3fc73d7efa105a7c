"""The tour and every tutorial, walked from an empty folder with only what the page says.

The one that needs PyTorch is walked in `tests/tensors/`.
"""

import pytest
from fixtures.pages import PAGES, Block, Walk, blocks

SPICE = {"docs/tour.md", "docs/own-process.md", "docs/tutorials/own-cell.md"}
"""Pages whose quick part runs ngspice."""


def walked(page: str) -> list[Block]:
    """Return the blocks of a page that its walk goes through."""
    found = [block for block in blocks(page) if "not run" not in block.marks]
    return [] if any("import torch" in block.text for block in found) else found


def quick(page: str) -> list[Block]:
    """Return the blocks before the first one that takes minutes."""
    found = walked(page)
    return found[: next((k for k, block in enumerate(found) if "long" in block.marks), len(found))]


def walk(todo: list[Block], reader: Walk) -> None:
    for block in todo:
        reader.block(block)


@pytest.fixture
def reader(tmp_path, monkeypatch, kit, capfd):
    monkeypatch.chdir(tmp_path)
    return Walk(kit, capfd)


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.spice] if page in SPICE else [], id=page) for page in PAGES if quick(page)],
)
def test_a_page_walked_to_its_first_long_step(page, reader):
    walk(quick(page), reader)


@pytest.mark.long
@pytest.mark.spice
@pytest.mark.parametrize("page", [page for page in PAGES if quick(page) != walked(page)])
def test_a_page_walked_to_its_end(page, reader):
    walk(walked(page), reader)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_worth_walking(page):
    """A tutorial has something to do, and each step that no walk takes says why."""
    left_out = [block.place for block in blocks(page) if "not run" in block.marks and not block.marks["not run"]]
    assert not left_out, "`<!-- not run: REASON -->` must give its reason"
    assert any(block.commands() or block.language == "python" for block in blocks(page))
