//! Sessions: stored with the history, so that all processes that share it know them, a logout ends them at once everywhere, and
//! a restart does not.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::policy::Access;
use super::refusal::Refusal;
use crate::dashboard::Operator;
use crate::journal::{Error, Journal, OperatorSession};
use crate::operator::{Account, Proof, secret};

/// A session ends when it has not been used for so long.
const IDLE: TimeDelta = TimeDelta::hours(2);
/// A session ends after so long, however much it is used.
const WHOLE: TimeDelta = TimeDelta::hours(12);
/// How exactly its last use is known. Not every request writes.
const EXACTNESS: TimeDelta = TimeDelta::minutes(1);

/// The id under which the session of a secret is stored.
fn id(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Begins a session; returns its secret. It always is a new one, so that nobody can know it before.
pub(super) async fn begin(
    journal: &dyn Journal,
    account: &Account,
    proof: &Proof,
    now: DateTime<Utc>,
) -> Result<String, Refusal> {
    let secret = secret().map_err(|_| Refusal::NoRandomness)?;
    let session = OperatorSession {
        id: id(&secret),
        operator: account.name.clone(),
        credential: proof.fingerprint(),
        started: now,
        used: now,
    };
    journal.forget_sessions(now - IDLE).await?;
    journal.save_session(&session).await?;
    Ok(secret)
}

/// The operator whose session has this secret, if it has not ended.
pub(super) async fn find(
    journal: &dyn Journal,
    access: &Access,
    secret: &str,
    now: DateTime<Utc>,
) -> Result<Option<Operator>, Error> {
    let Some(session) = journal.session(&id(secret)).await? else { return Ok(None) };
    let account = access.account(&session.operator);
    let Some(account) = account.filter(|account| is_valid(&session, account, now)) else { return Ok(None) };
    if session.used + EXACTNESS <= now {
        journal.touch_session(&session.id, now).await?;
    }
    Ok(Some(Operator { name: account.name.clone(), role: account.role }))
}

/// Whether a session has not ended, and its credential is still one of the account.
fn is_valid(session: &OperatorSession, account: &Account, now: DateTime<Utc>) -> bool {
    let proven = account.proofs.iter().any(|proof| proof.fingerprint() == session.credential);
    // One from the future is of a clock that was set back.
    let begun = session.started <= now + EXACTNESS;
    proven && begun && now < session.started + WHOLE && now < session.used + IDLE
}

/// Ends the session with this secret.
pub(super) async fn end(journal: &dyn Journal, secret: &str) -> Result<(), Error> {
    journal.end_session(&id(secret)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::{Role, TokenHash};

    #[test]
    fn a_session_ends_by_itself_and_with_its_credential() {
        let account = |token: &str| Account {
            name: "ada".to_owned(),
            role: Role::Act,
            proofs: vec![Proof::Token(TokenHash::of(token))],
        };
        let hour = |hours: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hours);
        let session = |started: i64, used: i64| OperatorSession {
            id: [0; 32],
            operator: "ada".to_owned(),
            credential: account("a").proofs[0].fingerprint(),
            started: hour(started),
            used: hour(used),
        };
        for (session, token, valid) in [
            (session(10, 10), "a", true),
            (session(10, 10), "b", false),
            (session(0, 8), "a", false),
            (session(0, 9), "a", true),
            (session(-2, 10), "a", false),
            (session(12, 12), "a", false),
        ] {
            assert_eq!(is_valid(&session, &account(token), hour(10)), valid, "{session:?} {token}");
        }
    }
}
