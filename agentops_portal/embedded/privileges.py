"""Linux calls that Python's standard library lacks: dying with the parent, and giving up root without losing the way.

On other systems the first does nothing: the supervisor's own clean-up is then the only one.
"""

import ctypes
import os
import signal
import sys
from typing import Any

# <linux/prctl.h> and <linux/capability.h>
_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_SECBIT_NO_SETUID_FIXUP = 1 << 2  # <linux/securebits.h>
_CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilitySet(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(stop_signal: int = signal.SIGTERM, parent: int = 0) -> None:
    """Have the kernel send `stop_signal` to this process when its parent ends, however it ends (prctl(2)).

    It outlives exec, but not a change of user: call it after that. With `parent`, the process ends at once when that
    process is its parent no more.
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
    if parent and os.getppid() != parent:
        os._exit(1)


def become(uid: int, gid: int, keep_access: bool = False) -> None:
    """Give up root for `uid` and `gid`, for good. Raises OSError when this root may not.

    With `keep_access` this process and what it starts keep the one capability that passes closed folders,
    CAP_DAC_OVERRIDE: for a checkout in /root, which is nobody else's, where the alternative would be to open root's
    home to everybody.
    """
    if keep_access:
        # access(2), by which PostgreSQL's programs look for each other, counts no capability of a user that is not
        # root without this. It leaves all of them to this process, too, until capset(2) below.
        _call(_libc.prctl, _PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if keep_access:
        mask = 1 << _CAP_DAC_OVERRIDE
        header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
        sets = (_CapabilitySet * 2)(_CapabilitySet(mask, mask, mask), _CapabilitySet(0, 0, 0))
        _call(_libc.capset, ctypes.byref(header), sets)
        _call(_libc.prctl, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _call(function: Any, *arguments: Any) -> None:
    """Call a function of the C library that answers -1 for an error. Raises OSError."""
    if function(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
