//! What a call costs. Figures are printed; the limits are far above them, to catch a cost of another
//! order and nothing less.

use std::time::Duration;

use longshore_host::Limits;
use longshore_pipeline::port::{Signal as _, SourcePlugin as _};
use tokio::time::{Instant, sleep};

use crate::zoo::{Task, host, open};

const CALLS: u32 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_poll_costs_microseconds() {
    let host = host(&["counts"], Limits::default());
    let task = Task::new("numbers", &[("topic", "t"), ("records", "0")]);
    let mut source = open(&host, "counts", &task, Vec::new()).await.unwrap();
    let signal = source.signal();
    let began = Instant::now();
    for _ in 0..CALLS {
        signal.wake();
        source.poll(10, 1 << 16).await.unwrap();
    }
    let each = began.elapsed() / CALLS;
    println!("wake and empty poll: {each:?}");
    assert!(each < Duration::from_millis(2), "{each:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_a_thousand_records_costs_little_more() {
    const BATCHES: u32 = 100;
    let host = host(&["counts"], Limits::default());
    let task = Task::new("numbers", &[("topic", "t"), ("records", "100000")]);
    let mut source = open(&host, "counts", &task, Vec::new()).await.unwrap();
    let began = Instant::now();
    for _ in 0..BATCHES {
        let polled = source.poll(1_000, 1 << 20).await.unwrap();
        assert_eq!(polled.batch.len(), 1_000);
    }
    let each = began.elapsed() / BATCHES;
    println!("poll of 1,000 records: {each:?}");
    assert!(each < Duration::from_millis(200), "{each:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_hot_guests_leave_the_worker_its_time() {
    const PAUSE: Duration = Duration::from_millis(2);
    let host = host(&["spins"], Limits::default());
    let mut hot = Vec::new();
    for _ in 0..10 {
        let task = Task::new("hot", &[]);
        let mut source = open(&host, "spins", &task, Vec::new()).await.unwrap();
        hot.push(tokio::spawn(
            async move { source.poll(1, 1).await.map(drop) },
        ));
    }
    let mut late = Vec::new();
    for _ in 0..300 {
        let began = Instant::now();
        // Two hops over the worker's runtime, as a request makes them.
        tokio::spawn(sleep(PAUSE)).await.unwrap();
        late.push(began.elapsed().saturating_sub(PAUSE));
    }
    hot.iter().for_each(tokio::task::JoinHandle::abort);
    late.sort();
    let (p50, p99) = (late[150], late[297]);
    println!("beside ten hot guests a request is late by {p50:?} (p50), {p99:?} (p99)");
    assert!(p99 < Duration::from_millis(250), "{p99:?}");
}
