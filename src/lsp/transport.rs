//! Messages on a stream. The crate's own reader ends with the first malformed message, and allocates whatever length
//! a header claims; an editor that sends nonsense once should still be served.

use std::io::{self, BufRead, Read, Write};

use lsp_server::{ErrorCode, Message};
use serde_json::json;

/// The longest message that is read; a longer one ends the session.
const MAX_LENGTH: usize = 64 << 20;
/// The most headers of a message, and the longest one.
const MAX_HEADERS: usize = 32;
const MAX_HEADER: u64 = 4096;

/// What came from the client.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(Message),
    /// Something of the announced length that is no message, and why.
    Malformed(String),
}

/// The next message; `None` at the end of the stream. An error means that the stream cannot be followed any more.
pub fn read(stream: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let Some(length) = length(stream)? else { return Ok(None) };
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(Some(match serde_json::from_slice(&bytes) {
        Ok(message) => Incoming::Message(message),
        Err(error) => Incoming::Malformed(error.to_string()),
    }))
}

/// Reads the headers: the length of what follows them.
fn length(stream: &mut impl BufRead) -> io::Result<Option<usize>> {
    let mut length = None;
    for at in 0..MAX_HEADERS {
        let mut line = Vec::new();
        stream.by_ref().take(MAX_HEADER).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return if at == 0 { Ok(None) } else { Err(invalid("the stream ends within a header")) };
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return match length {
                Some(length) if length <= MAX_LENGTH => Ok(Some(length)),
                Some(_) => Err(invalid("the message is too long")),
                None => Err(invalid("a message without Content-Length")),
            };
        }
        if let Some((name, value)) = line.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = Some(value.trim().parse().map_err(|_| invalid("Content-Length is no number"))?);
        }
    }
    Err(invalid("too many headers"))
}

/// Answers something that is no message, and so has no id.
pub fn refuse(output: &mut dyn Write, reason: &str) -> io::Result<()> {
    let error = json!({ "code": ErrorCode::ParseError as i32, "message": format!("no message: {reason}") });
    let text = json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string();
    write!(output, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    output.flush()
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Result<bool, String>> {
        let mut stream = text.as_bytes();
        let mut found = Vec::new();
        loop {
            match read(&mut stream) {
                Ok(None) => return found,
                Ok(Some(incoming)) => found.push(Ok(matches!(incoming, Incoming::Message(_)))),
                Err(error) => {
                    found.push(Err(error.to_string()));
                    return found;
                }
            }
        }
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn a_malformed_message_does_not_end_the_stream() {
        let good = framed(r#"{"jsonrpc":"2.0","id":1,"method":"shutdown"}"#);
        let text = [framed("{]"), good.clone(), framed("[1]"), framed(""), good].concat();
        assert_eq!(all(&text), [Ok(false), Ok(true), Ok(false), Ok(false), Ok(true)]);
    }

    #[test]
    fn what_cannot_be_followed_is_an_error() {
        for text in [
            "Content-Length: 99999999999999\r\n\r\n",
            "Content-Length: many\r\n\r\n",
            "X: y\r\n\r\n",
            "Content-Length: 10\r\n\r\n{}",
            "Content-Length: 10\r\n",
        ] {
            assert!(all(text).last().is_some_and(Result::is_err), "{text}");
        }
        assert!(all(&"a: b\r\n".repeat(100)).last().is_some_and(Result::is_err));
        assert!(all("").is_empty());
    }
}
