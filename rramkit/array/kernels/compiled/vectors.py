# pyright: reportMissingImports=false
"""Vector instructions: how wide the compiler may make them, and what a loop over numbers side by side needs.

LLVM takes 256 bits where the processor has 512 but for functions that say otherwise; kernels that do much arithmetic
for each number from memory, as normal numbers do, take 0.7 of the time in 512. What they compute stays the same.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload


def _widest(typing_context: Any) -> Any:  # noqa: ANN401
    """Let the function that calls this, and what is inlined into it, take vectors of 512 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        # a text that llvmlite has no name for: past its check, which knows attributes without a value only
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), generate


def _bits_of(typing_context: Any, number: Any) -> Any:  # noqa: ANN401
    """Return the 32 bits of a number in float32 as a whole number."""
    return types.int32(types.float32), _cast(ir.IntType(32))


def _of_bits(typing_context: Any, bits: Any) -> Any:  # noqa: ANN401
    """Return the number in float32 that has these 32 bits."""
    return types.float32(types.int32), _cast(ir.FloatType())


def _cast(kind: Any) -> Any:  # noqa: ANN401
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.bitcast(arguments[0], kind)

    return generate


widest: Any = intrinsic(_widest)
bits_of: Any = intrinsic(_bits_of)
of_bits: Any = intrinsic(_of_bits)


def at(values: Any, place: int) -> Any:  # noqa: ANN401
    """Return the value at a place of an array, or a number that holds at every place, in compiled code."""
    return values[place] if hasattr(values, "shape") else values


@overload(at)
def _at(values, place):  # noqa: ANN001, ANN202
    if isinstance(values, types.Array):
        return lambda values, place: values[place]
    return lambda values, place: values
