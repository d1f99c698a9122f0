"""etcd, API server, controllers and scheduler, with RBAC, admission and TLS as in any real cluster."""


def flags(**values):
    return [f"--{name.replace('_', '-')}={str(value).lower() if isinstance(value, bool) else value}" for name, value in values.items()]


def start_etcd(cluster, daemons):
    data = cluster.home / "etcd"
    data.mkdir(exist_ok=True)
    data.chmod(0o700)
    client, peer = (f"https://127.0.0.1:{cluster.port(which)}" for which in ("etcd", "etcd-peer"))
    certificate = {
        name: cluster.keys / f"etcd.{ending}" for name, ending in (("cert_file", "crt"), ("key_file", "key"))
    }
    daemons.start("etcd", *flags(
        name="only", data_dir=data,
        listen_client_urls=client, advertise_client_urls=client,
        listen_peer_urls=peer, initial_advertise_peer_urls=peer, initial_cluster=f"only={peer}",
        **certificate, client_cert_auth=True, trusted_ca_file=cluster.keys / "ca.crt",
        **{f"peer_{name}": path for name, path in certificate.items()},
        peer_client_cert_auth=True, peer_trusted_ca_file=cluster.keys / "ca.crt",
        # What is lost with the machine is only a test's.
        unsafe_no_fsync=True,
    ))


def start_api_server(cluster, daemons):
    keys = cluster.keys
    if cluster.full:
        # Webhooks are reached at their pods, so that they work whatever the proxy does.
        place = {"advertise_address": cluster.node_address, "enable_aggregator_routing": True}
    else:
        place = {"advertise_address": "127.0.0.1", "endpoint_reconciler_type": "none"}
    daemons.start("kube-apiserver", *flags(
        bind_address=cluster.api_address, secure_port=cluster.port("api"), **place,
        etcd_servers=f"https://127.0.0.1:{cluster.port('etcd')}", etcd_cafile=keys / "ca.crt",
        etcd_certfile=keys / "etcd-client.crt", etcd_keyfile=keys / "etcd-client.key",
        tls_cert_file=keys / "kube-apiserver.crt", tls_private_key_file=keys / "kube-apiserver.key",
        client_ca_file=keys / "ca.crt", anonymous_auth=False,
        authorization_mode="Node,RBAC", enable_admission_plugins="NodeRestriction", allow_privileged=True,
        kubelet_certificate_authority=keys / "ca.crt", kubelet_preferred_address_types="InternalIP",
        kubelet_client_certificate=keys / "kubelet-client.crt", kubelet_client_key=keys / "kubelet-client.key",
        requestheader_client_ca_file=keys / "aggregation-ca.crt", requestheader_allowed_names="aggregation",
        requestheader_username_headers="X-Remote-User", requestheader_group_headers="X-Remote-Group",
        requestheader_extra_headers_prefix="X-Remote-Extra-",
        proxy_client_cert_file=keys / "aggregation.crt", proxy_client_key_file=keys / "aggregation.key",
        service_account_issuer="https://kubernetes.default.svc.cluster.local",
        service_account_key_file=keys / "service-accounts.pub",
        service_account_signing_key_file=keys / "service-accounts.key",
        service_cluster_ip_range=cluster.services, profiling=False,
    ))


def start_controllers(cluster, daemons):
    keys = cluster.keys

    def common(name, which):
        config = cluster.configuration / f"{name}.kubeconfig"
        return {
            "bind_address": "127.0.0.1", "secure_port": cluster.port(which), "kubeconfig": config,
            "authentication_kubeconfig": config, "authorization_kubeconfig": config,
            "leader_elect": False, "profiling": False,
        }

    pods = {"allocate_node_cidrs": True, "cluster_cidr": cluster.pods, "node_cidr_mask_size": 24} if cluster.full else {}
    daemons.start("kube-controller-manager", *flags(
        **common("kube-controller-manager", "controller-manager"), **pods,
        client_ca_file=keys / "ca.crt", requestheader_client_ca_file=keys / "aggregation-ca.crt",
        root_ca_file=keys / "ca.crt", service_account_private_key_file=keys / "service-accounts.key",
        use_service_account_credentials=True, cluster_signing_cert_file=keys / "ca.crt",
        cluster_signing_key_file=keys / "ca.key", service_cluster_ip_range=cluster.services,
    ))
    daemons.start("kube-scheduler", *flags(**common("kube-scheduler", "scheduler")))
