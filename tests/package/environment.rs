//! What a real process has.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use digest_ssp::digest::Timestamp;
use digest_ssp::package::environment::{Environment, SystemEnvironment};

#[test]
fn the_clock_counts_milliseconds_since_1970() {
    let Timestamp(now) = SystemEnvironment.now().expect("there is a clock");
    let told = UNIX_EPOCH + Duration::from_millis(now);
    // Whatever sets the clock meanwhile.
    let hour = Duration::from_secs(3600);
    let clock = SystemTime::now();
    assert!((clock - hour..=clock + hour).contains(&told), "{told:?} at {clock:?}");
}

#[test]
fn what_is_drawn_is_never_the_same() {
    let drawn = [[0; 32]; 2].map(|mut bytes| {
        SystemEnvironment.fill(&mut bytes).expect("there is entropy");
        bytes
    });
    assert!(drawn[0] != drawn[1] && !drawn.contains(&[0; 32]));
}
