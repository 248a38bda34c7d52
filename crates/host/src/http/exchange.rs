//! One request on the wire and what came back of it, read up to a limit; and what a failure says about whether the service
//! may have acted.

use super::addresses::Inward;
use keytender_core::exchange::Origin;
use keytender_core::ports::{HttpError, HttpTrouble, Sent};
use keytender_core::secret::SecretBytes;
use std::error::Error;
use std::time::Duration;
use zeroize::Zeroizing;

/// The most of a body that is read, after decoding: a key and its description need a thousandth of it, and the escrow's
/// slot holds as much.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The longest cause that is passed on: a server's certificate can make it as long as it likes.
const CAUSE_CHARS_MAX: usize = 200;

/// A reply, as far as it came.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: SecretBytes,
    pub(super) complete: bool,
}

/// Sends the request and reads its reply, within the request's own time limit.
pub(super) async fn exchange(client: reqwest::Client, request: reqwest::Request, origin: Origin) -> Result<Reply, HttpError> {
    let limit = request.timeout().copied().unwrap_or_default();
    let mut response = client.execute(request).await.map_err(|error| trouble(error, &origin, limit))?;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let mut chunks = Vec::new();
    let mut room = BODY_BYTES_MAX;
    let complete = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if chunk.len() > room => {
                chunks.push(chunk.slice(..room));
                break false;
            }
            Ok(Some(chunk)) => {
                room -= chunk.len();
                chunks.push(chunk);
            }
            Ok(None) => break true,
            // Broken off, out of time or badly encoded: what came may hold the key, so it is kept.
            Err(_) => break false,
        }
    };
    // Put together once, at its full size: a buffer that grows leaves copies behind that nobody wipes.
    let mut body = Zeroizing::new(Vec::with_capacity(BODY_BYTES_MAX - room));
    chunks.iter().for_each(|chunk| body.extend_from_slice(chunk));
    Ok(Reply { status: response.status().as_u16(), headers, body: SecretBytes::new(std::mem::take(&mut *body)), complete })
}

/// What a request that brought no reply's head ran into. The texts name the origin and the innermost cause only: every
/// layer above it may quote the URL.
fn trouble(error: reqwest::Error, origin: &Origin, limit: Duration) -> HttpError {
    let error = error.without_url();
    if let Some(inward) = causes(&error).find_map(|cause| cause.downcast_ref::<Inward>()) {
        return HttpError { trouble: HttpTrouble::Forbidden(inward.to_string()), sent: Sent::No };
    }
    // Only the phase before the connection stands (resolving, connecting, a proxy's tunnel, TLS) is known to send nothing.
    if error.is_connect() {
        let cause = if error.is_timeout() { "no connection in time".to_owned() } else { innermost(&error) };
        return HttpError { trouble: HttpTrouble::Connect(format!("{origin}: {cause}")), sent: Sent::No };
    }
    if error.is_builder() {
        return HttpError {
            trouble: HttpTrouble::Forbidden(format!("the request to {origin} is not one of HTTP")),
            sent: Sent::No,
        };
    }
    let trouble = if error.is_timeout() { HttpTrouble::Timeout(limit.as_secs()) } else { HttpTrouble::Cut };
    HttpError { trouble, sent: Sent::Maybe }
}

fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // `(*cause)`: a reference to an error is an error too, whose source would not live as long.
    std::iter::successors(error.source(), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

fn innermost(error: &reqwest::Error) -> String {
    let cause = causes(error).last().map_or_else(|| error.to_string(), ToString::to_string);
    cause.chars().take(CAUSE_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
