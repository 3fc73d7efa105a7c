"""Windows of a convolution added up to images again."""

import numpy as np

from rramkit.array.kernels import reference
from rramkit.array.kernels.parts import in_parts
from rramkit.compiling import kernel


def folded(parts: np.ndarray, shape: tuple[int, int, int, int], stride: int, pad: int) -> np.ndarray:
    """Return images, each the sum of what its windows have at its pixels: see `reference.folded`; without gaps."""
    if not (isinstance(parts, np.ndarray) and parts.dtype == np.float32 and parts.flags.c_contiguous):
        return reference.folded(parts, shape, stride, pad)
    out = np.zeros(shape, parts.dtype)
    in_parts(lambda *part: _folded(parts, out, stride, pad, *part), shape[0], parts.size)
    return out


@kernel
def _folded(parts, out, stride, pad, first, last):  # noqa: ANN001, ANN202
    for c in range(first, last):
        for i in range(parts.shape[1]):
            for j in range(parts.shape[2]):  # in this order at every pixel, as the reference adds
                for down in range(parts.shape[3]):
                    y = down * stride + i - pad
                    if y < 0 or y >= out.shape[1]:
                        continue
                    for across in range(parts.shape[4]):
                        x = across * stride + j - pad
                        if x < 0 or x >= out.shape[2]:
                            continue
                        part, pixel = parts[c, i, j, down, across], out[c, y, x]
                        for b in range(pixel.size):
                            pixel[b] += part[b]
