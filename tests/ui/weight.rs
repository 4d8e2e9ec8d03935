//! What a browser fetches before it shows a page.

use std::collections::BTreeSet;

use crate::fixture::{PageAnswer, PageFixture};

/// Of a page with all that it loads, as it is sent.
const PAGE_BYTES: usize = 100 << 10;

fn sent_bytes(answer: &PageAnswer) -> usize {
    assert_eq!(answer.status, 200);
    answer.header("content-length").parse().unwrap()
}

#[tokio::test]
async fn each_page_is_small_with_all_that_it_loads() {
    let world = PageFixture::start().await;
    world.deploy("demo", "demo", &[]).await;
    let member = world.member("demo").await;
    for path in [
        "/ui/sign-in",
        "/ui/clusters",
        "/ui/clusters/demo",
        "/ui/new",
        "/ui/clusters/demo/change",
        "/ui/clusters/demo/upgrade",
    ] {
        // Who has signed in is led on from there.
        let mut visitor = match path {
            "/ui/sign-in" => world.visitor(),
            _ => member.clone(),
        };
        visitor.headers = vec![("accept-encoding", "gzip".into())];
        let page = visitor.get(path).await;
        let quoted = page.text.split(['"', '\'']);
        let files: BTreeSet<&str> = quoted
            .filter(|text| text.starts_with("/ui/static/"))
            .collect();
        assert!(files.len() > 1, "{path}: {files:?}");
        let mut all = sent_bytes(&page);
        for file in files {
            let file = visitor.get(file).await;
            if file.header("content-type").starts_with("text/") {
                assert_eq!(file.header("content-encoding"), "gzip");
            }
            all += sent_bytes(&file);
        }
        assert!(all < PAGE_BYTES, "{path}: {all} bytes");
    }
}
