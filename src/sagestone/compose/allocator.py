"""The C library's allocator, told how this process uses threads and large pieces of memory."""

import ctypes
from typing import Final

#: malloc.h of glibc.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_ARENAS: Final = 2
#: Bytes. The embedded store takes objects by pieces of a MiB, and they must cost no system call.
_LARGE: Final = 1536 * 1024
_FREE_AT_THE_END: Final = 4 * 1024 * 1024  # of each arena


def tell_allocator() -> None:
    """Let nothing that was large for a moment stay with this process; another C library than glibc does without.

    All threads share two arenas: each of some forty would get one of its own, and keep there what its largest request
    needed. Python's threads take turns: more arenas gain nothing.

    Pieces of 1.5 MiB and more are mapped one by one, and gone when they are freed. glibc begins like that, but takes
    the largest piece that was ever freed for usual from then on, and puts all smaller ones into its arenas: between
    bodies, texts and answers of megabytes small things remained that live long, and no page of theirs came back.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _FREE_AT_THE_END)


def give_back_free_memory() -> None:
    """Give the system every page that nothing lies on; takes a millisecond, from any thread.

    Requests of up to a MiB leave such pages between what lives long: the fuzzer's service held 20 MiB of them.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(_FREE_AT_THE_END))
