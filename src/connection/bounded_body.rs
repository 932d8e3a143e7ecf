//! Reads the body of an answer up to a limit.

use futures::StreamExt;

/// Initial capacity, whatever length the server announces.
const INITIAL_CAPACITY: u64 = 64 << 10;

/// The body of an answer, possibly cut.
#[derive(Debug)]
pub struct BoundedBody {
    /// The bytes read.
    pub bytes: Vec<u8>,
    /// Whether it is complete.
    pub whole: bool,
}

impl BoundedBody {
    /// Reads at most `most` bytes of the decompressed body of `answer`.
    pub async fn read(answer: reqwest::Response, most: usize) -> Result<Self, reqwest::Error> {
        let room = answer.content_length().unwrap_or(0).min(INITIAL_CAPACITY);
        let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        let mut stream = answer.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk?;
            let left = most - bytes.len();
            if chunk.len() > left {
                bytes.extend_from_slice(&chunk[..left]);
                return Ok(Self { bytes, whole: false });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Self { bytes, whole: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_is_read_than_is_wanted() {
        for (body, most, read, whole) in
            [("", 0, "", true), ("abc", 3, "abc", true), ("abcd", 3, "abc", false), ("abc", 0, "", false)]
        {
            let answer = reqwest::Response::from(axum::http::Response::new(body));
            let bounded = BoundedBody::read(answer, most).await.unwrap();
            assert_eq!((bounded.bytes.as_slice(), bounded.whole), (read.as_bytes(), whole), "{body}");
        }
    }
}
