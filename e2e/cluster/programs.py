"""The programs of a cluster: built from pinned Go modules into the cache, by the hash of what they are built from."""
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from settings import CACHE, HERE, PAUSE_IMAGE, say

MODULES = HERE / "programs"

# Module: its programs, with the packages they are built from.
GO = {
    "kubernetes": {
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
    },
    "etcd": {"etcd": "go.etcd.io/etcd/server/v3"},
    "coredns": {"coredns": "github.com/coredns/coredns"},
    "helm": {"helm": "helm.sh/helm/v3/cmd/helm"},
    # Of our own, around the packages that Flux and Argo CD are made of.
    "flux": {"flux": "."},
    "argo": {"argo": "."},
}
CONTROL_PLANE = ["etcd", "kubernetes", "helm"]
FULL = ["etcd", "kubernetes", "coredns", "helm", "pause"]
GITOPS = ["flux", "argo"]


class Missing(Exception):
    """Something that has to be installed."""


def source(module):
    return (HERE.parent / "gitops" if module in GITOPS else MODULES) / module


def directory(what):
    """Where the programs of a module are once they are built."""
    files = [MODULES / "pause.c"] if what == "pause" else [
        path for path in sorted(source(what).iterdir()) if path.suffix in (".mod", ".sum", ".go")
    ]
    text = b"".join(file.read_bytes() for file in files)
    return CACHE / f"{what}-{hashlib.sha256(text).hexdigest()[:12]}"


def find(name):
    """The path of a program: ours, else the machine's."""
    for what, programs in GO.items():
        if name in programs and (directory(what) / name).exists():
            return str(directory(what) / name)
    if name == "pause" and (directory("pause") / "pause").exists():
        return str(directory("pause") / "pause")
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise Missing(f"{name} is not there: `cluster build`, or the Debian packages named in e2e/cluster/README.md")
    return found


def build(wanted):
    """Builds what is not in the cache."""
    for what in wanted:
        target = directory(what)
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        # Complete or not there at all.
        with tempfile.TemporaryDirectory(dir=target.parent) as beside:
            beside = pathlib.Path(beside) / "built"
            beside.mkdir()
            (build_pause if what == "pause" else build_go)(what, beside)
            beside.rename(target)


def build_go(module, target):
    if shutil.which("go") is None:
        raise Missing("go is not there (1.26 or later)")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    home = source(module)
    flags = "-s -w"
    if module == "kubernetes":
        # What the programs answer when asked for their version; kubelet and API server compare them.
        version = re.search(r"k8s\.io/kubernetes v(\S+)", (home / "go.mod").read_text())[1]
        major, minor, _ = version.split(".")
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
            for key, value in {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}.items():
                flags += f" -X {package}.{key}={value}"
    for name, package in GO[module].items():
        began = time.monotonic()
        subprocess.run(
            ["go", "build", "-trimpath", "-ldflags", flags, "-o", target / name, package],
            cwd=home, env=environment, check=True,
        )
        say(f"built {name} ({time.monotonic() - began:.0f} s)")


def build_pause(_, target):
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise Missing("a C compiler with a static C library is not there")
    source = MODULES / "pause.c"
    subprocess.run([compiler, "-Os", "-static", "-s", "-Wall", "-Werror", "-o", target / "pause", source], check=True)
    (target / "Dockerfile").write_text('FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n')
    build_image(PAUSE_IMAGE, target / "pause.tar", target)


def build_image(name, archive, context, *arguments):
    """Builds a Dockerfile whose bases are `scratch` or in the cache's own store; no daemon, no registry."""
    buildah = [find("buildah"), "--root", CACHE / "images", "--runroot", CACHE / "images-run",
               "--storage-driver", os.environ.get("ROWLOCK_STORAGE_DRIVER", "overlay")]
    environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}
    with open(CACHE / "images.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(
            [*buildah, "bud", "--quiet", "--isolation", "chroot", "--pull-never", "--layers=false", "-t", name, *arguments,
             context],
            check=True, env=environment, stdout=subprocess.DEVNULL,
        )
        pathlib.Path(archive).unlink(missing_ok=True)
        subprocess.run([*buildah, "push", "--quiet", "--format", "oci", name, f"oci-archive:{archive}:{name}"], check=True)
        # Its stages, and what had this name before: nothing names them any more, and they would stay for ever.
        for words in (["rm", "--all"], ["rmi", "--prune", "--force"]):
            subprocess.run([*buildah, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return archive
