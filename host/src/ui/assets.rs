//! The files that pages load: the style sheet, htmx with its extension for streams, a script of ours,
//! and the icon. Each has the digest of its bytes in its path, so that browsers keep it for good; all
//! are compressed once. From elsewhere nothing is loaded.

use std::io::Write as _;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response};
use sha2::{Digest as _, Sha256};

use super::BASE_PATH;
use crate::answer::{AnswerBody, CacheableAnswer};

/// One file.
struct PageAsset {
    name: &'static str,
    kind: &'static str,
    hash: String,
    bytes: &'static [u8],
    compressed: Bytes,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

static ASSETS: LazyLock<Vec<PageAsset>> = LazyLock::new(|| {
    let asset = |name, kind, bytes: &'static [u8]| {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        PageAsset {
            name,
            kind,
            hash: digest
                .iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            bytes,
            compressed: compress(bytes),
        }
    };
    vec![
        asset(
            "stampede.css",
            "text/css; charset=utf-8",
            include_bytes!("assets/stampede.css"),
        ),
        asset(
            "forms.css",
            "text/css; charset=utf-8",
            include_bytes!("assets/forms.css"),
        ),
        asset("htmx.min.js", SCRIPT, include_bytes!("assets/htmx.min.js")),
        asset(
            "hx-sse.min.js",
            SCRIPT,
            include_bytes!("assets/hx-sse.min.js"),
        ),
        asset("stampede.js", SCRIPT, include_bytes!("assets/stampede.js")),
        asset(
            "icon.svg",
            "image/svg+xml",
            include_bytes!("assets/icon.svg"),
        ),
    ]
});

/// Empty where it cannot be compressed, and then it is sent as it is.
fn compress(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default().into()
}

/// The path of a file below the service's prefix; the name alone where there is none, which tests
/// would have shown.
pub(super) fn asset_path(name: &str) -> String {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    found.map_or_else(
        || name.to_owned(),
        |asset| format!("{BASE_PATH}/static/{}/{name}", asset.hash),
    )
}

/// The file of this name; none where there is none. One of another digest is another version's, which
/// this host does not have.
pub(super) fn asset_answer(
    asked: &HeaderMap,
    hash: &str,
    name: &str,
) -> Option<Response<AnswerBody>> {
    let mut assets = ASSETS.iter();
    let asset = assets.find(|asset| asset.name == name && asset.hash == hash)?;
    let accepted = asked.get_all(ACCEPT_ENCODING).iter();
    let takes_gzip = accepted
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|one| {
            let mut parts = one.split(';').map(str::trim);
            parts.next() == Some("gzip") && parts.next() != Some("q=0")
        });
    let is_compressed = takes_gzip && !asset.compressed.is_empty();
    let body = if is_compressed {
        asset.compressed.clone()
    } else {
        Bytes::from_static(asset.bytes)
    };
    let mut response = Response::new(AnswerBody::from(body));
    response.extensions_mut().insert(CacheableAnswer);
    let headers = response.headers_mut();
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_what_was_published() {
        let digest = |name: &str| {
            let asset = ASSETS.iter().find(|asset| asset.name == name).unwrap();
            let digest: [u8; 32] = Sha256::digest(asset.bytes).into();
            digest
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        // npm pack htmx.org@4.0.1: dist/htmx.min.js, dist/ext/hx-sse.min.js.
        assert_eq!(
            digest("htmx.min.js"),
            "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
        );
        assert_eq!(
            digest("hx-sse.min.js"),
            "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103"
        );
    }

    #[test]
    fn what_the_first_page_loads_is_small_and_from_here() {
        let sent: usize = ASSETS.iter().map(|asset| asset.compressed.len()).sum();
        assert!(sent < 32 << 10, "{sent}");
        let style = ASSETS
            .iter()
            .find(|asset| asset.name == "stampede.css")
            .unwrap();
        assert!(style.bytes.len() <= 12 << 10, "{}", style.bytes.len());
        let style = std::str::from_utf8(style.bytes).unwrap();
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}
