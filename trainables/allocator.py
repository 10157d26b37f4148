"""Memory of a process that trains on a CPU: kept, not given back after every step."""

import ctypes

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of glibc's malloc.h
_LARGEST = 2**31 - 1


def give_back() -> None:
    """Return what is free after work that does not come again, such as deriving features."""
    if hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)


def keep_freed_memory() -> None:
    """Have glibc reuse large blocks that were freed.

    By default it maps each anew and returns it, and the kernel clears every page again: with a
    frozen EfficientNet-Lite0 that is half of the processor's time. A process then keeps what it
    needed at its peak, which it would need again in the next step. Where malloc is another
    (macOS, musl), nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return
    mallopt(_TRIM_THRESHOLD, _LARGEST)
    mallopt(_MMAP_MAX, 0)
