//! What the operating system says of this process.

use std::fs;

/// Usage of this process; zero where it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    /// Memory in use, in bytes.
    pub(super) memory: u64,
    /// Seconds of processors used.
    pub(super) cpu: f64,
}

/// The usage of this process.
pub(super) fn usage() -> Usage {
    let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    Usage { memory: memory(&read("status")).unwrap_or(0), cpu: cpu(&read("stat")).unwrap_or(0.0) }
}

/// `VmRSS:     12345 kB`
fn memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The fields of user and system time, in ticks of the clock. The name of the program, in parentheses, may contain anything.
fn cpu(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / ticks_per_second())
}

#[cfg(unix)]
fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

#[cfg(not(unix))]
fn ticks_per_second() -> f64 {
    100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_from_what_linux_says() {
        assert_eq!(memory("Name:\thob\nVmRSS:\t   20480 kB\n"), Some(20_971_520));
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        assert_eq!(cpu(stat), Some(200.0 / ticks_per_second()));
        assert_eq!((memory(""), cpu("x")), (None, None));
    }
}
