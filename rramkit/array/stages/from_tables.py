"""A read chain's numbers from the blocks that a table file characterises, where it does.

* `dac` (axes `code`, `g_cell`): levels and transfer of the input converter, from the voltage `v_row` that each code
  puts on a row whose cells have the middle conductance of the table, less that of code 0, over the highest; and the
  energy of a level, its mean.
* `adc` (conditions `bits`, `t_conversion`; `v_ref`) with `transimpedance` (signals `i_in`, `v_out`): bits and time of
  the output converter, and its full scale, the current whose output voltage is `v_ref`. The energy of a conversion is
  the mean of `adc_conversion`'s.

Where each code begins (integral nonlinearity) is in the table but not taken up here: levels are evenly spaced.
"""

import numpy as np

from rramkit.array.stages.adc import Adc
from rramkit.array.stages.chain import ReadChain
from rramkit.array.stages.row_driver import RowDriver
from rramkit.errors import TableError
from rramkit.table import Table, TableFile


def characterised_chain(tables: TableFile, chain: ReadChain | None = None) -> ReadChain:
    """Return `chain` with the converters that the table file knows; what it does not know stays."""
    chain, found = chain or ReadChain(), {}
    if "dac" in tables.tables:
        found["dac"] = _input(tables["dac"], chain.dac)
    if "adc" in tables.tables:
        found["converter"] = _output(tables, chain.converter)
    return ReadChain.checked({**chain.model_dump(), **found}, where="the table's blocks")


def _input(table: Table, dac: RowDriver) -> dict[str, object]:
    v_row = np.asarray(_signal(table, "v_row"), dtype=float)
    v_row = v_row.reshape(v_row.shape[0], -1)
    driven = v_row[:, v_row.shape[1] // 2] - v_row[0, v_row.shape[1] // 2]
    if driven[-1] == 0.0:
        raise TableError("`dac/v_row` must differ between the first and the last code. Characterise again.")
    transfer = np.clip(np.maximum.accumulate(driven / driven[-1]), 0.0, 1.0)
    energy = float(np.mean(_signal(table, "energy"))) if "energy" in table.signals else dac.energy
    return {**dac.model_dump(), "levels": transfer.size, "transfer": tuple(transfer.tolist()), "energy": energy}


def _output(tables: TableFile, converter: Adc) -> dict[str, object]:
    table = tables["adc"]
    values = converter.model_dump()
    values |= {"bits": round(table.condition("bits")), "t_convert": table.condition("t_conversion")}
    if "adc_conversion" in tables.tables:
        values["energy"] = float(np.mean(_signal(tables["adc_conversion"], "energy")))
    if "transimpedance" in tables.tables:
        sense = tables["transimpedance"]
        i_in, v_out = (np.abs(_signal(sense, name)).ravel() for name in ("i_in", "v_out"))
        values["i_high"] = table.condition("v_ref") * float(i_in @ i_in) / float(i_in @ v_out)  # least squares
    return values


def _signal(table: Table, name: str) -> np.ndarray:
    if name not in table.signals:
        raise TableError(f"table `{table.name}` lacks the signal `{name}`. Characterise again.")
    return np.asarray(table.signals[name].values)
