//! Where a file may be fetched from: public hosts only, checked where names become addresses, so
//! that a name that changes its mind in between gains nothing.

use std::error::Error as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect};
use url::{Host, Url};

use crate::carrier::exchange::{CONNECT_TIMEOUT, EXCHANGE_TIMEOUT};

/// A name leads to an address inside.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the address is not a public one")]
struct Inside;

#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One inside is enough to refuse: which one is tried is not ours to say.
            if found.iter().any(|address| !is_public(address.ip())) {
                return Err(Inside.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A client that reaches public hosts only; none when the machine has no root certificates.
pub(super) fn client() -> Option<&'static Client> {
    static CLIENT: LazyLock<Option<Client>> = LazyLock::new(|| {
        Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(EXCHANGE_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(PublicOnly))
            .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")))
            .build()
            .ok()
    });
    CLIENT.as_ref()
}

/// Whether an exchange failed because the host is inside.
pub(super) fn refused(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<Inside>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Whether we let a carrier send us there: https, the usual port, no credentials, and no address
/// inside spelled as such.
pub(super) fn may_follow(url: &Url) -> bool {
    let host = match url.host() {
        Some(Host::Ipv4(address)) => is_public(address.into()),
        Some(Host::Ipv6(address)) => is_public(address.into()),
        Some(Host::Domain(name)) => name.contains('.') && !name.ends_with(".localhost"),
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    host && plain && url.scheme() == "https"
}

/// Whether an address is one of the public internet (the IANA special-purpose registries).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // "This network", shared (RFC 6598), protocol assignments, benchmarking, reserved.
        [0 | 240..=255, ..] | [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18 | 19, ..] => true,
        _ => false,
    };
    !(special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4() {
        // Mapped and compatible spellings mean the IPv4 address.
        return is_public_v4(inner);
    }
    match address.segments() {
        // NAT64 (RFC 6052) and 6to4 carry an IPv4 address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Documentation, discard-only, Teredo.
        [0x2001, 0x0db8 | 0, ..] | [0x100, 0, 0, 0, ..] => false,
        // Global unicast is 2000::/3; the rest is local, multicast or unassigned.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}
