//! Limits failed logins, for each name and for each address.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

/// How long an attempt counts.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// Attempts from one address.
const PER_ADDRESS: usize = 10;
/// Attempts for one name from all addresses. More than from one, so that nobody can easily lock out others.
const PER_NAME: usize = 30;
/// Most names and addresses that are remembered; the longest unused ones are forgotten first.
const MAX_KEYS: usize = 10_000;

/// Most failed logins within the time that the audit log has, so that nobody can fill the store with them.
const MAX_RECORDED: usize = 200;

/// What attempts are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// A hash, because names from outside may be long.
    Name([u8; 32]),
    Address(IpAddr),
}

/// Attempts to log in that failed or have not ended.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    counted: Mutex<HashMap<Key, VecDeque<DateTime<Utc>>>>,
    recorded: Mutex<VecDeque<DateTime<Utc>>>,
}

/// There were too many attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany {
    /// Another one is allowed after this time.
    pub(super) wait: TimeDelta,
}

impl Attempts {
    /// Counts an attempt, at its beginning, so that many at once are no way around the limit.
    pub(super) fn begin(&self, name: &str, address: IpAddr, now: DateTime<Utc>) -> Result<(), TooMany> {
        let mut counted = self.lock();
        let keys = keys(name, address);
        for (key, most) in keys {
            let Some(times) = counted.get_mut(&key) else { continue };
            while times.front().is_some_and(|first| *first + WINDOW <= now) {
                times.pop_front();
            }
            if let (true, Some(first)) = (times.len() >= most, times.front()) {
                return Err(TooMany { wait: *first + WINDOW - now });
            }
        }
        for (key, _) in keys {
            if counted.len() >= MAX_KEYS && !counted.contains_key(&key) {
                forget(&mut counted, now);
            }
            counted.entry(key).or_default().push_back(now);
        }
        Ok(())
    }

    /// The last attempt was right: those for the name count no more.
    pub(super) fn succeeded(&self, name: &str, address: IpAddr) {
        let mut counted = self.lock();
        let [(name, _), (address, _)] = keys(name, address);
        counted.remove(&name);
        // Earlier ones from the address stay: its owner may have one account and guess at others.
        if let Some(times) = counted.get_mut(&address) {
            times.pop_back();
        }
    }

    /// Whether another failed login is to be recorded in the audit log.
    pub(super) fn is_recorded(&self, now: DateTime<Utc>) -> bool {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.retain(|time| *time + WINDOW > now);
        let has_place = recorded.len() < MAX_RECORDED;
        if has_place {
            recorded.push_back(now);
        }
        has_place
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, VecDeque<DateTime<Utc>>>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one.
fn forget(counted: &mut HashMap<Key, VecDeque<DateTime<Utc>>>, now: DateTime<Utc>) {
    counted.retain(|_, times| times.back().is_some_and(|last| *last + WINDOW > now));
    if counted.len() >= MAX_KEYS
        && let Some(oldest) = counted.iter().min_by_key(|(_, times)| times.back()).map(|(key, _)| *key)
    {
        counted.remove(&oldest);
    }
}

fn keys(name: &str, address: IpAddr) -> [(Key, usize); 2] {
    // Whoever has one address of an IPv6 network usually has all of its last 64 bits.
    let address = match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address => address,
    };
    [(Key::Name(Sha256::digest(name).into()), PER_NAME), (Key::Address(address), PER_ADDRESS)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn an_address_has_few_attempts_whatever_the_name() {
        let attempts = Attempts::default();
        for n in 0..10 {
            attempts.begin(&format!("name-{n}"), address(1), at(n)).unwrap();
        }
        let wait = TimeDelta::minutes(6);
        assert_eq!(attempts.begin("another", address(1), at(9)), Err(TooMany { wait }));
        assert!(attempts.begin("another", address(2), at(9)).is_ok());
        assert!(attempts.begin("another", address(1), at(15)).is_ok(), "the first one counts no more");
        assert!(attempts.begin("another", address(1), at(15)).is_err());
    }

    #[test]
    fn a_name_has_few_attempts_from_all_addresses() {
        let attempts = Attempts::default();
        for n in 0..30 {
            attempts.begin("ada", address(n), at(0)).unwrap();
        }
        assert!(attempts.begin("ada", address(99), at(1)).is_err());
        assert!(attempts.begin("bob", address(99), at(1)).is_ok());
    }

    #[test]
    fn a_right_one_makes_those_before_forgotten_for_its_name_only() {
        let attempts = Attempts::default();
        for n in 0..10 {
            attempts.begin(if n == 9 { "ada" } else { "bob" }, address(1), at(0)).unwrap();
        }
        attempts.succeeded("ada", address(1));
        assert!(attempts.begin("ada", address(1), at(1)).is_ok());
        assert!(attempts.begin("ada", address(1), at(1)).is_err(), "nine wrong ones remain");
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let attempts = Attempts::default();
        let address = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, n, 0, 0, n]);
        for n in 0..10 {
            attempts.begin(&n.to_string(), address(n), at(0)).unwrap();
        }
        assert!(attempts.begin("x", address(77), at(1)).is_err());
    }

    #[test]
    fn the_audit_log_is_not_filled_with_failures() {
        let attempts = Attempts::default();
        assert_eq!((0..1_000).filter(|_| attempts.is_recorded(at(0))).count(), MAX_RECORDED);
        assert!(!attempts.is_recorded(at(14)) && attempts.is_recorded(at(15)));
    }

    #[test]
    fn names_without_end_take_little_memory() {
        let attempts = Attempts::default();
        for n in 0..(MAX_KEYS as u32 + 100) {
            let address = IpAddr::from(n.to_be_bytes());
            attempts.begin(&n.to_string(), address, at(0) + TimeDelta::milliseconds(n.into())).unwrap();
        }
        assert!(attempts.lock().len() <= MAX_KEYS);
    }
}
