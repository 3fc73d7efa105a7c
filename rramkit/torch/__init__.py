# pyright: reportMissingImports=false
"""PyTorch modules whose matrix products go through tiles; `convert` puts an existing model onto them.

The parameters of a module stay where they were, in memory, and any optimiser changes them. Before a product the cells
are written if the content of the weight is no longer what was written last, however it was changed. Then::

    forward    y = read(x)                     rows driven, one read of the batch
    backward   dL/dx = read^T(dL/dy)           bit lines driven; or from the weight in memory (`backward="digital"`)
               dL/dw = x^T dL/dy               digital, an outer product

Each vector is scaled by its largest magnitude to the full read voltage. Bias and everything between modules is digital.
Install with the extra: rramkit[torch].
"""

from rramkit.errors import SetupError

try:
    import torch as _torch  # noqa: F401  (only whether it is there)
except ImportError as error:
    raise SetupError(
        "rramkit.torch needs PyTorch, which is not installed. Run: pip install 'rramkit[torch]'"
    ) from error

from rramkit.learning.chip import ChipSettings
from rramkit.learning.layer_mapping import LayerMapping
from rramkit.torch.arrays import array_of_chip
from rramkit.torch.attention import TileMultiheadAttention
from rramkit.torch.cells import TileMatrix, TileOptions, Write
from rramkit.torch.convert import calibrate, cells_of, convert
from rramkit.torch.convolution import TileConv1d, TileConv2d
from rramkit.torch.linear import TileLinear
from rramkit.torch.pulses import PulseWrite, PulseWrites
from rramkit.torch.recurrent import TileGRU, TileLSTM, TileRNN

__all__ = [
    "ChipSettings",
    "LayerMapping",
    "PulseWrite",
    "PulseWrites",
    "TileConv1d",
    "TileConv2d",
    "TileGRU",
    "TileLSTM",
    "TileLinear",
    "TileMatrix",
    "TileMultiheadAttention",
    "TileOptions",
    "TileRNN",
    "Write",
    "array_of_chip",
    "calibrate",
    "cells_of",
    "convert",
]
