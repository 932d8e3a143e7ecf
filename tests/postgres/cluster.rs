//! A PostgreSQL cluster of a test program's own: made in a temporary folder, on a free port, and gone
//! with the program, however that ends.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The password of the user that the tests go by. No message may show it.
pub const PASSWORD: &str = "open-sesame-4711";

/// The superuser of the cluster.
pub const ADMIN: &str = "chief";

/// Quick, for what does not have to outlive the machine. A process that is killed loses nothing by it.
pub const QUICK: &[&str] = &["fsync=off", "full_page_writes=off"];

/// A running cluster with a database `hob` that belongs to the user `hob`.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    pub port: u16,
    /// User and group that the server runs as; `None`: our own.
    pub user: Option<(u32, u32)>,
    /// While this is open, so is the cluster.
    _life: ChildStdin,
}

impl Cluster {
    /// The cluster that all tests of this program share; `None` where PostgreSQL is not installed.
    pub fn shared() -> Option<&'static Cluster> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(|| Cluster::start(QUICK)).as_ref()
    }

    /// One with `settings`, for tests that do things to a cluster; `None` where PostgreSQL is not
    /// installed.
    pub fn start(settings: &[&str]) -> Option<Cluster> {
        Self::prepared(settings, |_| {})
    }

    /// One that `prepare` changes between its creation and its start.
    pub fn prepared(settings: &[&str], prepare: impl FnOnce(&Cluster)) -> Option<Cluster> {
        let Some(programs) = programs() else {
            assert!(
                !is_required(),
                "PostgreSQL is not installed, and HOB_TEST_POSTGRES says that it must be"
            );
            eprintln!("SKIPPED: PostgreSQL (initdb, pg_ctl) is not installed; no test of it has run");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("hob-postgres-").tempdir().expect("a folder").keep();
        // The server refuses to run as root.
        let me = fs::metadata(&folder).expect("a folder").uid();
        let user = (me == 0).then(unprivileged);
        if let Some((user, group)) = user {
            chown(&folder, Some(user), Some(group)).expect("the folder can be given away");
        }
        let life = guard(&programs, &folder, user);
        let mut cluster = Cluster { programs, folder, port: 0, user, _life: life };
        cluster.make();
        prepare(&cluster);
        // Somebody else may take a port that was free a moment ago.
        let running = (0..5).any(|_| {
            cluster.port = free_port();
            cluster.configure(settings);
            cluster.is_started()
        });
        assert!(running, "{}", fs::read_to_string(cluster.folder.join("log")).unwrap_or_default());
        cluster.admin(&format!("CREATE ROLE hob LOGIN PASSWORD '{PASSWORD}'"));
        cluster.admin("CREATE DATABASE hob OWNER hob");
        Some(cluster)
    }

    /// A schema for a store of its own, in the database that all share.
    pub fn schema(&self) -> String {
        static SCHEMAS: AtomicU32 = AtomicU32::new(0);
        format!("test_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed))
    }

    /// The address of a store of its own.
    pub fn store(&self) -> String {
        self.url(&self.schema())
    }

    /// The address of the store in that schema. Its connections can be told from others.
    pub fn url(&self, schema: &str) -> String {
        let port = self.port;
        format!(
            "postgres://hob:{PASSWORD}@127.0.0.1:{port}/hob?schema={schema}&application_name={schema}&connect_timeout=60"
        )
    }

    /// Does something as the owner of the cluster.
    pub fn admin(&self, sql: &str) {
        let address =
            format!("host=127.0.0.1 port={} user={ADMIN} password={PASSWORD} dbname=postgres", self.port);
        self.sql(address, sql);
    }

    /// Executes `sql` on a connection of its own.
    pub fn sql(&self, address: String, sql: &str) {
        let sql = sql.to_owned();
        // On a thread of its own, because the caller may be in a runtime.
        let work = move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let (client, connection) =
                    tokio_postgres::connect(&address, tokio_postgres::NoTls).await.expect("connects");
                let driver = tokio::spawn(connection);
                client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
                drop(client);
                let _ = driver.await;
            });
        };
        std::thread::spawn(work).join().expect("is done");
    }

    fn make(&self) {
        let password = self.folder.join("password");
        fs::write(&password, PASSWORD).expect("a file");
        if let Some((user, group)) = self.user {
            chown(&password, Some(user), Some(group)).expect("the file can be given away");
        }
        let output = self
            .command("initdb")
            .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"])
            .args(["--username", ADMIN, "--pwfile"])
            .arg(&password)
            .arg("--pgdata")
            .arg(self.data())
            .output()
            .expect("initdb runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn configure(&self, settings: &[&str]) {
        let mut text = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\nmax_connections = 400\n\
             deadlock_timeout = 200ms\n",
            self.port
        );
        for setting in settings {
            text += &format!("{setting}\n");
        }
        // The last word on a setting counts.
        fs::write(self.data().join("postgresql.auto.conf"), text).expect("the settings can be written");
    }

    /// Starts the server; whether it runs.
    pub fn is_started(&self) -> bool {
        self.pg_ctl(&["start", "-l", &self.folder.join("log").display().to_string()])
    }

    /// Runs `pg_ctl` on the cluster; whether it succeeded.
    pub fn pg_ctl(&self, words: &[&str]) -> bool {
        let mut command = self.command("pg_ctl");
        command.args(["-w", "-t", "300", "-D"]).arg(self.data()).args(words);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("pg_ctl runs").success()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.folder).stdin(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

/// Stops the cluster and removes its folder once what is returned is closed, as it is when we are killed.
fn guard(programs: &Path, folder: &Path, user: Option<(u32, u32)>) -> ChildStdin {
    let script = "trap '' INT TERM HUP; read -r _; \"$0/pg_ctl\" -D \"$1/data\" -m immediate stop; cd /; rm -rf \"$1\"";
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(programs).arg(folder).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    command.spawn().expect("sh runs").stdin.take().expect("a pipe")
}

/// Where the server's programs are.
fn programs() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "where programs are is for the tests to find")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort_by_key(|place| {
        let version = place.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        std::cmp::Reverse(version.and_then(|version| version.parse::<u32>().ok()))
    });
    places.extend(versions);
    let place =
        places.into_iter().find(|place| place.join("initdb").exists() && place.join("pg_ctl").exists())?;
    // A link to somewhere else would hide what lies beside the program.
    Some(fs::canonicalize(place.join("pg_ctl")).ok()?.parent()?.to_owned())
}

fn is_required() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    let word = std::env::var("HOB_TEST_POSTGRES");
    word.is_ok_and(|word| word == "required")
}

/// User and group of somebody who is not root.
fn unprivileged() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").expect("users are listed");
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody")).expect("a user `postgres` or `nobody`")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
