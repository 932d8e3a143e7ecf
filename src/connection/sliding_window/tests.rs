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
    match window.check(now, NOW) {
        Ok(start) => Ok(window.take(start, now, None)),
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
    assert!(window.check(at(8), SECOND).is_err());
    let start = window.check(at(9), SECOND).unwrap();
    assert_eq!(start, at(10));
    window.take(start, at(9), None);
    assert!(window.check(at(9), SECOND).is_err(), "it is given once");
    window.end(2, &End { unused: true, ..End::default() }, at(9));
    assert!(window.check(at(9), NOW).is_err(), "given back, it is no sooner free");
    assert!(take(&mut window, at(10)).is_ok());
}

#[test]
fn dead_processes_release_their_slots() {
    let mut window = window("1/10s");
    let start = window.check(at(0), NOW).unwrap();
    let slot = window.take(start, at(0), Some(at(30)));
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
        let breaker_open = matches!(window.check(at(0), NOW), Err(Refusal::BreakerOpen(_)));
        assert_eq!(breaker_open, breaker.check().is_err(), "after {failures} failures");
    }
    let Err(Refusal::BreakerOpen(pause)) = window.check(at(0), NOW) else { panic!("left alone") };
    let later = at(0).after(pause);
    window.take(window.check(later, NOW).unwrap(), later, None);
    assert!(window.check(later, NOW).is_err(), "only one goes to see");
    window.end(1, &End { alive: Some(true), ..End::default() }, later);
    assert!(window.check(later, NOW).is_ok());
}
