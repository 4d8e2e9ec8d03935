//! A host whose lists of clusters go on for as many pages as it is made for, or for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use axum::{Router, extract::Query, routing::get};
use hyper::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Which markers its pages have.
#[derive(Clone, Copy, Debug)]
pub enum ListedPages {
    /// So many pages.
    Number(usize),
    /// Each leads to the same one.
    Repeated,
}

/// Such a host.
#[derive(Debug)]
pub struct EndlessLists {
    /// Where it is.
    pub url: String,
    asked: Arc<AtomicUsize>,
}

#[derive(Deserialize)]
struct ListQuery {
    marker: Option<String>,
}

impl EndlessLists {
    /// # Errors
    /// It cannot listen.
    pub async fn start(pages: ListedPages) -> Result<Self> {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let list = get(move |Query(query): Query<ListQuery>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let page = answer_list(pages, query.marker.as_deref());
            async move { ([(CONTENT_TYPE, "application/json")], page.to_string()) }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let routes = Router::new().route("/api/v1/clusters", list);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, asked })
    }

    /// How many pages it was asked for.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn answer_list(pages: ListedPages, marker: Option<&str>) -> Value {
    let before: usize = marker.and_then(|marker| marker.parse().ok()).unwrap_or(0);
    let next = match pages {
        ListedPages::Repeated => Some("always".to_owned()),
        ListedPages::Number(number) => (before + 1 < number).then(|| (before + 1).to_string()),
    };
    json!({"clusters": [], "next_marker": next})
}
