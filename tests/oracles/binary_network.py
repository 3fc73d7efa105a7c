"""A binary network in whole numbers: activations +1 and -1, XNOR and count, one integer comparison an output."""

import numpy as np


def xnor_layer(signs_in, weight, threshold_of_signs, rising):
    """Return +1 and -1 (B, C) of inputs +1 and -1 (B, R): agreements less disagreements, compared."""
    out = np.empty((len(signs_in), weight.shape[1]), int)
    for b in range(len(signs_in)):
        for c in range(weight.shape[1]):
            agree = sum(1 for x, w in zip(signs_in[b], weight[:, c], strict=True) if (x > 0) == (w > 0))
            total = 2 * agree - len(weight)
            one = total >= threshold_of_signs[c] if rising[c] else total <= threshold_of_signs[c]
            out[b, c] = 1 if one else -1
    return out


def windows_of(image, kernel):
    """Return the windows (Ho Wo, C k k) of an image (C, H, W), row by row, channels outermost."""
    _, high, wide = image.shape
    found = [
        image[:, i : i + kernel, j : j + kernel].ravel()
        for i in range(high - kernel + 1)
        for j in range(wide - kernel + 1)
    ]
    return np.array(found)


def pooled_counts(counts, size):
    """Return the largest of each field of `size` x `size` of counts (C, H, W)."""
    channels, high, wide = counts.shape
    out = np.empty((channels, high // size, wide // size), int)
    for c, i, j in np.ndindex(out.shape):
        out[c, i, j] = counts[c, i * size : (i + 1) * size, j * size : (j + 1) * size].max()
    return out
