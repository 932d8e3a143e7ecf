//! Asks the store until it answers: what a run needs to know is not guessed while the store is away.

use std::time::Duration;

use super::held::Grip;
use crate::journal::Error;
use crate::run::RunId;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Nothing more can be done for the run: it is somebody else's, or the store is broken.
#[derive(Debug)]
pub(super) struct Gone;

/// What `ask` is answered about `run`, asked again as long as the store is away and the run is ours.
pub(super) async fn persist<T, A>(run: &RunId, grip: &Grip, mut ask: impl FnMut() -> A) -> Result<T, Gone>
where
    A: Future<Output = Result<T, Error>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(Error::Unavailable { store, reason }) if !grip.is_lost() => {
                tracing::error!(%run, "the store {store} {reason}; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => {
                tracing::error!(%run, %error, "work on the run has stopped");
                return Err(Gone);
            }
        }
    }
}
