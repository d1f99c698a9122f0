"""Keys, certificates and kubeconfigs: everyone in the cluster shows a certificate and checks the other's."""
import base64
import json
import subprocess
import tempfile

BOTH = "serverAuth,clientAuth"


class Certificates:
    def __init__(self, cluster):
        self.cluster = cluster
        self.keys = cluster.keys

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def key(self, name):
        path = self.keys / f"{name}.key"
        if not path.exists():
            self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
        return path

    def authority(self, name):
        path = self.keys / f"{name}.crt"
        if not path.exists():
            self.openssl(
                "req", "-x509", "-key", self.key(name), "-days", 1000, "-subj", f"/CN={self.cluster.name}-{name}",
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-out", path,
            )

    def certificate(self, name, subject, usage, alternatives="", authority="ca"):
        path = self.keys / f"{name}.crt"
        if path.exists():
            return
        extensions = f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage={usage}\n"
        if alternatives:
            extensions += f"subjectAltName={alternatives}\n"
        with tempfile.NamedTemporaryFile("w") as file, tempfile.NamedTemporaryFile() as request:
            file.write(extensions)
            file.flush()
            self.openssl("req", "-new", "-key", self.key(name), "-subj", subject, "-out", request.name)
            self.openssl(
                "x509", "-req", "-in", request.name, "-CA", self.keys / f"{authority}.crt",
                "-CAkey", self.keys / f"{authority}.key", "-days", 1000, "-extfile", file.name, "-out", path,
            )

    def kubeconfig(self, path, name):
        def text(file):
            return base64.b64encode((self.keys / file).read_bytes()).decode()

        cluster = self.cluster.name
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": cluster,
            "clusters": [{
                "name": cluster,
                "cluster": {"server": self.cluster.api, "certificate-authority-data": text("ca.crt")},
            }],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": name}}],
            "users": [{
                "name": name,
                "user": {"client-certificate-data": text(f"{name}.crt"), "client-key-data": text(f"{name}.key")},
            }],
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(config, indent=1))

    def make(self):
        cluster = self.cluster
        self.authority("ca")
        self.authority("aggregation-ca")
        names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
        addresses = ["127.0.0.1", cluster.first_service, cluster.api_address]
        alternatives = ",".join([f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses])
        self.certificate("kube-apiserver", "/CN=kube-apiserver", "serverAuth", alternatives)
        self.certificate("etcd", "/CN=etcd", BOTH, "DNS:localhost,IP:127.0.0.1")
        self.certificate("etcd-client", "/CN=kube-apiserver", "clientAuth")
        self.certificate("aggregation", "/CN=aggregation", "clientAuth", authority="aggregation-ca")
        self.certificate("kubelet-client", "/O=rowlock:kubelet-callers/CN=kube-apiserver", "clientAuth")
        self.certificate("admin", "/O=system:masters/CN=admin", "clientAuth")
        for name in ("kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns"):
            self.certificate(name, f"/CN=system:{name}", "clientAuth")
            self.kubeconfig(cluster.configuration / f"{name}.kubeconfig", name)
        if cluster.full:
            self.certificate(
                "kubelet", f"/O=system:nodes/CN=system:node:{cluster.node}", BOTH,
                f"DNS:{cluster.node},IP:{cluster.node_address}",
            )
            self.kubeconfig(cluster.configuration / "kubelet.kubeconfig", "kubelet")
        signing = self.key("service-accounts")
        if not (self.keys / "service-accounts.pub").exists():
            self.openssl("pkey", "-in", signing, "-pubout", "-out", self.keys / "service-accounts.pub")
        self.kubeconfig(cluster.kubeconfig, "admin")
