"""What processes cost, from /proc: CPU seconds and memory of a process and its children."""
import os
import pathlib
import re
import resource
import time
from dataclasses import dataclass

TICK = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count()


def _stat(process):
    """(parent, CPU seconds of it and of its reaped children), or None when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[1]), sum(map(int, fields[11:15])) / TICK


def tree(root):
    children = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        if found := _stat(path.name):
            children.setdefault(found[0], []).append(int(path.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children.get(process, [])
    return found


def cpu(root):
    return sum(found[1] for process in tree(root) if (found := _stat(process)))


def memory(process, field="VmRSS"):
    """MiB of one process: VmRSS now, VmHWM at its highest."""
    text = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", text).group(1)) / 1024


@dataclass
class Reading:
    """Seconds since some moment: wall clock, and CPU of each party."""

    wall: float
    postgres: float
    engine: float
    load: float
    machine: float


def read(postgres, engine):
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = resource.getrusage(resource.RUSAGE_SELF)
    fields = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    # user, nice, system, irq, softirq, steal: everything that is not ours is someone else's.
    busy = sum(fields[at] for at in (0, 1, 2, 5, 6, 7)) / TICK
    return Reading(
        time.monotonic(),
        cpu(postgres),
        cpu(engine) if engine else 0.0,
        used.ru_utime + used.ru_stime + own.ru_utime + own.ru_stime,
        busy,
    )


@dataclass
class Cost:
    """What happened between two readings."""

    seconds: float
    postgres: float
    engine: float
    foreign: float


def between(before, after):
    wall = after.wall - before.wall
    postgres, engine = after.postgres - before.postgres, after.engine - before.engine
    ours = postgres + engine + after.load - before.load
    return Cost(wall, postgres, engine, max(0.0, after.machine - before.machine - ours) / (CORES * wall))
