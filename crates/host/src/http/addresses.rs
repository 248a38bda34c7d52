//! Which addresses a name may lead to. The check sits in the resolver that the connection itself uses, so a name cannot
//! answer one thing to a check and another to the connection (rebinding).

use super::permit::Route;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};

/// Resolves a name to addresses. May block.
pub type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// The operating system's resolver.
pub(super) fn system_lookup(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// A name that resolves to nothing but addresses it must not lead to.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name} resolves to {address}, which is not an address of the public internet. If this is your own server, mark the integration as self-hosted"
)]
pub(super) struct Inward {
    name: String,
    address: IpAddr,
}

/// The resolver of one route.
pub(super) struct Guard {
    route: Route,
    lookup: Lookup,
    /// The hosts of requests on this route. Any other name that is asked for can only be a proxy's, and a proxy on a private
    /// address is what companies have; what lies behind it, the proxy alone decides.
    hosts: Mutex<HashSet<String>>,
}

impl Guard {
    pub(super) fn new(route: Route, lookup: Lookup) -> Self {
        Self { route, lookup, hosts: Mutex::default() }
    }

    /// Takes note that requests go to the host.
    pub(super) fn expect(&self, host: &str) {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
    }

    fn expects(&self, name: &str) -> bool {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        if self.route == Route::Loopback {
            // `localhost` is the only name on this route, and RFC 6761 gives its addresses: nobody is asked.
            let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            return Box::pin(std::future::ready(Ok(addrs(addresses.into()))));
        }
        let guarded = self.route == Route::Public && self.expects(&name);
        let lookup = self.lookup.clone();
        Box::pin(async move {
            let (found, name) = tokio::task::spawn_blocking(move || (lookup(&name), name)).await?;
            let mut found = found?;
            if guarded && let Some(address) = found.iter().copied().find(|address| !is_public(*address)) {
                found.retain(|address| is_public(*address));
                if found.is_empty() {
                    return Err(Inward { name, address }.into());
                }
            }
            Ok(addrs(found))
        })
    }
}

fn addrs(addresses: Vec<IpAddr>) -> Addrs {
    // Port 0 stands for the port of the URL.
    Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)))
}

/// Whether an address belongs to the public internet: by the special-purpose registries of IANA (RFC 6890), everything that
/// is not globally reachable is out. Addresses that carry an IPv4 address count as that one.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a >= 224 // multicast, reserved, broadcast
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || (a == 100 && b & 0xc0 == 64) // shared by carriers
        || (a == 192 && b == 0 && c == 0) // protocol assignments
        || (a == 198 && b & 0xfe == 18)) // benchmarks
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // ::a.b.c.d, ::ffff:a.b.c.d; :: and ::1 fall out as 0.0.0.0 and 0.0.0.1
        (0, 0) => c == 0 && d == 0 && e == 0 && (f == 0 || f == 0xffff) && embedded(high, low),
        // 64:ff9b::a.b.c.d, what DNS64 makes of a public IPv4 address
        (0x64, 0xff9b) => c == 0 && d == 0 && e == 0 && f == 0 && embedded(high, low),
        // 6to4
        (0x2002, _) => embedded(b, c),
        // protocol assignments (Teredo among them), documentation
        (0x2001, 0..=0x1ff | 0xdb8) => false,
        // documentation
        (0x3fff, 0..=0xfff) => false,
        // The only block that is handed out; unique local, link-local, multicast and the rest lie outside.
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inward_addresses_in_every_dress_are_told_from_public_ones() {
        for inward in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:0a00:0001::1",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(inward.parse().unwrap()), "{inward}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:0808:0808::1",
            "2001:4860::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    /// What the guard of the public route makes of a name that resolves to the addresses.
    fn guarded(host: &str, asked: &str, addresses: &[&str]) -> Result<Vec<IpAddr>, String> {
        let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let guard = Guard::new(Route::Public, Arc::new(move |_: &str| Ok(addresses.clone())));
        guard.expect(host);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime
            .block_on(guard.resolve(asked.parse().unwrap()))
            .map(|addresses| addresses.map(|address| address.ip()).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn only_public_addresses_are_left_of_an_answer() {
        assert_eq!(guarded("a.example", "a.example", &["8.8.8.8", "10.0.0.1"]).unwrap(), ["8.8.8.8".parse::<IpAddr>().unwrap()]);
        let told = guarded("a.example", "a.example", &["10.0.0.1", "::1"]).unwrap_err();
        assert!(told.contains("a.example resolves to 10.0.0.1"), "{told}");
    }

    #[test]
    fn a_proxy_may_be_inside() {
        assert!(guarded("a.example", "proxy.corp.example", &["10.0.0.1"]).is_ok());
    }
}
