//! Stores of earlier versions, of either kind.

use hob::event::EventId;
use hob::journal::{Batch, Part, Record, RunFilter};
use hob::run::RunId;

use crate::fixture::StoreLocation;
use crate::stores;

/// Existing runs are unchanged, and events stay known.
pub async fn what_an_earlier_version_stored_is_known(location: &StoreLocation) {
    for version in stores::VERSIONS {
        let location = location.another();
        match &location {
            StoreLocation::Sqlite(_) => stores::sqlite(version, &location.path()),
            StoreLocation::Postgres(cluster, schema) => cluster.user(&stores::postgres(version, schema)),
        }
        let journal = location.open().await;
        let totals = journal.totals(None).await.unwrap();
        assert_eq!(totals, journal.totals(chrono::DateTime::from_timestamp(0, 0)).await.unwrap());
        assert_eq!(totals.events, 17);
        let moment = journal.snapshot().await.unwrap();
        for record in moment.export(Part::Events, None, 100).await.unwrap().records {
            let Record::Event(mut event) = record else { panic!("an event") };
            event.id = EventId::new();
            let run = hob::journal::NewRun { id: RunId::new(), ..crate::fixture::new_run("a", "x") };
            let batch = Batch { events: vec![(event, vec![run])], progress: None };
            assert_eq!(journal.append(batch).await.unwrap().duplicates, 1);
        }
        for row in journal.runs(&RunFilter::default()).await.unwrap() {
            let detail = journal.run(&row.id).await.unwrap().unwrap();
            assert_eq!((detail.row.entries, &detail.event.id), (detail.entries.len(), &detail.run.event));
            if let Some(version) = &detail.run.version {
                let text = journal.recipe(&row.recipe, version).await.unwrap().expect("its text is kept");
                assert!(text.recipe().is_some(), "{text:?}");
            }
        }
        assert_eq!(journal.cursors().await.unwrap().len(), 1);
        assert_eq!(journal.totals(None).await.unwrap(), totals);
    }
}
