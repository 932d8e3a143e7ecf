//! Before a record that a list for a window of time shows no more counts as removed, it is read by its id, where the
//! catalog has a read for that: it may have been moved to a time outside the window.

use serde_json::Map;

use super::Poll;
use crate::catalog::path;
use crate::event::MovedRecords;
use crate::trigger::page_answer::ReadFailure;
use crate::trigger::page_reader::PageReader;

impl Poll<'_> {
    /// Those of the records `gone` that are there no more.
    pub(super) async fn without_moved(&mut self, gone: Vec<String>) -> Result<Vec<String>, ReadFailure> {
        let Some(read) = &self.poller.record_read else { return Ok(gone) };
        let mut reader = PageReader::of(&read.operation, self.poller, self.context);
        let mut removed = Vec::new();
        for record in gone {
            let inputs = Map::from_iter([(read.input.clone(), record.as_str().into())]);
            let is_there = match reader.read_own(&inputs).await {
                Ok(answer) => match read.operation.result.is_empty() {
                    true => !answer.body.is_null(),
                    false => path::read_first(&answer.body, &read.operation.result)
                        .is_some_and(|found| !found.is_null()),
                },
                Err(ReadFailure::Failed { gone: true, .. }) => false,
                Err(not_read) => {
                    return Err(not_read.while_reading(&format!("whether `{record}` is still there")));
                }
            };
            match is_there {
                true => self.note_moved(record),
                false => removed.push(record),
            }
        }
        Ok(removed)
    }

    fn note_moved(&mut self, record: String) {
        tracing::info!(
            recipe = self.polled.recipe,
            connection = self.polled.connection,
            operation = self.poller.operation.id,
            record,
            "the record is still there, outside the window of time that is polled: it does not count as removed"
        );
        self.polled.moved += 1;
        let scan = self.first_scan();
        let earlier = self.cursor.moved.take().filter(|earlier| earlier.scan == scan);
        let count = earlier.map_or(0, |earlier| earlier.count) + 1;
        let at = self.context.services.clock.now();
        self.cursor.moved = Some(Box::new(MovedRecords { scan, count, record, at }));
    }
}
