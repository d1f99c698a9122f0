"""Daemons that outlive the script: started once, found again by process id and start time, ended by name."""
import os
import pathlib
import signal
import subprocess
import time

import programs


def until(seconds, condition):
    """Looks at the condition until it holds; False when it never did."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def started(pid):
    """When a process began, in ticks since boot; None for one that is gone or only waits to be collected."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class Daemons:
    def __init__(self, cluster):
        self.cluster = cluster

    def record(self, name, pid):
        (self.cluster.processes / name).write_text(f"{pid} {started(pid)}")

    def pid(self, name):
        """Its process id, None where it does not run."""
        try:
            pid, since = (self.cluster.processes / name).read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if started(pid) == since else None

    def inside(self):
        """What goes in front of a command that runs in the node; nothing without a node."""
        if not self.cluster.full:
            return []
        return ["nsenter", "-t", str(self.pid("node")), "-m", "-n", "-p", "-u", "-i", "--"]

    def run_inside(self, *command, **options):
        return subprocess.run([*self.inside(), *map(str, command)], check=True, **options)

    def spawn(self, name, command):
        with open(self.cluster.logs / f"{name}.log", "ab") as log:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
            )
        self.record(name, process.pid)
        return process

    def start(self, name, *arguments, program=None):
        """Starts a daemon of the cluster where it does not run yet; whether it had to."""
        if self.pid(name):
            return False
        self.spawn(name, [*self.inside(), programs.find(program or name), *arguments])
        return True

    def stop(self, name, how=signal.SIGTERM, seconds=10):
        """Ends a daemon, at the latest by SIGKILL."""
        pid = self.pid(name)
        if pid is None:
            return
        # Inside the node, what was recorded only waits for the daemon.
        inner = children(pid) if self.cluster.full and name not in ("node", "node-holder") else []
        for one in inner or [pid]:
            try:
                os.kill(one, how)
            except ProcessLookupError:
                pass
        if not until(seconds, lambda: self.pid(name) is None):
            for one in [*inner, pid]:
                try:
                    os.kill(one, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            until(5, lambda: self.pid(name) is None)

    def end_of_log(self, name):
        try:
            return "\n".join((self.cluster.logs / f"{name}.log").read_text(errors="replace").splitlines()[-25:])
        except OSError:
            return ""
