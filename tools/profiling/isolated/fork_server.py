"""The program of the process that has the libraries imported and forks one worker a job; never imported by the product.

It reads no file of a model: what does is the forked worker, after it has cut itself off like a freshly started one.
Arguments: the handle of its socket, the seconds it waits for a job, and the modules to import.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

sys.path.append(str(Path(__file__).resolve().parent))  # at the end: nothing of the libraries can be hidden by our names

_MESSAGE_BYTES = 65_536
_STREAMS = 3
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ENTRY_BYTES = 8
_PRESENT = 1 << 63
_MADV_POPULATE_READ = 22
_PR_SET_DUMPABLE = 4

Ranges = list[tuple[int, int]]
"""Address and length in bytes of memory that is resident."""


def resident_file_ranges() -> Ranges:
    """Pages of files that are mapped and resident here; a fork leaves them out until they are touched."""
    found: Ranges = []
    with Path("/proc/self/pagemap").open("rb", buffering=0) as pagemap:
        for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
            span, rights, _offset, _device, inode = line.split()[:5]
            if inode == "0" or rights[0] != "r":
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            pagemap.seek(start // _PAGE * _ENTRY_BYTES)
            entries = array.array("Q", pagemap.read((end - start) // _PAGE * _ENTRY_BYTES))
            found += _runs(start, entries)
    return found


def _runs(start: int, entries: array.array[int]) -> Ranges:
    found: Ranges = []
    for place, entry in enumerate(entries):
        if not entry & _PRESENT:
            continue
        address = start + place * _PAGE
        if found and sum(found[-1]) == address:
            found[-1] = (found[-1][0], found[-1][1] + _PAGE)
        else:
            found.append((address, _PAGE))
    return found


def touch(ranges: Ranges) -> None:
    """Make them resident in this process too."""
    libc = ctypes.CDLL(None, use_errno=True)
    for address, length in ranges:
        if libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(length), _MADV_POPULATE_READ) != 0:
            for page in range(address, address + length, _PAGE):  # a kernel before 5.14
                ctypes.string_at(page, 1)


class _Worker:
    """The forked worker of the present job."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.handle = os.pidfd_open(pid)

    def kill(self) -> None:
        """Kill its group; it is not waited for yet, so the number is still its own."""
        with contextlib.suppress(ProcessLookupError):  # it had no time yet to found its group
            os.killpg(self.pid, signal.SIGKILL)
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> int:
        """Its exit status, a signal's number negative, after whatever it started was killed too."""
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self.kill()
        os.close(self.handle)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _fork(control: socket.socket, message: dict, streams: list[int], ranges: Ranges) -> _Worker:
    child = os.fork()
    if child == 0:
        _become_worker(control, message, streams, ranges)
    for stream in streams:
        os.close(stream)
    return _Worker(child)


def _become_worker(control: socket.socket, message: dict, streams: list[int], ranges: Ranges) -> NoReturn:
    """Take on what a freshly started worker has, then run its program."""
    code = 1
    try:
        control.close()
        os.setsid()
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
            os.close(stream)
        os.chdir(message["folder"])
        touch(ranges)
        sys.argv = [message["program"]]
        runpy.run_path(message["program"], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 (whatever happens, the child must not go on as a second server)
        traceback.print_exc()
    finally:
        os._exit(code)


def _serve(control: socket.socket, idle_s: float, ranges: Ranges) -> None:
    """Fork workers, one at a time, until the other end is gone or has been silent for long."""
    worker: _Worker | None = None
    while True:
        watched = [control] if worker is None else [control, worker.handle]
        ready = select.select(watched, [], [], idle_s if worker is None else None)[0]
        if not ready:
            return
        if control in ready:
            content, streams, _flags, _address = socket.recv_fds(control, _MESSAGE_BYTES, _STREAMS)
            if not content:
                if worker is not None:
                    worker.kill()
                return
            if len(streams) == _STREAMS and worker is None:
                worker = _fork(control, json.loads(content), streams, ranges)
                control.send(json.dumps({"pid": worker.pid}).encode())
                continue
            if worker is not None:
                worker.kill()
        if worker is not None and worker.handle in ready:
            control.send(json.dumps({"exit": worker.end()}).encode())
            worker = None


def main() -> int:
    """Import, then serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    start = time.perf_counter()
    for name in sys.argv[3:]:
        importlib.import_module(name)
    import_s = time.perf_counter() - start
    ranges = resident_file_ranges()
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.malloc_trim(0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # no worker can look into the process that later ones come from
    control.send(json.dumps({"import_s": import_s}).encode())
    try:
        _serve(control, float(sys.argv[2]), ranges)
    except ConnectionError:  # the other end has gone; a worker dies with this process
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    os._exit(code)
