"""The notebook `docs/tour.ipynb`: without outputs, and every cell of code runs, in order and in one namespace."""

import json

import matplotlib.pyplot as plt
from fixtures.pages import ROOT

NOTEBOOK = json.loads((ROOT / "docs" / "tour.ipynb").read_text(encoding="utf-8"))
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_it_is_a_notebook_without_outputs():
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CODE)
    names = [cell["id"] for cell in NOTEBOOK["cells"]]
    assert len(set(names)) == len(names)


def test_its_cells_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, cell in enumerate(CODE):
        exec(compile("".join(cell["source"]), f"tour.ipynb, cell {number}", "exec"), names)
        plt.close("all")
    shown = capsys.readouterr().out
    assert "in RRAM" in shown and "with 4 bits" in shown and "v_pulse" in shown, "what the text speaks of"
