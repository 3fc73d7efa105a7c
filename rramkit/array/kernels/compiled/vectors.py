# pyright: reportMissingImports=false
"""Vector instructions: how wide the compiler may make them, and the bits of a number within a vector.

LLVM takes 256 bits where the processor has 512 but for functions that say otherwise; kernels that do much arithmetic
for each number from memory, as normal numbers do, take 0.7 of the time in 512. What they compute stays the same.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def widest(typing_context):  # noqa: ANN001, ANN201
    """Let the function that calls this, and what is inlined into it, take vectors of 512 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        # a text that llvmlite has no name for: past its check, which knows attributes without a value only
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), generate


@intrinsic
def bits_of(typing_context, number):  # noqa: ANN001, ANN201
    """Return the 32 bits of a number in float32 as a whole number."""
    return types.int32(types.float32), _cast(ir.IntType(32))


@intrinsic
def of_bits(typing_context, bits):  # noqa: ANN001, ANN201
    """Return the number in float32 that has these 32 bits."""
    return types.float32(types.int32), _cast(ir.FloatType())


def _cast(kind: Any) -> Any:  # noqa: ANN401
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.bitcast(arguments[0], kind)

    return generate
