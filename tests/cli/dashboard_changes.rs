//! Streams of events, by which open pages of the dashboard learn that something has changed.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::dashboard_client::{Ask, Login, Site, guarded_workspace, workspace};
use crate::program::hob;

/// Longer than anything may take.
const LONG: Duration = Duration::from_secs(60);
/// Most pages that watch at the same time.
const MOST: usize = 100;

/// An open stream.
struct Stream(BufReader<TcpStream>);

impl Stream {
    /// The head of the answer, and the stream.
    fn open(site: &Site, query: &str, more: &str) -> (String, Self) {
        let mut stream = TcpStream::connect(("127.0.0.1", site.port)).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let host = site.host();
        write!(
            stream,
            "GET /changes?{query} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n{more}\r\n"
        )
        .unwrap();
        let mut stream = Self(BufReader::new(stream));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.0.read_line(&mut head).unwrap() > 0, "{head}");
        }
        (head.to_lowercase(), stream)
    }

    /// The id of the next event.
    fn next(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream has ended");
            if let Some(id) = line.strip_prefix("id: ") {
                return id.trim().to_owned();
            }
        }
    }
}

fn seen(site: &Site, login: Option<&Login>) -> String {
    let asked = Ask::get("/");
    let page = site.ask(login.map_or_else(|| asked.clone(), |login| asked.clone().by(login))).body;
    let (_, rest) = page.split_once("/changes?of=now&amp;seen=").expect("the page watches");
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn all_pages_learn_of_a_change_and_of_nothing_else() {
    let site = Site::start(workspace(""), "127.0.0.1");
    let known = seen(&site, None);
    let query = format!("of=now&seen={known}");
    let (head, mut first) = Stream::open(&site, &query, "");
    let (_, mut second) = Stream::open(&site, "of=now&seen=earlier", &format!("Last-Event-ID: {known}\r\n"));
    assert!(head.starts_with("http/1.1 200 ") && head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("x-accel-buffering: no") && head.contains("default-src 'none'"), "{head}");
    // A page that is behind is told at once.
    let (_, mut behind) = Stream::open(&site, "of=now&seen=0123456789abcdef", "");
    behind.next();
    hob(site.path(), &["pause", "quiet"]).code(0);
    // A minute may pass as well, which the plot shows.
    let paused = || site.ask(Ask::get("/")).body.contains("Resume");
    let begun = Instant::now();
    let (told, same) = (first.next(), second.next());
    assert_eq!(told, same, "both have the same look");
    assert_ne!(told, known);
    while !paused() {
        assert!(begun.elapsed() < LONG);
    }
    let part = site.ask(Ask::get(&format!("/?seen={known}")));
    assert!(part.status == 200 && !part.body.contains("<html"), "{}", part.body);
}

#[test]
fn a_page_of_a_recipe_learns_that_its_file_is_edited() {
    let site = Site::start(workspace(""), "127.0.0.1");
    let (_, mut stream) = Stream::open(&site, "of=recipe&id=quiet", "");
    let first = stream.next();
    let file = site.path().join("recipes/quiet.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("message: m", "message: other")).unwrap();
    assert_ne!(stream.next(), first);
    assert!(site.ask(Ask::get("/recipes/quiet")).body.contains("message: other"));
    fs::write(&file, text.replace("do: log", "do: lag")).unwrap();
    stream.next();
    let page = site.ask(Ask::get("/recipes/quiet")).body;
    assert!(page.contains("Its file has mistakes") && page.contains("message: other"), "{page}");
}

#[test]
fn a_stop_ends_open_streams_and_does_not_wait_for_them() {
    let mut site = Site::start(workspace(""), "127.0.0.1");
    let (_, mut stream) = Stream::open(&site, "of=now&seen=0", "");
    stream.next();
    let begun = Instant::now();
    assert!(
        Command::new("kill").args(["-INT", &site.process().id().to_string()]).status().unwrap().success()
    );
    let mut rest = Vec::new();
    stream.0.read_to_end(&mut rest).unwrap();
    // Ended, and not broken off: this is the last piece of an answer.
    assert!(rest.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(site.process().wait().unwrap().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn streams_are_for_those_who_are_logged_in_and_not_too_many() {
    let (folder, _) = guarded_workspace("");
    let site = Site::start(folder, "127.0.0.1");
    let ada = site.login("ada");
    let (head, _) = Stream::open(&site, "of=now", "");
    assert!(head.starts_with("http/1.1 401 "), "{head}");
    let cookie = format!("Cookie: {}\r\n", ada.cookie);
    let mut open = Vec::new();
    let refused = loop {
        let (head, stream) = Stream::open(&site, "of=now", &cookie);
        if !head.starts_with("http/1.1 200 ") {
            break head;
        }
        open.push(stream);
        assert!(open.len() <= MOST, "there is no limit");
    };
    assert!(refused.starts_with("http/1.1 503 "), "{refused}");
    assert_eq!(open.len(), MOST);
    assert_eq!(site.ask(Ask::get("/").by(&ada)).status, 200, "pages are served all the same");
    drop(open);
    let begun = Instant::now();
    while !Stream::open(&site, "of=now", &cookie).0.starts_with("http/1.1 200 ") {
        assert!(begun.elapsed() < LONG, "places are free again");
    }
}
