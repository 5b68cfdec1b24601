//! Ports that nobody else takes by chance.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what systems give to whoever asks for any port, and to clients that connect.
const FIRST: u16 = 20_000;
const PORTS: u16 = 10_000;

/// A free port of 127.0.0.1 that stays free: a test that ends a server and comes back to its port, or tells a program which to
/// take, would now and then find another server on a port that the system chose.
pub(crate) fn port_nobody_takes() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Test programs of several working copies begin at different places.
    let begin = std::process::id().wrapping_mul(97) % u32::from(PORTS);
    let begin = u16::try_from(begin).expect("it is less than PORTS");
    for _ in 0..PORTS {
        let port = FIRST + (begin + TAKEN.fetch_add(1, Ordering::Relaxed) % PORTS) % PORTS;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}
