//! The store as its users see it.

use std::collections::BTreeMap;

use super::*;

fn record(id: &str, project: &str, name: &str) -> ClusterRecord {
    let identity = RecordIdentity {
        id: id.into(),
        project_id: project.into(),
        project_name: project.into(),
        name: name.into(),
        stack_name: format!("stampede-{name}-{id}"),
        region: String::new(),
    };
    let attributes =
        BTreeMap::from([("my.param".into(), "a \"b\"\nü '; DROP TABLE cluster".into())]);
    ClusterRecord::requested(identity, attributes, 1)
}

#[tokio::test]
async fn records_survive_closing_and_opening() {
    let dir = tempfile::tempdir().unwrap();
    let store = RecordStore::open(&dir.path().join("new/data"))
        .await
        .unwrap();
    let mut kept = record("1", "p", "demo");
    store.insert(&kept).await.unwrap();
    kept.0.revision = 2;
    kept.0
        .observed
        .outputs
        .insert("n".into(), serde_json::json!({ "a": [1, null] }));
    assert!(store.update(&kept).await.unwrap());
    store.close().await;
    let store = RecordStore::open(&dir.path().join("new/data"))
        .await
        .unwrap();
    assert_eq!(
        store.find("p", "", "demo").await.unwrap(),
        Some(kept.clone())
    );
    assert_eq!(store.get("1").await.unwrap(), Some(kept));
}

#[tokio::test]
async fn the_file_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    RecordStore::open(&data).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join(FILE_NAME))), (0o700, 0o600));
}

#[tokio::test]
async fn a_name_is_free_again_once_its_cluster_is_to_be_deleted() {
    let store = RecordStore::in_memory().await.unwrap();
    let mut old = record("1", "p", "demo");
    store.insert(&old).await.unwrap();
    assert!(matches!(
        store.insert(&record("2", "p", "demo")).await,
        Err(StoreError::Taken)
    ));
    store.insert(&record("3", "q", "demo")).await.unwrap();
    old.request_deletion("u").unwrap();
    old.0.revision = 2;
    assert!(store.update(&old).await.unwrap());
    store.insert(&record("2", "p", "demo")).await.unwrap();
    assert_eq!(store.find("p", "", "demo").await.unwrap().unwrap().id, "2");
    assert_eq!(
        (
            store.count("p").await.unwrap(),
            store.of_project("p").await.unwrap().records.len(),
            store.all().await.unwrap().records.len()
        ),
        (2, 2, 3)
    );
    assert!(
        !store.remove("1", 1).await.unwrap(),
        "it was written since it was read"
    );
    assert_eq!(store.count("p").await.unwrap(), 2);
    assert!(store.remove("1", 2).await.unwrap());
    assert_eq!(store.count("p").await.unwrap(), 1);
    assert!(store.remove("1", 2).await.unwrap(), "it is gone already");
}

#[tokio::test]
async fn two_processes_on_one_file_never_overwrite_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (
        RecordStore::open(dir.path()).await.unwrap(),
        RecordStore::open(dir.path()).await.unwrap(),
    );
    let first = record("1", "p", "demo");
    one.insert(&first).await.unwrap();
    let with_region = |region: &str| {
        ClusterRecord::for_tests(record_fields::RecordFields {
            revision: 2,
            region: region.into(),
            ..first.0.clone()
        })
    };
    let (mine, theirs) = (with_region("one"), with_region("two"));
    assert!(one.update(&mine).await.unwrap());
    assert!(
        !two.update(&theirs).await.unwrap(),
        "the second writer has read an older revision"
    );
    assert_eq!(two.get("1").await.unwrap(), Some(mine));
}

#[tokio::test]
async fn a_file_that_is_no_store_says_so() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join(FILE_NAME),
        "this is not a database at all, but long enough to be read as one\n".repeat(100),
    )
    .unwrap();
    let error = RecordStore::open(dir.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("damaged or no store"), "{error}");
}

#[tokio::test]
async fn a_later_layout_and_another_programs_database_are_refused() {
    for (statement, wanted) in [
        ("PRAGMA user_version = 99", "has layout 99"),
        ("PRAGMA application_id = 7", "another program's database"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = RecordStore::open(dir.path()).await.unwrap();
        sqlx::query(statement).execute(&store.pool).await.unwrap();
        store.close().await;
        let error = RecordStore::open(dir.path()).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[tokio::test]
async fn a_store_that_a_newer_version_has_taken_over_is_neither_read_nor_written() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, newer) = (
        RecordStore::open(dir.path()).await.unwrap(),
        RecordStore::open(dir.path()).await.unwrap(),
    );
    ours.insert(&record("1", "p", "demo")).await.unwrap();
    let layout = sqlx::query("PRAGMA user_version = 99");
    layout.execute(&newer.pool).await.unwrap();
    let told = |error: StoreError| {
        assert!(
            error.to_string().contains("has taken over the store"),
            "{error}"
        )
    };
    told(ours.all().await.unwrap_err());
    told(ours.ping().await.unwrap_err());
    told(ours.insert(&record("2", "p", "other")).await.unwrap_err());
    told(
        ours.insert_within(&record("2", "p", "other"), 9)
            .await
            .unwrap_err(),
    );
    let next = record("1", "p", "demo");
    told(ours.update(&next).await.unwrap_err());
    told(ours.remove(&next.id, next.revision).await.unwrap_err());
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM cluster")
        .fetch_one(&newer.pool)
        .await
        .unwrap();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let error = RecordStore::open(Path::new("/proc/none/data"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("/proc/none/data"), "{error}");
}

/// Layout 3, as the version with that layout has left it.
const LAYOUT_3: &str = include_str!("fixtures/layout_3.sql");

/// Layout 4 likewise.
const LAYOUT_4: &str = include_str!("fixtures/layout_4.sql");

async fn write_layout(dir: &Path, layout: &'static str, more: &'static str) {
    let file = SqliteConnectOptions::new()
        .filename(dir.join(FILE_NAME))
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(file).await.unwrap();
    sqlx::raw_sql(layout).execute(&pool).await.unwrap();
    sqlx::raw_sql(more).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn a_store_of_layout_3_is_read_and_its_records_are_found_in_their_region() {
    let dir = tempfile::tempdir().unwrap();
    // One that cannot be read is kept as it is.
    let broken = "INSERT INTO cluster VALUES ('x', 'p', 'broken', 1, 1, 'no JSON')";
    write_layout(dir.path(), LAYOUT_3, broken).await;
    let store = RecordStore::open(dir.path()).await.unwrap();
    let found = store.all().await.unwrap();
    assert_eq!(found.records.len(), 3);
    assert_eq!(
        (
            found.unreadable[0].id.as_str(),
            found.unreadable[0].name.as_str()
        ),
        ("x", "broken")
    );
    for record in &found.records {
        let (project, name) = (record.project_id.as_str(), record.name.as_str());
        assert_eq!(record.region, "RegionOne");
        if record.is_live() {
            let here = store.find(project, "RegionOne", name).await.unwrap();
            assert_eq!(here.as_ref(), Some(record));
            assert_eq!(store.find(project, "Alpha", name).await.unwrap(), None);
            let all = store.find_everywhere(project, name).await.unwrap();
            assert_eq!(all, std::slice::from_ref(record));
        } else {
            let deleting = store.deleting(project, name).await.unwrap();
            assert_eq!(deleting, std::slice::from_ref(record));
        }
    }
    // A second time there is nothing to do.
    store.close().await;
    let store = RecordStore::open(dir.path()).await.unwrap();
    assert_eq!(store.all().await.unwrap().records, found.records);
}

#[tokio::test]
async fn a_store_of_layout_4_is_read_by_groups_and_written_so_with_the_next_change() {
    let dir = tempfile::tempdir().unwrap();
    write_layout(dir.path(), LAYOUT_4, "").await;
    let store = RecordStore::open(dir.path()).await.unwrap();
    let found = store.all().await.unwrap();
    assert!(found.unreadable.is_empty());
    let [demo, grown] = ["demo", "grown"].map(|name| {
        let mut records = found.records.iter();
        records.find(|record| record.name == name).unwrap()
    });
    let spec = demo.spec.as_ref().unwrap();
    assert_eq!(spec.node_names(), ["master", "worker-1"]);
    assert_eq!(spec.flavors(), [Some("m1.large"), Some("m1.large")]);
    for group in spec.groups.iter() {
        // The ids that were pinned, and so are what the cloud is asked for.
        assert!(
            spec.image_reference(group)
                .unwrap()
                .starts_with("1a000000-")
        );
        assert!(
            spec.flavor_reference(group)
                .unwrap()
                .starts_with("f1000000-")
        );
        let pins = spec.pins.as_deref().unwrap();
        assert_eq!(pins.flavors.groups[&group.name].ram_mib, 2_048);
    }
    let change = grown.change().unwrap();
    assert_eq!(change.to.groups.names_of(&change.added), ["worker-2"]);
    assert_eq!(change.steps[0].nodes, change.to.node_ids());
    assert_eq!(change.to.node_names(), ["master", "worker-1", "worker-2"]);
    assert_eq!(change.resolved.as_ref().unwrap().groups.len(), 2);
    let mut next = grown.clone();
    next.next_step().unwrap();
    next.finish_change("").unwrap();
    next.0.revision += 1;
    assert!(store.update(&next).await.unwrap());
    let text: String = sqlx::query_scalar("SELECT record FROM cluster WHERE id = ?")
        .bind(&grown.id)
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert!(text.starts_with("{\"version\":3,") && text.contains("\"groups\":["));
    assert!(!text.contains("\"workers\":"), "{text}");
}

/// Layout 5 as a file of it was left: the tables of layout 4, and records of its own version.
const TO_LAYOUT_5: &str = "PRAGMA user_version = 5";

#[tokio::test]
async fn a_store_of_layout_5_gets_an_empty_journal_and_keeps_its_records() {
    let dir = tempfile::tempdir().unwrap();
    write_layout(dir.path(), LAYOUT_4, TO_LAYOUT_5).await;
    let store = RecordStore::open(dir.path()).await.unwrap();
    let found = store.all().await.unwrap();
    let names: Vec<_> = found.records.iter().map(|one| one.name.as_str()).collect();
    assert!(names.contains(&"demo") && names.contains(&"grown"));
    let layout: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert_eq!(layout, 7);
    let query = request_journal::JournalQuery {
        project_id: &found.records[0].project_id,
        limit: 9,
        ..request_journal::JournalQuery::default()
    };
    let page = store.requests(&query).await.unwrap();
    assert_eq!(page, request_journal::JournalPage::default());
    store.close().await;
    let store = RecordStore::open(dir.path()).await.unwrap();
    assert_eq!(store.all().await.unwrap().records, found.records);
}

#[tokio::test]
async fn one_name_may_live_once_in_each_region() {
    let store = RecordStore::in_memory().await.unwrap();
    let in_region = |id: &str, region: &str| {
        ClusterRecord::for_tests(record_fields::RecordFields {
            region: region.into(),
            ..record(id, "p", "demo").0
        })
    };
    store.insert(&in_region("1", "A")).await.unwrap();
    store.insert(&in_region("2", "B")).await.unwrap();
    assert!(matches!(
        store.insert(&in_region("3", "B")).await,
        Err(StoreError::Taken)
    ));
    let found = store.find("p", "B", "demo").await.unwrap();
    assert_eq!(found.unwrap().id, "2");
    assert_eq!(store.find_everywhere("p", "demo").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_project_gets_no_more_than_it_may_have_however_many_ask_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let one = RecordStore::open(dir.path()).await.unwrap();
    let other = RecordStore::open(dir.path()).await.unwrap();
    one.insert(&record("elsewhere", "q", "demo")).await.unwrap();
    let records = (0..8).map(|n| record(&format!("{n}"), "p", &format!("demo-{n}")));
    let records: Vec<_> = records.collect();
    let groups: Vec<_> = (0..8).map(|n| group(&format!("group-{n}"))).collect();
    let stores = [&one, &other];
    let inserts = (0..8).map(|n| stores[n % 2].insert_within(&records[n], 3));
    let inserts = futures_util::future::join_all(inserts).await;
    let defines = (0..8).map(|n| stores[n % 2].insert_group("p", &groups[n], 3));
    let defines = futures_util::future::join_all(defines).await;
    for outcomes in [inserts, defines] {
        let full = |outcome: &&Result<(), StoreError>| matches!(outcome, Err(StoreError::Full));
        assert_eq!(outcomes.iter().filter(|one| one.is_ok()).count(), 3);
        assert_eq!(outcomes.iter().filter(full).count(), 5, "{outcomes:?}");
    }
    assert_eq!(one.count("p").await.unwrap(), 3);
    assert_eq!(other.groups("p").await.unwrap().len(), 3);
    // A name that is taken is told as that where there is room.
    let again = one.insert_within(&record("again", "q", "demo"), 2).await;
    assert!(matches!(again, Err(StoreError::Taken)), "{again:?}");
}

fn group(name: &str) -> ClusterGroup {
    ClusterGroup {
        name: name.to_owned(),
        place: name.to_owned(),
        ..ClusterGroup::default()
    }
}
