"""Child processes that end when we end, however we end: `start_child` for programs, `end_with_parent` inside our own that serve.

Run as a script this file is the step between fork and exec: it changes the account, ties itself to its parent and
becomes the program. Every start pays for its imports, so they are few, and none of them is ours.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
from typing import TYPE_CHECKING, BinaryIO, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from subprocess import Popen

KERNEL_TELLS = sys.platform == "linux"  # the kernel itself signals a child whose parent died
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SAME = (-1, -1)  # no change of account
_PAUSE = 0.5  # seconds between two looks, where nobody tells us


def die_with_parent(death_signal: int = signal.SIGTERM, parent: int | None = None) -> None:
    """Called in a child: from now on it gets `death_signal` when its parent ends, by whatever means.

    `parent` is the parent's process id as the parent knew it: with it, a parent that died before this call is noticed
    too. On Linux the "parent" is the *thread* that forked (prctl(2), PR_SET_PDEATHSIG): fork from the main thread or
    from one that lives as long as the child should.
    """
    parent = os.getppid() if parent is None else parent
    if KERNEL_TELLS:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    else:
        import threading

        threading.Thread(target=_watch_parent, args=(death_signal, parent), daemon=True).start()
    if os.getppid() != parent:
        os.kill(os.getpid(), death_signal)


def end_with_parent(parent: int, patience: float) -> None:
    """Called in a child that serves: SIGTERM when `parent` is gone, and `patience` seconds later the kernel ends what is left.

    The kernel's own signal (`die_with_parent`) will not do here: it can come twice, once for each thread that was for a
    moment the parent, and a server that is told to stop while it stops may hang with the interpreter's lock in its hand.
    Uses the process's alarm clock; SIGALRM must have no handler.
    """
    import threading
    import time

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PAUSE)
        signal.setitimer(signal.ITIMER_REAL, patience)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="watches its parent").start()


def start_child(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    output: BinaryIO | int,
    death_signal: int,
    account: tuple[int, int] | None = None,
    watchdog: bool = not KERNEL_TELLS,
) -> Popen[bytes]:
    """Start `command` as a direct child, in a session of its own, that gets `death_signal` when this process ends.

    `account` is (user id, group id), for root only. `output` takes standard output and error. With `watchdog` a tiny
    process does the kernel's part: it holds the other end of the child's standard input, so leave `stdin` open for as
    long as the child shall live. May be called from any thread.
    """
    import subprocess

    uid, gid = account or _SAME
    step = [sys.executable, "-I", "-S", __file__, str(int(death_signal)), str(os.getpid())]

    def start() -> Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - a list of our own making, no shell
            [*step, str(int(watchdog)), str(uid), str(gid), *map(str, command)],
            env=dict(environment),
            cwd="/",  # ours may be a folder that the account cannot enter
            stdin=subprocess.PIPE if watchdog else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C in our terminal is ours to handle
        )

    return _from_a_lasting_thread(start)


def _from_a_lasting_thread(start: Callable[[], Popen[bytes]]) -> Popen[bytes]:
    """The kernel counts the forking thread as the parent: off the main thread, fork from one that waits for the child."""
    import threading
    from queue import SimpleQueue

    if threading.current_thread() is threading.main_thread():
        return start()
    answer: SimpleQueue[Popen[bytes] | BaseException] = SimpleQueue()

    def launch() -> None:
        try:
            child = start()
        except BaseException as problem:  # noqa: BLE001 - raised again below, in the caller's thread
            answer.put(problem)
            return
        answer.put(child)
        child.wait()

    threading.Thread(target=launch, daemon=True, name="lives as long as its child").start()
    result = answer.get()
    if isinstance(result, BaseException):
        raise result
    return result


def _watch_parent(death_signal: int, parent: int) -> None:
    import time

    while os.getppid() == parent:
        time.sleep(_PAUSE)
    os.kill(os.getpid(), death_signal)


def _leave_watchdog(child: int, death_signal: int) -> None:
    """Fork, twice so that the program never meets a child it did not start, the process that ends `child` for our parent."""
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        return
    if os.fork() == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        try:
            while not select.select([0], [], [], _PAUSE)[0]:
                os.kill(child, 0)
            os.kill(child, death_signal)  # end of file: nobody holds the other end any more
        except ProcessLookupError:
            pass
    os._exit(0)


def _become(
    command: list[str], *, death_signal: int, parent: int, watchdog: bool, account: tuple[int, int]
) -> NoReturn:
    for ours in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):  # Python changed these for itself
        signal.signal(ours, signal.SIG_DFL)
    os.umask(0o077)
    if account != _SAME:
        os.setgroups([])
        os.setgid(account[1])
        os.setuid(account[0])
    if watchdog:
        _leave_watchdog(os.getpid(), death_signal)
    else:
        die_with_parent(death_signal, parent)  # after the change of account, which would undo it
    try:
        os.execv(command[0], command)  # noqa: S606 - becoming that program is the point
    except OSError as problem:
        sys.stderr.write(f"{command[0]}: {problem.strerror}\n")
        os._exit(127)


if __name__ == "__main__":
    _signal, _parent, _ours, _uid, _gid = map(int, sys.argv[1:6])
    _become(sys.argv[6:], death_signal=_signal, parent=_parent, watchdog=bool(_ours), account=(_uid, _gid))
