//! Which addresses the engine may send requests to.
//!
//! A hook or a key set is wherever its author says, also inside a cluster or on the same machine. What no author needs
//! is refused: link-local addresses, the metadata services of clouds, which give out credentials, and addresses that are
//! no single machine's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// An address that is not allowed.
#[derive(Debug, thiserror::Error)]
#[error("requests to this address are not allowed")]
pub struct Refused;

/// The policy.
#[derive(Debug, Default)]
pub struct Policy {
    allowed: Vec<IpNet>,
}

/// Metadata services outside of the link-local range: Alibaba Cloud, Oracle Cloud, Azure.
const SERVICES: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// The same, for IPv6: Amazon, Google.
const SERVICES_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
];

impl Policy {
    /// With networks that are allowed although they would be refused.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether requests to it are refused.
    pub fn refuses(&self, address: IpAddr) -> bool {
        let address = plain(address);
        is_refused(address) && !self.allowed.iter().any(|network| network.contains(&address))
    }
}

/// The IPv4 address that an IPv6 address stands for, where it does (mapped, NAT64, 6to4, compatible).
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let embedded = match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some((high, low)),
        [0x2002, high, low, ..] => Some((high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some((high, low)),
        _ => None,
    };
    match embedded {
        Some((high, low)) => IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        None => address,
    }
}

fn is_refused(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || SERVICES.contains(&v4)
        }
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local()
                || v6.is_unspecified()
                || v6.is_multicast()
                || SERVICES_V6.contains(&v6)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(policy: &Policy, text: &str) -> bool {
        policy.refuses(text.parse().unwrap())
    }

    #[test]
    fn what_is_refused() {
        let policy = Policy::default();
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "0.0.0.0",
            "::",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
        ] {
            assert!(refuses(&policy, address), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "::1",
            "fd00::1",
            "93.184.216.34",
            "2606:2800::1",
        ] {
            assert!(!refuses(&policy, address), "{address}");
        }
    }

    #[test]
    fn what_settings_allow() {
        let policy = Policy::new(vec!["169.254.170.0/24".parse().unwrap()]);
        assert!(!refuses(&policy, "169.254.170.2"));
        assert!(!refuses(&policy, "::ffff:169.254.170.2"));
        assert!(refuses(&policy, "169.254.169.254"));
    }
}
