"""Give up every right before the first byte is read (credentials(7), seccomp(2), setrlimit(2))."""

import ctypes
import os
import platform
import resource
import signal
import struct
from contextlib import suppress

from beistand.reader.asking import Limits

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
SECCOMP_MODE_FILTER = 2
OPEN_FILES = 512
REAL_TIME = 1
"""The lowest priority of SCHED_FIFO: before all ordinary processes, behind everybody else's."""
REAL_TIME_MICROSECONDS = 500_000
"""Of the processor in one go at that priority; a step under a lock takes less than 1,000."""

# What nobody needs who reads: network, other programs, other processes, other namespaces. In this order:
# socket socketpair bind connect clone clone3 fork vfork execve execveat kill ptrace mount umount2 chroot setns unshare
# io_uring_setup process_vm_readv process_vm_writev bpf add_key keyctl perf_event_open userfaultfd pidfd_open
_FORBIDDEN = {
    "x86_64": (
        0xC000003E,
        (
            *(41, 53, 49, 42, 56, 435, 57, 58, 59, 322, 62, 101, 165, 166, 161, 308, 272),
            *(425, 310, 311, 321, 248, 250, 298, 323, 434),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(198, 199, 200, 203, 220, 435, 221, 281, 129, 117, 40, 39, 51, 268, 97),
            *(425, 270, 271, 280, 217, 219, 241, 282, 434),
        ),
    ),
}
_X32 = 0x40000000
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050001, 0x7FFF0000
"""Ends the process; EPERM; goes on."""
_libc = ctypes.CDLL(None, use_errno=True)


def give_up_rights(uid: int, gid: int, scratch: int | None, limits: Limits, *, is_first: bool) -> None:
    """Become the account, in an empty root folder or in `scratch`, and never anything else again.

    `is_first`: it runs before all ordinary processes until it says `back_in_line`.
    Without root the account stays what it is, and so does the root folder. Raises OSError, ValueError for uid 0.
    """
    if os.geteuid() == 0:
        if uid == 0 or gid == 0:
            raise ValueError("a reader is never root")
        if scratch is not None:
            os.fchdir(scratch)
        os.chroot(".")
        if is_first:
            _first_in_line()
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    elif scratch is not None:
        os.fchdir(scratch)
    _prctl(PR_SET_DUMPABLE, 0)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _limit(resource.RLIMIT_AS, limits.memory)
    _limit(resource.RLIMIT_CPU, limits.seconds)
    _limit(resource.RLIMIT_FSIZE, limits.file)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    _limit(resource.RLIMIT_CORE, 0)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _filter_calls()


def _first_in_line() -> None:
    with suppress(PermissionError):  # a container without CAP_SYS_NICE: as good as it gets there
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(REAL_TIME))
        _limit(resource.RLIMIT_RTTIME, REAL_TIME_MICROSECONDS)


def back_in_line() -> None:
    """Run as any other process does."""
    if os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO:
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def _limit(kind: int, value: int) -> None:
    _, most = resource.getrlimit(kind)
    if most != resource.RLIM_INFINITY:
        value = min(value, most)
    resource.setrlimit(kind, (value, value))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _filter_calls() -> None:
    """Refuse the forbidden calls; on another kind of machine the account's rights are all that holds."""
    if platform.machine() not in _FORBIDDEN:
        return
    machine, calls = _FORBIDDEN[platform.machine()]
    # Classic BPF over struct seccomp_data: nr at 0, arch at 4.
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, machine), (0x06, 0, 0, _KILL), (0x20, 0, 0, 0)]
    program.append((0x35, len(calls) + 1, 0, _X32))  # the same calls by other numbers
    program += [(0x15, len(calls) - at, 0, number) for at, number in enumerate(calls)]
    program += [(0x06, 0, 0, _ALLOW), (0x06, 0, 0, _REFUSE)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in program))
    head = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(code)))
    if _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, head, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
