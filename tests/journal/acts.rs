//! What operators did, and their sessions.

use hob::journal::{Act, ActFilter, OperatorAct, OperatorSession};

use crate::fixture::{StoreLocation, at};

pub async fn acts_are_listed_newest_first_until_they_are_forgotten(location: &StoreLocation) {
    let journal = location.open().await;
    let acts = [(1, "ada", Act::Login), (2, "eve\0", Act::LoginFailed), (3, "ada", Act::Retry)];
    let acts = acts.map(|(time, who, act)| {
        OperatorAct::new(at(time), who, "192.0.2.7", act).about("cause 5c1f").changed(214)
    });
    for act in &acts {
        journal.save_act(act).await.unwrap();
    }
    journal.save_act(&acts[0]).await.unwrap();
    let [first, second, third] = &acts;
    let all = ActFilter::default();
    let list = |filter: &ActFilter| {
        let (journal, filter) = (journal.clone(), filter.clone());
        async move { journal.acts(&filter).await.unwrap() }
    };
    assert_eq!(list(&all).await, [third.clone(), second.clone(), first.clone()]);
    let newest = ActFilter { limit: Some(1), ..all.clone() };
    assert_eq!(list(&newest).await, std::slice::from_ref(third));
    let before = ActFilter { before: Some(third.id.clone()), ..newest };
    assert_eq!(list(&before).await, std::slice::from_ref(second));
    let of = ActFilter { operator: Some("ada".to_owned()), since: Some(at(2)), ..all.clone() };
    assert_eq!(list(&of).await, std::slice::from_ref(third));
    let failed = ActFilter { act: Some(Act::LoginFailed.name().to_owned()), ..all.clone() };
    assert_eq!(list(&failed).await, std::slice::from_ref(second));
    journal.forget_acts(at(3)).await.unwrap();
    assert_eq!(list(&all).await, std::slice::from_ref(third));
}

pub async fn a_session_lasts_until_it_is_ended_or_forgotten(location: &StoreLocation) {
    let journal = location.open().await;
    let session = |n: u8| OperatorSession {
        id: [n; 32],
        operator: "ada".to_owned(),
        credential: [9; 32],
        started: at(0),
        used: at(i64::from(n)),
    };
    for n in 1..4 {
        journal.save_session(&session(n)).await.unwrap();
    }
    assert_eq!(journal.session(&[1; 32]).await.unwrap(), Some(session(1)));
    assert_eq!(journal.session(&[7; 32]).await.unwrap(), None);
    journal.touch_session(&[1; 32], at(9)).await.unwrap();
    assert_eq!(journal.session(&[1; 32]).await.unwrap(), Some(OperatorSession { used: at(9), ..session(1) }));
    journal.end_session(&[1; 32]).await.unwrap();
    // A request in progress does not bring it back.
    journal.touch_session(&[1; 32], at(10)).await.unwrap();
    assert_eq!(journal.session(&[1; 32]).await.unwrap(), None);
    journal.forget_sessions(at(3)).await.unwrap();
    assert_eq!(journal.session(&[2; 32]).await.unwrap(), None);
    assert_eq!(journal.session(&[3; 32]).await.unwrap(), Some(session(3)));
}
