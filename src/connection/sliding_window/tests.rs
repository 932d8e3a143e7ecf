use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const NOW: Duration = Duration::ZERO;

fn at(seconds: u32) -> MonotonicTime {
    MonotonicTime::from_micros(0).after(SECOND * seconds)
}

/// A window whose server's count is known.
fn window(rate: &str) -> Window {
    Window { unsure: false, ..Window::new(Some(rate.parse().unwrap())) }
}

fn take(window: &mut Window, now: MonotonicTime) -> Result<u64, Duration> {
    window.drop_expired(now);
    match window.check(true, now, NOW) {
        Ok(start) => Ok(window.take(true, start, now, None)),
        Err(Refusal::Wait(wait) | Refusal::BreakerOpen(wait)) => Err(wait),
    }
}

fn told(remaining: u32) -> LimitHeaderValues {
    LimitHeaderValues { remaining: Some(remaining), ..LimitHeaderValues::default() }
}

fn answered(told: LimitHeaderValues) -> End {
    End { told: Some(told), ..End::default() }
}

fn refused(told: LimitHeaderValues) -> End {
    End { refused: Some(None), ..answered(told) }
}

#[test]
fn a_slot_is_free_one_interval_after_the_answer() {
    let mut window = window("2/10s");
    let first = take(&mut window, at(0)).unwrap();
    take(&mut window, at(0)).unwrap();
    assert_eq!(take(&mut window, at(0)), Err(SECOND), "an answer may come");
    window.end(first, &answered(LimitHeaderValues::default()), at(1));
    assert_eq!(take(&mut window, at(5)), Err(6 * SECOND));
    assert!(take(&mut window, at(11)).is_ok());
}

#[test]
fn unsent_requests_take_no_slot() {
    let mut window = window("1/10s");
    let slot = take(&mut window, at(0)).unwrap();
    window.end(slot, &End { unused: true, ..End::default() }, at(0));
    assert!(take(&mut window, at(0)).is_ok());
}

#[test]
fn headers_win_and_tell_of_others() {
    let mut window = window("100/10s");
    let slot = take(&mut window, at(0)).unwrap();
    let told = LimitHeaderValues {
        max: Some(25),
        remaining: Some(3),
        interval: Some(5 * SECOND),
        ..LimitHeaderValues::default()
    };
    window.end(slot, &answered(told), at(0));
    assert_eq!(window.rate().unwrap().to_string(), "25/5s");
    // Two at a time, because the foreign client may send as many.
    take(&mut window, at(0)).unwrap();
    assert_eq!(take(&mut window, at(0)), Err(SECOND));
    window.end(2, &answered(self::told(2)), at(0));
    let third = take(&mut window, at(0)).unwrap();
    window.end(third, &answered(self::told(1)), at(0));
    assert_eq!(take(&mut window, at(0)), Err(5 * SECOND), "the last one may be theirs");
}

#[test]
fn one_goes_to_see_and_the_rest_follow() {
    let mut window = Window::new(Some("10/10s".parse().unwrap()));
    let first = take(&mut window, at(0)).unwrap();
    assert_eq!(take(&mut window, at(0)), Err(SECOND), "nothing is known yet");
    window.end(first, &answered(told(4)), at(0));
    // Requests sent before the start are counted as ours.
    let slots: Vec<u64> = (0..4).map(|_| take(&mut window, at(0)).unwrap()).collect();
    assert_eq!(take(&mut window, at(0)), Err(10 * SECOND));
    for slot in slots {
        window.end(slot, &refused(told(0)), at(0));
    }
    assert_eq!(take(&mut window, at(1)), Err(9 * SECOND));
    let probe = take(&mut window, at(10)).unwrap();
    assert_eq!(take(&mut window, at(10)), Err(SECOND), "after a refusal as well");
    window.end(probe, &refused(told(0)), at(10));
    let probe = take(&mut window, at(20)).unwrap();
    window.end(probe, &answered(told(9)), at(20));
    assert!(take(&mut window, at(20)).and_then(|_| take(&mut window, at(20))).is_ok());
}

#[test]
fn an_api_without_limit_headers_is_counted() {
    let mut window = Window::new(Some("3/10s".parse().unwrap()));
    let probe = take(&mut window, at(0)).unwrap();
    window.end(probe, &answered(LimitHeaderValues::default()), at(0));
    assert!(take(&mut window, at(0)).and_then(|_| take(&mut window, at(0))).is_ok());
    assert_eq!(take(&mut window, at(0)), Err(10 * SECOND));
}

#[test]
fn answers_that_overtake_each_other_raise_nothing() {
    let mut left = Left::told(None, 5, Some(at(0)), at(2));
    left = Left::told(Some(left), 9, Some(at(1)), at(3));
    assert_eq!(left.requests, 5);
    assert_eq!(Left::told(Some(left), 9, Some(at(4)), at(5)).requests, 9, "another interval");
}

#[test]
fn several_refusals_at_once_are_one_pause() {
    let mut window = window("10/10s");
    let slots: Vec<u64> = (0..3).map(|_| take(&mut window, at(0)).unwrap()).collect();
    for slot in &slots {
        window.end(*slot, &refused(told(0)), at(1));
    }
    let known = window.others.clone();
    let seen = ForeignUsage::seen(None, false, 10 * SECOND, at(1));
    assert_eq!(known, Some(ForeignUsage::seen(Some(seen), true, 10 * SECOND, at(1))));
    // A refusal for another reason says nothing about foreign clients.
    let mut window = self::window("10/10s");
    let slot = take(&mut window, at(0)).unwrap();
    window.end(slot, &refused(told(9)), at(1));
    assert_eq!((window.others.clone(), take(&mut window, at(1))), (None, Err(10 * SECOND)));
}

#[test]
fn a_start_continues_where_the_last_one_may_have_ended() {
    let mut window = window("10/10s");
    for _ in 0..3 {
        take(&mut window, at(0)).unwrap();
    }
    window.end(1, &answered(told(9)), at(0));
    let text = serde_json::to_string(&window).unwrap();
    let mut window: Window = serde_json::from_str(&text).unwrap();
    // By a clock that was set back.
    window.shift(-3_600_000_000);
    window.shift(7_200_000_000);
    window.drop_expired(at(1));
    window.clamp_times(at(1));
    window.restore(2, at(1));
    let probe = take(&mut window, at(1)).unwrap();
    window.end(probe, &answered(told(4)), at(1));
    assert_eq!((0..9).take_while(|_| take(&mut window, at(1)).is_ok()).count(), 4);
    assert!(take(&mut window, at(12)).is_ok());
}

#[test]
fn a_slot_that_is_free_soon_is_given_ahead() {
    let mut window = window("1/10s");
    let slot = take(&mut window, at(0)).unwrap();
    window.end(slot, &answered(told(0)), at(0));
    assert!(window.check(true, at(8), SECOND).is_err());
    let start = window.check(true, at(9), SECOND).unwrap();
    assert_eq!(start, at(10));
    window.take(true, start, at(9), None);
    assert!(window.check(true, at(9), SECOND).is_err(), "it is given once");
    window.end(2, &End { unused: true, ..End::default() }, at(9));
    assert!(window.check(true, at(9), NOW).is_err(), "given back, it is no sooner free");
    assert!(take(&mut window, at(10)).is_ok());
}

#[test]
fn dead_processes_release_their_slots() {
    let mut window = window("1/10s");
    let start = window.check(true, at(0), NOW).unwrap();
    let slot = window.take(true, start, at(0), Some(at(30)));
    assert_eq!(window.drop_expired(at(39)), 0);
    window.extend(&|known| known == slot, at(60));
    assert_eq!(window.drop_expired(at(69)), 0);
    assert_eq!(window.drop_expired(at(70)), 1);
    assert!(take(&mut window, at(70)).is_ok());
}

#[test]
fn many_leave_alone_what_one_leaves_alone() {
    let (breaker, mut window) = (Breaker::default(), Window::default());
    for failures in 1..=9 {
        window.end(0, &End { alive: Some(false), ..End::default() }, at(0));
        breaker.report(false);
        let breaker_open = matches!(window.check(true, at(0), NOW), Err(Refusal::BreakerOpen(_)));
        assert_eq!(breaker_open, breaker.check().is_err(), "after {failures} failures");
    }
    let Err(Refusal::BreakerOpen(pause)) = window.check(true, at(0), NOW) else { panic!("left alone") };
    let later = at(0).after(pause);
    window.take(true, window.check(true, later, NOW).unwrap(), later, None);
    assert!(window.check(true, later, NOW).is_err(), "only one goes to see");
    window.end(1, &End { alive: Some(true), ..End::default() }, later);
    assert!(window.check(true, later, NOW).is_ok());
}

#[test]
fn what_the_server_does_not_count_any_more_is_free() {
    let mut window = window("4/10s");
    let slots: Vec<u64> = (0..4).map(|_| take(&mut window, at(0)).unwrap()).collect();
    for slot in &slots[..3] {
        window.end(*slot, &answered(told(1)), at(1));
    }
    assert_eq!(take(&mut window, at(2)), Err(9 * SECOND));
    // Sent before the others were answered: the server may have counted them since.
    window.end(slots[3], &answered(told(3)), at(3));
    assert_eq!(take(&mut window, at(3)), Err(8 * SECOND));
    let first = take(&mut window, at(11)).unwrap();
    let second = take(&mut window, at(11)).unwrap();
    window.end(first, &answered(told(3)), at(12));
    // One is counted, and one is under way.
    assert!(take(&mut window, at(12)).and_then(|_| take(&mut window, at(12))).is_ok());
    assert!(take(&mut window, at(12)).is_err());
    assert_eq!(window.others, None);
    window.end(second, &answered(told(0)), at(13));
    assert_eq!(window.others, None, "an older answer tells of nobody else");
}

#[test]
fn requests_that_nobody_waits_for_are_spread() {
    let mut window = window("10/10s");
    let mut sent = Vec::new();
    let mut now = at(0);
    while sent.len() < 20 {
        window.drop_expired(now);
        match window.check(false, now, NOW) {
            Ok(start) => {
                let slot = window.take(false, start, now, None);
                window.end(slot, &answered(LimitHeaderValues::default()), now);
                sent.push(now.micros() / 100_000);
            }
            Err(Refusal::Wait(wait) | Refusal::BreakerOpen(wait)) => now = now.after(wait),
        }
        assert!(
            sent.len() < 6 || sent.len() > 9 || window.check(true, now, NOW).is_ok(),
            "live ones need not wait"
        );
    }
    // Half of them at once, the others by and by, and from then on all of them.
    assert_eq!(sent[..10], [0, 0, 0, 0, 0, 0, 4, 13, 22, 31]);
    assert!(sent[12..].windows(2).all(|two| two[1] - two[0] == 9), "{sent:?}");
}

/// What a server counts: in windows that open with their first request, or in those of the last interval.
enum Server {
    Fixed { begun: i64, count: u32, full: Vec<u32> },
    Sliding(VecDeque<i64>),
}

impl Server {
    /// Counts a request; returns how many remain, or `None` if it is refused.
    fn count(&mut self, rate: Rate, now: i64) -> Option<u32> {
        let per = i64::try_from(rate.per.as_micros()).unwrap();
        let used = match self {
            Server::Fixed { begun, count, full } => {
                if now >= *begun + per {
                    full.push(std::mem::take(count));
                    *begun = now;
                }
                *count += 1;
                *count
            }
            Server::Sliding(times) => {
                while times.pop_front_if(|time| *time + per <= now).is_some() {}
                times.push_back(now);
                u32::try_from(times.len()).unwrap()
            }
        };
        rate.requests.checked_sub(used)
    }
}

/// Sends `most` requests from 32 workers; answers how long that took. Nothing is refused.
fn send_all(server: &mut Server, rate: Rate, most: usize, latency: impl Fn(u64) -> u64) -> Duration {
    let mut random = 7_u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 33
    };
    let mut window = Window { unsure: false, ..Window::new(Some(rate)) };
    // Arrivals at the server, answers, and the time to try again, which are no slots.
    // Arrivals at the server and answers.
    let mut events = BinaryHeap::new();
    let (mut sent, mut idle, mut time) = (0, 32, 0_i64);
    let after = |time: i64, way: u64| time + i64::try_from(way).unwrap();
    loop {
        let now = MonotonicTime::from_micros(time);
        window.drop_expired(now);
        let mut wake = None;
        while idle > 0 && sent < most {
            match window.check(false, now, NOW) {
                Ok(start) => {
                    let slot = window.take(false, start, now, None);
                    events.push(Reverse((after(time, latency(next()) / 2), slot, None)));
                    (sent, idle) = (sent + 1, idle - 1);
                }
                Err(Refusal::Wait(wait) | Refusal::BreakerOpen(wait)) => {
                    wake = Some(after(time, u64::try_from(wait.as_micros()).unwrap().max(1)));
                    break;
                }
            }
        }
        let first = events.peek().map(|Reverse((at, ..))| *at);
        match (first, wake) {
            (first, Some(wake)) if first.is_none_or(|first| wake < first) => time = wake,
            (None, _) => break,
            (Some(at), _) => {
                time = at;
                let Some(Reverse((_, slot, remaining))) = events.pop() else { break };
                match remaining {
                    Some(remaining) => {
                        let now = MonotonicTime::from_micros(time);
                        window.end(slot, &answered(told(remaining)), now);
                        idle += 1;
                    }
                    None => {
                        let left = server.count(rate, time).expect("it is allowed");
                        events.push(Reverse((after(time, latency(next()) / 2), slot, Some(left))));
                    }
                }
            }
        }
    }
    Duration::from_micros(u64::try_from(time).unwrap())
}

/// 20,000 runs of three requests at what HighLevel allows.
#[test]
fn what_is_allowed_is_used_and_nothing_is_refused() {
    const REQUESTS: usize = 60_000;
    let rate: Rate = "100/10s".parse().unwrap();
    let milliseconds =
        |shortest: u64, longest: u64| move |random: u64| (shortest + random % (longest - shortest)) * 1000;
    for (shortest, longest) in [(1, 20), (40, 90), (60, 400)] {
        let mut fixed = Server::Fixed { begun: -10_000_000, count: 0, full: vec![] };
        let took = send_all(&mut fixed, rate, REQUESTS, milliseconds(shortest, longest));
        let Server::Fixed { full, .. } = &fixed else { unreachable!() };
        let used = full[1..].iter().sum::<u32>() as f64 / f64::from(100 * (full.len() as u32 - 1));
        let of_time = REQUESTS as f64 / (took.as_secs_f64() * 10.0);
        let mut sliding = Server::Sliding(VecDeque::new());
        let took = send_all(&mut sliding, rate, REQUESTS, milliseconds(shortest, longest));
        let of_sliding = REQUESTS as f64 / (took.as_secs_f64() * 10.0);
        assert!(of_time >= 0.97, "{of_time} of the time with {shortest} to {longest} ms");
        assert!(used >= 0.99, "{used} of the windows with {shortest} to {longest} ms");
        assert!(of_sliding >= 0.97, "{of_sliding} of a sliding window with {shortest} to {longest} ms");
    }
}
