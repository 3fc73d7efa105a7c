"""Futures of one library as those of the kit: the same results, errors in the kit's own terms."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TypeVar

_Result = TypeVar("_Result")


def translated(inside: "Future[_Result]", in_kit_terms: Callable[[BaseException], BaseException]) -> "Future[_Result]":
    """Return a future that ends when `inside` does, its error or cancellation put into other words."""
    outside: Future[_Result] = Future()

    def pass_on(ended: "Future[_Result]") -> None:
        error = CancelledError() if ended.cancelled() else ended.exception()
        if error is None:
            outside.set_result(ended.result())
        else:
            outside.set_exception(in_kit_terms(error))

    inside.add_done_callback(pass_on)
    return outside
