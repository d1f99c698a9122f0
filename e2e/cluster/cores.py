"""Keeps a small machine from being one node for everything: the programs of the control plane and the operator run on one
core, pods, the database and who asks on the others. On a cluster of several machines they would not share cores at all.
"""
import os
import threading

CONTROL_PLANE = {
    "containerd", "containerd-shim-runc-v2", "coredns", "etcd", "helm", "kube-apiserver", "kube-controller-manager", "kube-proxy",
    "kube-scheduler", "kubectl", "kubelet", "rowlock-operator",
}
SERVING = {"postgres", "rowlock"}
INTERVAL_SECONDS = 1


class Apart:
    """While it is entered, each program is kept where it belongs; new ones are found within a second."""

    def __init__(self, asking):
        """`asking`: how the names of programs that ask begin."""
        self.asking = asking
        self.seen = {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise RuntimeError("--apart needs two cores at least")
        self.places = {"control plane": {cores[0]}, "serving": set(cores[1:])}
        self.everywhere = set(cores)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        for process in self.seen:
            _place(process, self.everywhere)

    def _follow(self):
        while not self.ended.wait(INTERVAL_SECONDS):
            for process in filter(str.isdigit, os.listdir("/proc")):
                where = self._where(process)
                if where and self.seen.get(process) != where:
                    self.seen[process] = where
                    _place(process, self.places[where])

    def _where(self, process):
        try:
            name = os.path.basename(os.readlink(f"/proc/{process}/exe"))
        except OSError:
            return None
        if name in CONTROL_PLANE:
            return "control plane"
        if name in SERVING or name.startswith(self.asking):
            return "serving"
        return None


def _place(process, cores):
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            os.sched_setaffinity(int(thread), cores)
    except OSError:
        # It has ended.
        pass
