//! Bursts: when requests come together, how many wait for the limit per interval, and for how long.

use super::model::Peak;
use super::timing::clock;
use crate::connection::Rate;

/// Peaks that are reported.
const MOST_PEAKS: usize = 3;

/// The peaks of the requests that come in each second of a day, if `rate` is allowed, the worst first. Without a rate
/// nothing waits.
pub(super) fn peaks(seconds: &[f64], rate: Option<Rate>) -> Vec<Peak> {
    let Some(rate) = rate else { return Vec::new() };
    let (allowed, per) = whole_seconds(rate);
    let mut sent = vec![0.0; seconds.len()];
    let (mut waiting, mut recent) = (0.0_f64, 0.0_f64);
    let mut found: Vec<(usize, f64, Option<u64>)> = Vec::new();
    let mut current: Option<(usize, f64)> = None;
    for (at, come) in seconds.iter().enumerate() {
        if let Some(gone) = at.checked_sub(per) {
            recent -= sent[gone];
        }
        waiting += come;
        let most_at_once = waiting;
        sent[at] = waiting.min((allowed - recent).max(0.0));
        recent += sent[at];
        waiting -= sent[at];
        match current {
            // Less than a request is a rounding of what comes evenly.
            None if most_at_once >= 1.0 => current = Some((at, most_at_once)),
            None => {}
            Some((since, most)) => current = Some((since, most.max(most_at_once))),
        }
        if let Some((since, most)) = current.filter(|_| waiting < 1.0) {
            found.push((since, most, Some((at - since) as u64)));
            current = None;
        }
    }
    found.extend(current.map(|(since, most)| (since, most, None)));
    let after = |drained: &Option<u64>| drained.unwrap_or(u64::MAX);
    found.sort_by(|one, other| {
        after(&other.2).cmp(&after(&one.2)).then(other.1.total_cmp(&one.1)).then(one.0.cmp(&other.0))
    });
    found.truncate(MOST_PEAKS);
    let peak = |(at, waiting, drained_after): (usize, f64, Option<u64>)| Peak {
        at: clock(at),
        waiting: waiting.round() as u64,
        drained_after,
    };
    found.into_iter().map(peak).collect()
}

/// A rate as requests in a whole number of seconds.
fn whole_seconds(rate: Rate) -> (f64, usize) {
    let per = rate.per.as_secs_f64().max(0.001);
    let whole = per.ceil().max(1.0);
    (f64::from(rate.requests) * whole / per, whole as usize)
}

#[cfg(test)]
mod tests {

    fn day(at: &[(usize, f64)]) -> Vec<f64> {
        let mut seconds = vec![0.0; 3600];
        at.iter().for_each(|(second, calls)| seconds[*second] += calls);
        seconds
    }

    fn peaks(seconds: &[f64], rate: &str) -> Vec<(String, u64, Option<u64>)> {
        let found = super::peaks(seconds, Some(rate.parse().unwrap()));
        found.into_iter().map(|peak| (peak.at, peak.waiting, peak.drained_after)).collect()
    }

    #[test]
    fn what_comes_together_waits_for_the_window() {
        // 100 at once, 100 after 10 s, and 50 after 20 s.
        let found = peaks(&day(&[(60, 250.0), (1800, 30.0)]), "100/10s");
        assert_eq!(found, [("00:01:00".into(), 250, Some(20)), ("00:30:00".into(), 30, Some(0))]);
        assert_eq!(peaks(&day(&[(0, 10.0)]), "1/500ms")[0].2, Some(4), "two a second");
        assert_eq!(peaks(&day(&[(0, 1e6)]), "100/10s")[0].2, None, "not before the end of the day");
    }

    #[test]
    fn what_comes_evenly_does_not_wait() {
        let even = vec![0.5; 3600];
        assert_eq!(peaks(&even, "100/10s"), []);
        let too_much = vec![11.0; 3600];
        assert_eq!(peaks(&too_much, "100/10s")[0].2, None);
        assert_eq!(super::peaks(&too_much, None), []);
    }
}
