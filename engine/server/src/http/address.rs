//! Where a request comes from, as it is told and as it is sure.

use std::net::IpAddr;

use http::HeaderMap;

/// A client's address.
#[derive(Debug, Clone)]
pub struct Address {
    /// What a proxy says, else the socket's peer, as Hasura has it: a client that no proxy corrects can make one up.
    pub told: String,
    /// What no client can make up: what the trusted proxies saw, or the socket's peer without any.
    pub sure: String,
}

impl Address {
    /// Of a request's headers and its socket. Behind so many proxies that are trusted, both are what they say; without a
    /// word on proxies, only what is for people to read and limits that Hasura has go by headers.
    pub fn of(headers: &HeaderMap, peer: Option<IpAddr>, proxies: Option<usize>) -> Self {
        let peer = peer
            .map(|peer| peer.to_canonical().to_string())
            .unwrap_or_default();
        let Some(proxies) = proxies else {
            let told = said(headers).unwrap_or(&peer).to_owned();
            return Self { told, sure: peer };
        };
        let sure = seen_by(headers, proxies).unwrap_or(&peer).to_owned();
        Self {
            told: sure.clone(),
            sure,
        }
    }
}

/// What the headers say, whoever wrote them.
fn said(headers: &HeaderMap) -> Option<&str> {
    let value = headers
        .get("x-real-ip")
        .or_else(|| headers.get("x-forwarded-for"))?;
    let first = value.to_str().ok()?.split(',').next()?.trim();
    (!first.is_empty()).then_some(first)
}

/// What the outermost of so many proxies saw: each adds whom it saw at the end of `X-Forwarded-For`. A proxy that writes
/// only `X-Real-IP` is the only one.
fn seen_by(headers: &HeaderMap, proxies: usize) -> Option<&str> {
    let at = proxies.checked_sub(1)?;
    let mut seen = Vec::new();
    for value in headers.get_all("x-forwarded-for") {
        seen.extend(value.to_str().ok()?.split(',').map(str::trim));
    }
    match seen.into_iter().rev().nth(at) {
        Some(address) => (!address.is_empty()).then_some(address),
        None if at == 0 => headers.get("x-real-ip")?.to_str().ok(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &'static str)], proxies: Option<usize>) -> (String, String) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let peer = Some(IpAddr::from([10, 0, 0, 9]));
        let address = Address::of(&map, peer, proxies);
        (address.told, address.sure)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let forwarded = &[
            ("x-forwarded-for", "6.6.6.6, 1.1.1.1"),
            ("x-forwarded-for", "2.2.2.2"),
        ][..];
        let real = &[("x-real-ip", "3.3.3.3")][..];
        for (headers, proxies, told, sure) in [
            (forwarded, None, "6.6.6.6", "10.0.0.9"),
            (forwarded, Some(0), "10.0.0.9", "10.0.0.9"),
            (forwarded, Some(1), "2.2.2.2", "2.2.2.2"),
            (forwarded, Some(2), "1.1.1.1", "1.1.1.1"),
            (forwarded, Some(9), "10.0.0.9", "10.0.0.9"),
            (real, None, "3.3.3.3", "10.0.0.9"),
            (real, Some(1), "3.3.3.3", "3.3.3.3"),
            (real, Some(2), "10.0.0.9", "10.0.0.9"),
            (&[("x-forwarded-for", "")], None, "10.0.0.9", "10.0.0.9"),
        ] {
            assert_eq!(
                of(headers, proxies),
                (told.to_owned(), sure.to_owned()),
                "{proxies:?} {headers:?}"
            );
        }
    }
}
