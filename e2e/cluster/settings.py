"""Where things are and which addresses they have: one cluster's settings, all derived from name, index and mode."""
import dataclasses
import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "rowlock" / "cluster"
PAUSE_IMAGE = "rowlock.local/pause:1"
CNI = pathlib.Path(os.environ.get("CNI_BIN", "/usr/lib/cni"))


def say(text):
    print(f"   {text}", file=sys.stderr, flush=True)


@dataclasses.dataclass
class Cluster:
    """A cluster. Clusters alive at the same time need different names and different indexes (0 to 30)."""

    name: str = "rowlock"
    index: int = 0
    mode: str = "full"

    @classmethod
    def existing(cls, name):
        """The cluster of this name as it was started, or None."""
        state = cls(name).home / "cluster.json"
        return cls(**json.loads(state.read_text())) if state.exists() else None

    def remember(self):
        for directory in (self.home, self.logs, self.processes, self.configuration, self.keys):
            directory.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o755)
        self.keys.chmod(0o700)
        (self.home / "cluster.json").write_text(json.dumps(dataclasses.asdict(self)))

    @property
    def home(self):
        # Not below /run: the node has a /run of its own.
        return pathlib.Path(os.environ.get("ROWLOCK_CLUSTER_HOME", "/var/tmp")) / f"rowlock-cluster-{self.name}"

    @property
    def logs(self):
        return self.home / "logs"

    @property
    def processes(self):
        return self.home / "processes"

    @property
    def configuration(self):
        return self.home / "configuration"

    @property
    def keys(self):
        return self.home / "keys"

    @property
    def kubeconfig(self):
        return self.home / "kubeconfig"

    @property
    def full(self):
        return self.mode == "full"

    @property
    def node(self):
        return f"{self.name}-node"

    # A pair of interfaces joins the node to the machine; pods and Services are routed over it.
    @property
    def link(self):
        return f"rowlock{self.index}"

    @property
    def machine_address(self):
        return f"10.{192 + self.index}.0.1"

    @property
    def node_address(self):
        return f"10.{192 + self.index}.0.2"

    @property
    def pods(self):
        return f"10.{128 + self.index}.0.0/24"

    @property
    def services(self):
        return f"10.{160 + self.index}.0.0/20"

    @property
    def first_service(self):
        return f"10.{160 + self.index}.0.1"

    @property
    def group(self):
        """The cgroup of everything in pods."""
        return f"rowlock-{self.name}"

    @property
    def api_address(self):
        return self.node_address if self.full else "127.0.0.1"

    def port(self, which):
        """The port of a daemon: the usual one inside the node, one of a block on loopback without a node."""
        usual = {"api": 6443, "etcd": 2379, "etcd-peer": 2380, "controller-manager": 10257, "scheduler": 10259}
        if self.full:
            return usual[which]
        return 16443 + 10 * self.index + list(usual).index(which)

    @property
    def api(self):
        return f"https://{self.api_address}:{self.port('api')}"
