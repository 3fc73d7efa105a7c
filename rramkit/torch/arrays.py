"""Arrays of PyTorch modules: those of a table file with every stage of a read that it has, as `rramkit train` does."""

from rramkit.array.model import ArrayModel
from rramkit.array.stages.chain import ReadChain
from rramkit.errors import InputError
from rramkit.learning.chip import Chip, ChipSettings
from rramkit.table import TablesLike, loaded


def array_of_chip(
    tables: TablesLike, settings: ChipSettings | None = None, *, chain: ReadChain | None = None, wires: bool = True
) -> ArrayModel:
    """Return the arrays of a table file with every stage of a read that it has, as `rramkit train` takes them.

    Parameters
    ----------
    tables : TableFile, str or Path
        The table file.
    settings : ChipSettings, optional
        Stages that are off, operating point, whether typed numbers override the file's; left out, everything.
    chain : ReadChain, optional
        Stages with typed numbers.
    wires : bool
        Whether lines have resistance.

    Returns
    -------
    ArrayModel
        The arrays.

    Raises
    ------
    InputError
        When `settings.off` names no stage, or a typed number is a table's without `override`.
    TableError
        When the file lacks a table, a signal or the operating point.

    Examples
    --------
    >>> from rramkit.table.example import example
    >>> from rramkit.torch import array_of_chip
    >>> array_of_chip(example())
    ArrayModel(4 to 90 uS, fast wires to 64 x 128, stages: none)
    """
    settings = settings or ChipSettings()
    chip = Chip.of(settings.tables(loaded(tables)), settings, chain=chain, wires=wires)
    return ArrayModel(chip.tables.read, wires=chip.wires, chain=chip.chain)


def arrays_of(tables: TablesLike | ArrayModel, settings: ChipSettings | None = None) -> ArrayModel:
    """Return arrays as they were made, or those of a table file with all of its stages less what settings leave out.

    Raises
    ------
    InputError
        When settings are given beside arrays that are made already; else as `array_of_chip`.
    """
    if not isinstance(tables, ArrayModel):
        return array_of_chip(tables, settings)
    if settings is not None:
        raise InputError(
            "`chip` must be left out beside an ArrayModel, whose stages are chosen; got both. Pass the table file."
        )
    return tables
