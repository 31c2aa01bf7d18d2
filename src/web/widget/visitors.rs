//! Who gives numbers to a chat, by network address: one visitor must not use up what the whole practice may
//! begin in an hour, and so close its chat to everybody else. Addresses stay in memory, for an hour.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::PracticeId;
use crate::web::gate::Peer;
use crate::web::router::Door;

/// Numbers from one address in an hour: many phones share one address of their company, and a whole
/// waiting room that of the practice; of the practice's 240 no one address takes more than a sixth.
const BEGUN_AN_HOUR: usize = 40;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Addresses that are kept; where more come, the practice's own limit is what holds.
const ADDRESSES_MAX: usize = 50_000;
/// Where a proxy says for whom it asks; the last address is the one that the proxy itself saw.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The network that somebody asks from; none where only a proxy that says nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Network(Option<IpAddr>);

impl FromRequestParts<Door> for Network {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _door: &Door) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>().copied();
        Ok(Self::of(peer, &parts.headers))
    }
}

impl Network {
    fn of(peer: Option<Peer>, headers: &HeaderMap) -> Self {
        let Some(Peer(peer)) = peer else {
            return Self(None);
        };
        let peer = peer.to_canonical();
        if !near(peer) {
            // Nobody speaks for somebody else from out there.
            return Self(Some(network(peer)));
        }
        let told = headers.get_all(FORWARDED_FOR).iter().next_back();
        let told = told.and_then(|it| it.to_str().ok()?.rsplit(',').next());
        let told = told.and_then(|it| it.trim().parse::<IpAddr>().ok());
        Self(told.map(|it| network(it.to_canonical())))
    }
}

/// Whether an address is of this machine or of a private network, as that of a proxy before it.
const fn near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => it.is_loopback() || it.is_private() || it.is_link_local(),
        IpAddr::V6(it) => it.is_loopback() || it.is_unique_local() || it.is_unicast_link_local(),
    }
}

/// A subscriber of IPv6 has a network of 64 bits, and any address in it.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(it) => {
            let high = u128::from(it) & !u128::from(u64::MAX);
            IpAddr::V6(high.into())
        }
    }
}

/// When which network gave numbers to which practice, in the last hour.
#[derive(Clone, Debug, Default)]
pub(super) struct Visitors(Arc<Mutex<Begun>>);

type Begun = BTreeMap<(PracticeId, IpAddr), VecDeque<Timestamp>>;

impl Visitors {
    /// Whether one more number may come from there now; if so, it is counted.
    pub(super) fn may_begin(&self, practice: &PracticeId, from: Network, now: Timestamp) -> bool {
        let Some(address) = from.0 else { return true };
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (practice.clone(), address);
        if begun.len() >= ADDRESSES_MAX && !begun.contains_key(&key) {
            begun.retain(|_, all| all.back().is_some_and(|at| recent(*at, now)));
            if begun.len() >= ADDRESSES_MAX {
                return true;
            }
        }
        let own = begun.entry(key).or_default();
        while own.front().is_some_and(|at| !recent(*at, now)) {
            own.pop_front();
        }
        let may = own.len() < BEGUN_AN_HOUR;
        if may {
            own.push_back(now);
        }
        may
    }
}

fn recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < HOUR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, told: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for it in told {
            headers.append(FORWARDED_FOR, it.parse().unwrap());
        }
        let Network(found) = Network::of(Some(Peer(peer.parse().unwrap())), &headers);
        found.map(|it| it.to_string())
    }

    #[test]
    fn an_address_is_the_callers_own_or_what_the_proxy_beside_us_saw() {
        for (peer, told, wanted) in [
            ("203.0.113.7", &[][..], Some("203.0.113.7")),
            // A caller from outside speaks for nobody else.
            ("203.0.113.7", &["198.51.100.1"], Some("203.0.113.7")),
            ("127.0.0.1", &["198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.2", &["1.2.3.4, 198.51.100.1"], Some("198.51.100.1")),
            ("::1", &["1.2.3.4", "198.51.100.1"], Some("198.51.100.1")),
            ("::ffff:203.0.113.7", &[], Some("203.0.113.7")),
            ("127.0.0.1", &[], None),
            ("127.0.0.1", &["unknown"], None),
            (
                "127.0.0.1",
                &["2001:db8:1:2:3:4:5:6"],
                Some("2001:db8:1:2::"),
            ),
            ("2001:db8:1:2::9", &[], Some("2001:db8:1:2::")),
        ] {
            assert_eq!(from(peer, told).as_deref(), wanted, "{peer} {told:?}");
        }
        assert_eq!(Network::of(None, &HeaderMap::new()), Network(None));
    }

    #[test]
    fn an_address_begins_so_many_an_hour_and_others_go_on() {
        let visitors = Visitors::default();
        let practice = PracticeId::new("lakeside");
        let at = |minute: i64| Timestamp::from_second(1_796_040_000 + minute * 60).unwrap();
        let here = Network(Some("203.0.113.7".parse().unwrap()));
        let there = Network(Some("203.0.113.8".parse().unwrap()));
        for _ in 0..BEGUN_AN_HOUR {
            assert!(visitors.may_begin(&practice, here, at(0)));
        }
        assert!(!visitors.may_begin(&practice, here, at(59)));
        assert!(visitors.may_begin(&practice, there, at(59)));
        assert!(visitors.may_begin(&PracticeId::new("harbour"), here, at(59)));
        assert!(visitors.may_begin(&practice, Network(None), at(59)));
        assert!(visitors.may_begin(&practice, here, at(60)));
    }
}
