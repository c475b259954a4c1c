"""Hosts made of network namespaces on one bridge: each with an address and a name of its own, and a link that can be cut.

Needs root and Linux; `missing` says what a machine lacks. Everything is removed at the end, whatever happened.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM
from tempfile import TemporaryDirectory

from engage.db.processes import start_child
from tests.conftest import ROOT

_PROBE = (
    "ip link add name probe0 type bridge && ip link add name probe1 type veth peer name probe2 && unshare --uts true"
)
_PATH = 64 * 1024


def missing() -> str:
    """What this machine lacks for it, in a sentence; empty when nothing. The probe leaves nothing behind."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need Linux and root"
    if not (shutil.which("ip") and shutil.which("unshare")):
        return "network namespaces need the programs ip (iproute2) and unshare (util-linux)"
    probe = subprocess.run(["unshare", "--net", "sh", "-c", _PROBE], capture_output=True, check=False)
    return "" if probe.returncode == 0 else "this machine (a container?) may not make network namespaces"


def ip(*words: str) -> None:
    """Run `ip …`; fails with what it said."""
    said = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert said.returncode == 0, f"ip {' '.join(words)}: {said.stderr}"


@dataclass
class Host:
    """A network namespace with one link to the bridge, and the programs that run in it."""

    name: str
    link: str  # its end of the cable, on the bridge
    address: str
    folder: Path
    programs: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, command: str, settings: Mapping[str, str]) -> None:
        """`engage command` in this host; settings by their names with ENGAGE_."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("ENGAGE_", "TWILIO_"))}
        named = 'hostname "$0" && exec "$@"'
        whole: Sequence[str] = (
            *(shutil.which("ip") or "ip", "netns", "exec", self.name),
            *("unshare", "--uts", "sh", "-c", named, self.name),
            *(sys.executable, "-m", "engage", command),
        )
        with (self.folder / f"{self.name}-{command}.log").open("ab") as output:
            environment = {**plain, **settings, "PYTHONPATH": str(ROOT)}
            # every step becomes the next one by exec: the process is the program itself
            self.programs[command] = start_child(whole, environment=environment, output=output, death_signal=SIGTERM)

    def cut_off(self) -> None:
        """Its cable is pulled: nothing arrives any more, and nobody is told."""
        ip("link", "set", self.link, "down")

    def kill(self) -> None:
        """Its programs die without a word."""
        for program in self.programs.values():
            program.send_signal(SIGKILL)
            program.wait()

    def said(self) -> str:
        """What its programs wrote."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob(f"{self.name}-*.log")))


@dataclass
class Network:
    """A bridge with an address of this machine on it, and hosts."""

    address: str  # ours, as the hosts see us
    subnet: str
    hosts: list[Host]


@contextmanager
def network(count: int) -> Iterator[Network]:
    """`count` hosts; names and addresses (of the range for measurements, RFC 2544) are those of this process."""
    mark, number = os.getpid() % 10**6, os.getpid() % 250
    bridge, subnet = f"eb{mark}", f"198.18.{number}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="engage-hosts-")))
        stack.callback(_remove, "link", "del", bridge)
        ip("link", "add", bridge, "type", "bridge")
        ip("address", "add", f"{subnet}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        hosts = []
        for place in range(count):
            host = Host(f"engage-{mark}-{place}", f"ev{mark}x{place}", f"{subnet}.{place + 2}", folder)
            stack.callback(_remove, "netns", "del", host.name)
            # by hand: dead sockets that still send into a cut cable keep the kernel's part of a host alive for a while
            stack.callback(_remove, "link", "del", host.link)
            stack.callback(host.kill)
            _plug_in(host, bridge)
            hosts.append(host)
        yield Network(f"{subnet}.1", f"{subnet}.0/24", hosts)


def _plug_in(host: Host, bridge: str) -> None:
    ip("netns", "add", host.name)
    ip("link", "add", host.link, "type", "veth", "peer", "name", "eth0", "netns", host.name)
    ip("link", "set", host.link, "master", bridge, "up")
    inside = ("-n", host.name)
    ip(*inside, "address", "add", f"{host.address}/24", "dev", "eth0")
    ip(*inside, "link", "set", "eth0", "up")
    ip(*inside, "link", "set", "lo", "up")


def _remove(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=False)


class Relay:
    """A balancer: takes connections and hands each to the next target that answers. Counts the POSTs that went through."""

    def __init__(self, address: str, targets: Sequence[tuple[str, int]]) -> None:
        self.posts = 0
        self._targets = list(targets)
        self._socket = socket.create_server((address, 0))
        self.url = f"http://{address}:{self._socket.getsockname()[1]}"
        self._lines: list[socket.socket] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Hang up on everybody."""
        for line in [self._socket, *self._lines]:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _listen(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self._lines.append(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        for _ in range(len(self._targets)):
            self._targets.append(self._targets.pop(0))  # in turns
            with suppress(OSError):
                other = socket.create_connection(self._targets[-1], timeout=0.5)
                other.settimeout(None)
                self._lines.append(other)
                threading.Thread(target=self._carry, args=(other, line), daemon=True).start()
                self._carry(line, other, counted=True)
                return
        line.close()

    def _carry(self, source: socket.socket, target: socket.socket, *, counted: bool = False) -> None:
        with suppress(OSError):
            while data := source.recv(_PATH):
                self.posts += counted and data.startswith(b"POST ")
                target.sendall(data)
        for line in (source, target):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
