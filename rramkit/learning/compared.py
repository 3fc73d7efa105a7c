"""References of the comparators that read matrices of the mapping `sei`, from the step layers behind them.

A step layer says 1 where scale x W + bias, pooled or not, exceeds its threshold. The comparator of output m decides
that before pooling, which for a maximum is the same, so its reference is (threshold - bias_m) / scale.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rramkit.array.selected_matrix import SelectedMatrix
from rramkit.errors import InputError
from rramkit.learning.layers import AnyLayer, Chain, Convolution, Dense, Flatten, MaxPool, Params, Step


def compared(chain: Chain, params: Params) -> Params:
    """Return the numbers of a network, each matrix that is read by comparators with its references.

    Parameters
    ----------
    chain : Chain
        The layers.
    params : Params
        Their numbers.

    Returns
    -------
    Params
        The same, where no matrix is read by comparators.

    Raises
    ------
    InputError
        When no step layer says what such a matrix is compared with, or its outputs are a part of sums.
    """
    if not any(isinstance(each, SelectedMatrix) for each in params.matrices):
        return params
    matrices = []
    for index, own in enumerate(params.split([layer.sizes for layer in chain.layers])):
        for matrix in own.matrices:
            if isinstance(matrix, SelectedMatrix):
                _check_whole(chain.layers[index], index)
                threshold = _threshold(chain.layers, index)
                bias = own.vectors[0] if own.vectors else np.zeros(1)
                reference = (threshold - bias) / own.scales[0]
                matrix = matrix.compared(np.broadcast_to(reference, matrix.outputs).astype(float))
            matrices.append(matrix)
    return replace(params, matrices=tuple(matrices))


def _check_whole(layer: AnyLayer, index: int) -> None:
    """Refuse layers whose matrices give parts of a sum, or stand before others inside: bits of them are none of y."""
    if not isinstance(layer, Dense | Convolution):
        raise InputError(
            f"layer {index} in the mapping `sei` must be `dense` or a `convolution`, whose outputs its comparators "
            f"decide; got {type(layer).model_fields['kind'].default}. Give its matrices another mapping: "
            "`mapping.layers`."
        )


def _threshold(layers: Sequence[AnyLayer], index: int) -> np.ndarray:
    """Return the thresholds (1,) or (C,) of the step layer behind layer `index`."""
    flat = False
    for layer in layers[index + 1 :]:
        if isinstance(layer, Step) and not (flat and len(layer.threshold) > 1):
            return np.asarray(layer.threshold)
        if not isinstance(layer, MaxPool | Flatten):
            break
        flat = flat or isinstance(layer, Flatten)
    following = [str(type(each).model_fields["kind"].default) for each in layers[index + 1 : index + 3]]
    raise InputError(
        f"layer {index} in the mapping `sei` must be followed by a `step` layer, which its comparators stand for, with "
        f"nothing but `max_pool` and `flatten` before that; got {', then '.join(following) or 'nothing'}. Put a step "
        f"layer there, or give the layer another mapping: `mapping.layers.{index}.weights`."
    )
