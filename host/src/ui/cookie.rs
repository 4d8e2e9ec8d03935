//! The cookie that names a session.
//!
//! `__Host-` keeps other hosts of a domain from setting it, `HttpOnly` keeps scripts from reading it,
//! `Secure` keeps it off plain connections but to the browser's own machine, and `SameSite=Lax`
//! keeps it from most of what other sites ask for. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// Its name.
const NAME: &str = "__Host-stampede";

/// What names a session; whoever has it is signed in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionId(pub(super) [u8; 32]);

impl SessionId {
    /// The one that the browser sends; of several none, since only one can be ours.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(COOKIE).iter();
        let lines = lines.filter_map(|line| line.to_str().ok());
        let mut values = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == NAME)
            .map(|(_, value)| value);
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// What has the browser keep it until it is closed.
    pub(super) fn set_cookie(self) -> Option<HeaderValue> {
        let value = URL_SAFE_NO_PAD.encode(self.0);
        let text = format!("{NAME}={value}; Path=/; HttpOnly; Secure; SameSite=Lax");
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// What has the browser drop it.
pub(super) fn drop_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-stampede=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(lines: &[&str]) -> Option<SessionId> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, line.parse().unwrap());
        }
        SessionId::from_headers(&headers)
    }

    #[test]
    fn the_cookie_comes_back_as_it_was_set_and_nothing_else_is_taken_for_it() {
        let id = SessionId([7; 32]);
        let set = id.set_cookie().unwrap().to_str().unwrap().to_owned();
        let pair = set.split(';').next().unwrap();
        assert!(sent(&[pair]) == Some(id));
        assert!(sent(&[&format!("a=b; {pair}; c")]) == Some(id));
        for none in [
            vec![],
            vec!["__Host-stampede="],
            vec!["__Host-stampede=x"],
            vec![pair, pair],
            vec!["stampede=x"],
        ] {
            assert!(sent(&none).is_none(), "{none:?}");
        }
        let short = pair.get(..pair.len() - 2).unwrap();
        assert!(sent(&[short]).is_none());
    }
}
