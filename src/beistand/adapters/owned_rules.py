"""Rules of nftables that belong to this process: nobody else can flush or change them, and they end with it.

The owner of a table is the netlink socket that made it (NFT_TABLE_F_OWNER, Linux 5.12), so no program that ends can
make it. libnftables is what `nft` itself calls; the package nftables brings it.
"""

import ctypes
from typing import Any

LIBRARY = "libnftables.so.1"


class OwnedRules:
    """One set of tables at a time. Callers see to it that one thread uses it at a time."""

    def __init__(self) -> None:
        self._context: int | None = None
        self._library = _library()

    def load(self, text: str) -> bool:
        """Have these tables in place of those of before; return whether the kernel took them."""
        self.release()
        if self._library is None:
            return False
        context = self._library.nft_ctx_new(0)
        if not context:
            return False
        self._library.nft_ctx_buffer_error(context)
        if self._library.nft_run_cmd_from_buffer(context, text.encode()):
            self._library.nft_ctx_free(context)
            return False
        self._context = context
        return True

    def release(self) -> None:
        """Take them away: with its socket."""
        if self._context is not None and self._library is not None:
            self._library.nft_ctx_free(self._context)
        self._context = None


def _library() -> Any:
    """Return libnftables (libnftables(3)); None where it is not there."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    library.nft_ctx_free.argtypes = [ctypes.c_void_p]
    library.nft_ctx_buffer_error.argtypes = [ctypes.c_void_p]
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return library
