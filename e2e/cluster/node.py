"""The node: namespaces over the machine's own file system, in which a container runtime and the kubelet run.

Its interfaces, firewall rules, mounts and processes are inside, so all of them go when its first process goes.
"""
import glob
import json
import pathlib
import subprocess

import programs
from control_plane import flags
from process import children, until
from settings import CNI, PAUSE_IMAGE, say

# Fixed paths of node software: empty folders on the machine, covered by memory inside the node.
PRIVATE = ["/var/lib/kubelet", "/var/log/containers", "/var/log/pods"]

# Settings of the whole machine that the kubelet changes, and limits that many pods reach; put back by `down`.
SETTINGS = [
    "vm.overcommit_memory", "vm.panic_on_oom", "kernel.panic", "kernel.panic_on_oops",
    "kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes", "fs.inotify.max_user_instances",
]


def setting(name):
    return pathlib.Path("/proc/sys", *name.split("."))


def may_lower_oom_score():
    """Root without CAP_SYS_RESOURCE may not, and runc then fails where it is asked to."""
    own = pathlib.Path("/proc/self/oom_score_adj")
    before = own.read_text()
    try:
        own.write_text("-999")
        own.write_text(before)
    except OSError:
        return False
    return True


def prepare_machine(cluster):
    kept = cluster.home / "machine.json"
    if not kept.exists():
        values = {name: setting(name).read_text().strip() for name in SETTINGS if setting(name).exists()}
        made = [path for path in PRIVATE if not pathlib.Path(path).exists()]
        kept.write_text(json.dumps({"settings": values, "directories": made}))
    for path in PRIVATE:
        pathlib.Path(path).mkdir(parents=True, exist_ok=True)
    instances = setting("fs.inotify.max_user_instances")
    if int(instances.read_text()) < 1024:
        instances.write_text("1024")
    make_groups(cluster)


def hierarchies():
    """The cgroup hierarchies pods go into: one where the machine has version 2 alone, else each of version 1."""
    top = pathlib.Path("/sys/fs/cgroup")
    if (top / "cgroup.controllers").exists():
        return [top]
    found = [path for path in top.iterdir() if path.is_dir() and not path.is_symlink()]
    return [path for path in found if (path / "cgroup.procs").exists() and not (path / "cgroup.controllers").exists()]


def make_groups(cluster):
    """A cgroup of the cluster's own in every hierarchy: kubelets remove what they do not know below theirs."""
    for top in hierarchies():
        group = top / cluster.group
        group.mkdir(exist_ok=True)
        if (top / "cgroup.controllers").exists():
            for controller in (top / "cgroup.controllers").read_text().split():
                try:
                    (top / "cgroup.subtree_control").write_text(f"+{controller}")
                except OSError:
                    pass
        for name in ("cpuset.cpus", "cpuset.mems"):
            # Version 1: empty at first, and then nothing may run in it.
            if (top / name).exists() and not (group / name).read_text().strip():
                (group / name).write_text((top / name).read_text())


def start_namespaces(cluster, daemons):
    if daemons.pid("node"):
        return
    holder = daemons.spawn("node-holder", [
        "unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc",
        "--propagation", "private", programs.find("pause"),
    ])

    def first():
        inner = children(holder.pid)
        return inner[0] if inner and pathlib.Path(f"/proc/{inner[0]}/comm").read_text().strip() == "pause" else None

    if not until(10, first):
        raise RuntimeError(f"the node's namespaces did not come up:\n{daemons.end_of_log('node-holder')}")
    daemons.record("node", first())
    script = f"""
        set -eu
        mount --make-rshared /
        mount -t tmpfs -o mode=755 tmpfs /run
        mkdir -p /run/containerd /run/netns /run/lock
        for path in {' '.join(PRIVATE)}; do mount -t tmpfs -o mode=755 tmpfs "$path"; done
        hostname {cluster.node}
        ip link set lo up
        echo 1 > /proc/sys/net/ipv4/ip_forward
        echo 1 2>/dev/null > /proc/sys/net/bridge/bridge-nf-call-iptables || true
    """
    daemons.run_inside("sh", "-c", script)
    subprocess.run(["ip", "link", "del", cluster.link], capture_output=True)

    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    ip("link", "add", cluster.link, "type", "veth", "peer", "name", "eth0", "netns", str(first()))
    ip("addr", "add", f"{cluster.machine_address}/30", "dev", cluster.link)
    ip("link", "set", cluster.link, "up")
    daemons.run_inside("ip", "addr", "add", f"{cluster.node_address}/30", "dev", "eth0")
    daemons.run_inside("ip", "link", "set", "eth0", "up")
    daemons.run_inside("ip", "route", "add", "default", "via", cluster.machine_address)
    for destination in (cluster.pods, cluster.services):
        ip("route", "replace", destination, "via", cluster.node_address)


def start_runtime(cluster, daemons):
    network = cluster.configuration / "network"
    network.mkdir(exist_ok=True)
    address = {"type": "host-local", "dataDir": "/run/pod-addresses", "ranges": [[{"subnet": cluster.pods}]],
               "routes": [{"dst": "0.0.0.0/0"}]}
    (network / "10-pods.conflist").write_text(json.dumps({
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {"type": "bridge", "bridge": "pods0", "isGateway": True, "ipMasq": True, "hairpinMode": True, "ipam": address},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }))
    restrict = "false" if may_lower_oom_score() else "true"
    (cluster.configuration / "containerd.toml").write_text(f"""\
version = 2
root = "{cluster.home}/containerd"
state = "/run/containerd"

[grpc]
address = "/run/containerd/containerd.sock"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = {restrict}
cni = {{ bin_dir = "{CNI}", conf_dir = "{network}" }}

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
options = {{ SystemdCgroup = false }}
""")
    daemons.start("containerd", "--config", cluster.configuration / "containerd.toml")
    version = [*daemons.inside(), programs.find("ctr"), "version"]
    if not until(60, lambda: subprocess.run(version, capture_output=True).returncode == 0):
        raise RuntimeError(f"containerd does not answer:\n{daemons.end_of_log('containerd')}")


def load(daemons, archive):
    daemons.run_inside(
        programs.find("ctr"), "-n", "k8s.io", "images", "import", pathlib.Path(archive).resolve(), stdout=subprocess.DEVNULL
    )


def start_kubelet(cluster, daemons):
    (cluster.configuration / "resolv.conf").write_text("")
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": cluster.node_address,
        "authentication": {
            "anonymous": {"enabled": False}, "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{cluster.keys}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{cluster.keys}/kubelet.crt",
        "tlsPrivateKeyFile": f"{cluster.keys}/kubelet.key",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cluster.group}",
        # Kubernetes refuses version 1 of cgroups unless told otherwise; some machines have nothing else.
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": -999 if may_lower_oom_score() else 0,
        "clusterDomain": "cluster.local",
        "clusterDNS": [cluster.node_address],
        "resolvConf": f"{cluster.configuration}/resolv.conf",
        "volumePluginDir": f"{cluster.home}/volume-plugins",
        # An image that is gone cannot be pulled again here.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%",
                         "imagefs.available": "1%", "imagefs.inodesFree": "1%"},
        # Stories kill containers often: each time they start again at once.
        "crashLoopBackOff": {"maxContainerRestartPeriod": "1s"},
        "nodeStatusUpdateFrequency": "4s",
        "syncFrequency": "10s",
    }
    (cluster.configuration / "kubelet.json").write_text(json.dumps(settings, indent=1))
    daemons.start("kubelet", *flags(
        config=cluster.configuration / "kubelet.json", kubeconfig=cluster.configuration / "kubelet.kubeconfig",
        root_dir=cluster.home / "kubelet", cert_dir=cluster.home / "kubelet-keys",
        hostname_override=cluster.node, node_ip=cluster.node_address,
    ))


def start_proxy(cluster, daemons):
    if daemons.pid("kube-proxy"):
        return  # It ends itself when its configuration is written again.
    (cluster.configuration / "kube-proxy.json").write_text(json.dumps({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        # By default a second may pass between two changes of the rules: for a node of very many Services.
        "iptables": {"minSyncPeriod": "50ms"},
        "oomScoreAdj": -999 if may_lower_oom_score() else 0,
        "clusterCIDR": cluster.pods,
        "hostnameOverride": cluster.node,
        "clientConnection": {"kubeconfig": f"{cluster.configuration}/kube-proxy.kubeconfig"},
        "bindAddress": cluster.node_address,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # Limits on tracked connections are the machine's.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }, indent=1))
    daemons.start("kube-proxy", f"--config={cluster.configuration}/kube-proxy.json")


def start_names(cluster, daemons):
    """Names of Services, by a process on the node's address: no image, no Service."""
    (cluster.configuration / "Corefile").write_text(f"""\
.:53 {{
    bind {cluster.node_address}
    errors
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {cluster.configuration}/coredns.kubeconfig
        ttl 2
    }}
    cache 2
}}
""")
    daemons.start("coredns", "-conf", cluster.configuration / "Corefile")


def remove(cluster, daemons):
    """Ends the node and puts the machine back as it was."""
    daemons.stop("node", seconds=2)
    daemons.stop("node-holder", seconds=2)
    subprocess.run(["ip", "link", "del", cluster.link], capture_output=True)
    # Version 1 machines often have version 2 beside it, and runc uses both.
    for group in [pathlib.Path(path) for path in glob.glob(f"/sys/fs/cgroup/*/{cluster.group}")] + [
        pathlib.Path("/sys/fs/cgroup", cluster.group)
    ]:

        def gone(group=group):
            for path in sorted(glob.glob(f"{group}/**/", recursive=True), key=len, reverse=True):
                try:
                    pathlib.Path(path).rmdir()
                except OSError:
                    pass
            return not group.exists()

        if not until(5, gone):
            say(f"left behind: {group}")
    kept = cluster.home / "machine.json"
    if kept.exists():
        machine = json.loads(kept.read_text())
        for name, value in machine["settings"].items():
            try:
                setting(name).write_text(value)
            except OSError:
                pass
        for path in machine["directories"]:
            try:
                pathlib.Path(path).rmdir()
            except OSError:
                pass
