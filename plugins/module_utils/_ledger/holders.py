# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who this process is, and whether the process of a claim is surely gone."""

from __future__ import annotations

import os
import socket

from .entries import Holder


def this_holder() -> Holder:
    """Return the claimant's card of this process."""
    pid = os.getpid()
    return Holder(host=socket.gethostname(), pid=pid, started=_started(pid), space=_space())


def is_gone(holder: Holder) -> bool:
    """Tell whether the process of *holder* has surely ended.

    Only a process of this machine, this boot and this pid namespace can be judged; of any other nothing is sure.
    """
    if (holder.host, holder.space) != (socket.gethostname(), _space()):
        return False
    if holder.started:
        return bool(holder.space) and _started(holder.pid) != holder.started
    return not _pid_in_use(holder.pid)


def is_running(holder: Holder) -> bool:
    """Tell whether the process of *holder* surely runs, so that it will record an outcome itself."""
    same_place = (holder.host, holder.space) == (socket.gethostname(), _space())
    return same_place and not is_gone(holder)


def _started(pid: int) -> str:
    """Return the start of a living process in clock ticks since boot: proc(5), stat, field 22."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return ""
    # Field 3 comes first behind the command's name; a zombie has ended and only waits for its parent.
    return "" if len(fields) < 20 or fields[0] in {"Z", "X"} else fields[19]


def _space() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
            return f"{boot.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _pid_in_use(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
