//! Two versions on one database, as during a rolling upgrade. The other version is simulated by calling its
//! functions.

use std::sync::Arc;

use hob::journal::{Access, Journal, Postgres, Slots};
use hob::run::{RunId, RunState};

use crate::cluster::Cluster;
use crate::fixture::{TTL, WORKER, add, at, end, ids, lease};
use crate::stores;

/// A process of the other version, whose functions have this suffix.
struct Other<'a> {
    cluster: &'a Cluster,
    schema: &'a str,
    ending: &'a str,
}

impl Other<'_> {
    fn does(&self, sql: &str) {
        // The earlier version knows neither of times in which runs wait for later ones nor of cursors that stay nor of
        // turns.
        let (one, none, beside, slots) = match self.ending {
            "" => ("", "", "", "9"),
            _ => (
                "ARRAY[NULL]::bigint[], ARRAY[NULL]::text[], ARRAY[NULL]::text[],",
                "'{}', '{}', '{}',",
                ", FALSE",
                "ARRAY[9, 9, 9], NULL, ARRAY['', '', ''], ARRAY['', '', ''], ARRAY[-1, -1, -1]::bigint[]",
            ),
        };
        let sql = sql.replace("{slots}", slots);
        let sql = sql.replace("{one_window}", one).replace("{no_window}", none);
        let sql = sql.replace("{beside}", beside);
        let sql = sql.replace("_vN", self.ending);
        self.cluster.user(&format!(
            "SET search_path = {}; DO $$ DECLARE found RECORD; BEGIN {sql} END $$",
            self.schema
        ));
    }

    /// Stores an event with one run.
    fn adds(&self, run: &str, lane: &str) {
        self.does(&format!(
            "SELECT * INTO found FROM hob_append_vN(FALSE,
                 ARRAY['evt_{run}'], ARRAY['{{\"connector\":\"highlevel\"}}'], ARRAY['ContactUpdate'],
                 ARRAY[NULL]::text[], ARRAY[NULL]::text[], ARRAY['{run}'], ARRAY[decode(md5('{run}'), 'hex')],
                 ARRAY[1]::bigint[], ARRAY['{{}}'],
                 ARRAY[1], ARRAY['{run}'], ARRAY['a'], ARRAY['{lane}'], ARRAY['{{}}'], ARRAY[NULL]::text[], ARRAY[0],
                 {{one_window}} NULL, NULL, NULL, NULL, NULL, NULL, '{{}}', '{{}}', '{{}}'{{beside}});
             ASSERT found.stored = ARRAY[TRUE];"
        ));
    }

    /// Leases the one due run, which is `run`.
    fn leases(&self, run: &RunId) {
        self.does(&format!(
            "SELECT * INTO STRICT found FROM hob_lease_vN('other', {{slots}}, {0}, {0} + 30000000000, 1, FALSE);
             ASSERT found.run_id = '{run}', found.run_id;",
            at(0).timestamp_nanos_opt().unwrap()
        ));
    }

    /// Ends a run that it has leased for the `epoch`th time.
    fn ends(&self, run: &RunId, epoch: i64) {
        self.does(&format!(
            "SELECT * INTO found FROM hob_record_vN(ARRAY['{run}'], ARRAY[{epoch}]::bigint[], ARRAY[77]::bigint[], ARRAY[2],
                 ARRAY[NULL]::bigint[], ARRAY[NULL]::text[], ARRAY['v1'], ARRAY[{}]::bigint[], ARRAY[0],
                 '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', ARRAY[NULL]::text[]);
             ASSERT found.done = ARRAY[TRUE];",
            at(1).timestamp_nanos_opt().unwrap()
        ));
    }
}

/// Both add to one lane and take turns at its runs, without repeating each other's work.
async fn take_turns(ours: &dyn Journal, other: &Other<'_>, round: &str) {
    let before = ours.totals(None).await.unwrap();
    let first = add(ours, &format!("first of {round}"), "a", "turns").await;
    let second = RunId(format!("run_second_of_{round}"));
    other.adds(&second.0, "turns");
    let third = add(ours, &format!("third of {round}"), "a", "turns").await;
    // Events stored by one are known to the other.
    other.does("SELECT * INTO found FROM hob_append_vN(FALSE, ARRAY['evt_again'],
        ARRAY['{\"connector\":\"highlevel\"}'], ARRAY['ContactUpdate'], ARRAY[NULL]::text[], ARRAY[NULL]::text[],
        ARRAY['first'], ARRAY[(SELECT key FROM receipts ORDER BY received DESC LIMIT 1)], ARRAY[1]::bigint[], ARRAY['{}'],
        '{}', '{}', '{}', '{}', '{}', '{}', '{}', {no_window} NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', '{}'{beside});
        ASSERT found.stored = ARRAY[FALSE];");

    other.leases(&first);
    assert!(lease(ours, 9, 0).await.is_empty(), "the lane is taken");
    other.ends(&first, 1);
    let leased = lease(ours, 9, 0).await;
    assert_eq!(ids(&leased), [second]);
    end(ours, &leased[0], RunState::Succeeded).await;
    other.leases(&third);
    // Its process is gone: we get the run when the lease has expired.
    assert_eq!(ours.reclaim(WORKER, at(31)).await.unwrap(), 1);
    let leased = lease(ours, 9, 31).await;
    assert_eq!((ids(&leased), leased[0].lease.epoch), (vec![third], 2));
    end(ours, &leased[0], RunState::Succeeded).await;

    let (totals, known) = (ours.totals(None).await.unwrap(), before.runs.get("succeeded").copied());
    assert_eq!((totals.events, totals.runs["succeeded"]), (before.events + 3, known.unwrap_or(0) + 3));
    let counted = ours.totals(chrono::DateTime::from_timestamp(0, 0)).await.unwrap();
    assert_eq!(totals, counted);
}

async fn open(url: &str) -> Arc<Postgres> {
    Arc::new(Postgres::open(url, Access::Runner).await.expect("opens"))
}

/// A newer process has installed its own functions with another suffix.
#[tokio::test]
async fn two_versions_of_the_functions_work_side_by_side() {
    let Some(cluster) = Cluster::shared() else { return };
    let schema = cluster.schema();
    let ours = open(&cluster.url(&schema)).await;
    cluster.user(&format!(
        "SET search_path = {schema}; SET check_function_bodies = off;
         DO $$ DECLARE f RECORD; BEGIN
             FOR f IN SELECT pg_get_functiondef(p.oid) AS text FROM pg_proc p
                 WHERE p.pronamespace = '{schema}'::regnamespace AND p.proname LIKE 'hob\\_%'
             LOOP EXECUTE regexp_replace(f.text, '_v[0-9a-f]{{8}}', '_v00000000', 'g'); END LOOP;
         END $$"
    ));
    take_turns(&*ours, &Other { cluster, schema: &schema, ending: "_v00000000" }, "one").await;
    // Opening the store again installs nothing.
    let count = format!(
        "ASSERT (SELECT count(*) = count(DISTINCT p.proname) AND count(*) % 2 = 0 FROM pg_proc p
        WHERE p.pronamespace = '{schema}'::regnamespace AND p.proname LIKE 'hob\\_%');"
    );
    let other = Other { cluster, schema: &schema, ending: "" };
    other.does(&count);
    open(&cluster.url(&schema)).await.close().await;
    other.does(&count);
    take_turns(
        &*open(&cluster.url(&schema)).await,
        &Other { cluster, schema: &schema, ending: "_v00000000" },
        "two",
    )
    .await;
}

/// A process of an earlier version keeps working while this one migrates the tables.
#[tokio::test]
async fn an_earlier_version_continues_beside_the_current_one() {
    let Some(cluster) = Cluster::shared() else { return };
    for version in stores::VERSIONS {
        let schema = cluster.schema();
        cluster.user(&stores::postgres(version, &schema));
        let ours = open(&cluster.url(&schema)).await;
        // Other due runs are not part of this test.
        ours.lease(WORKER, Slots::any(99), at(0), TTL * 1000).await.unwrap();
        take_turns(&*ours, &Other { cluster, schema: &schema, ending: "" }, version).await;
    }
}
