use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use super::FrameReader;
use crate::budget::Budget;
use crate::config::WireConfig;
use crate::error::Broken;

const STALL_MAX: Duration = Duration::from_secs(30);
const IDLE_MAX: Duration = Duration::from_secs(600);

fn reader(budget: Budget) -> (DuplexStream, FrameReader<DuplexStream>) {
    let mut config = WireConfig::new(Vec::new(), String::new());
    config.request_bytes_max = 1_000;
    config.stall_max = STALL_MAX;
    config.idle_max = IDLE_MAX;
    let (client, server) = duplex(1 << 16);
    (client, FrameReader::new(server, &config, budget))
}

fn frame(body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("short");
    [&len.to_be_bytes()[..], body].concat()
}

#[tokio::test]
async fn frames_arrive_whole_however_they_are_cut_and_however_often_a_wait_is_given_up() {
    let (mut client, mut reader) = reader(Budget::new(1_000));
    let bodies = [&b"12345678"[..], &[7; 1_000], b"a second frame"];
    for body in bodies {
        for byte in frame(body) {
            // Nothing is whole yet, so this wait is given up after it took what is there.
            tokio::select! {
                biased;
                frame = reader.next() => panic!("{frame:?}"),
                () = std::future::ready(()) => {}
            }
            client.write_all(&[byte]).await.expect("open");
        }
        let frame = reader.next().await.expect("a frame").expect("a frame");
        assert_eq!(frame.bytes, body);
    }
    drop(client);
    assert!(reader.next().await.expect("the end").is_none());
}

#[tokio::test]
async fn several_frames_in_one_piece_are_told_apart() {
    let (mut client, mut reader) = reader(Budget::new(1_000));
    let bytes = [frame(b"the first"), frame(b"the second")].concat();
    client.write_all(&bytes).await.expect("open");
    for body in ["the first", "the second"] {
        let frame = reader.next().await.expect("a frame").expect("a frame");
        assert_eq!(frame.bytes, body);
    }
}

#[tokio::test]
async fn lengths_that_cannot_be_are_refused_before_anything_is_reserved() {
    for (length, message) in [
        (-1, "malformed frame: its length is negative"),
        (i32::MIN, "malformed frame: its length is negative"),
        (0, "malformed frame: it is shorter than a request's header"),
        (7, "malformed frame: it is shorter than a request's header"),
        (
            1_001,
            "a frame of 1001 bytes is over socket.request.max.bytes (1000)",
        ),
        (
            i32::MAX,
            "a frame of 2147483647 bytes is over socket.request.max.bytes (1000)",
        ),
    ] {
        let budget = Budget::new(1_000);
        let all = budget.reserve(1_000).await;
        let (mut client, mut reader) = reader(budget);
        client
            .write_all(&i32::to_be_bytes(length))
            .await
            .expect("open");
        let broken = reader.next().await.expect_err("refused");
        assert_eq!(broken.to_string(), message);
        drop(all);
    }
}

#[tokio::test]
async fn an_end_within_a_frame_is_not_an_ordinary_end() {
    let whole = frame(b"12345678");
    for n_bytes in 1..whole.len() {
        let (mut client, mut reader) = reader(Budget::new(1_000));
        client.write_all(&whole[..n_bytes]).await.expect("open");
        drop(client);
        let broken = reader.next().await.expect_err("cut");
        assert!(matches!(broken, Broken::Cut), "{n_bytes}: {broken}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_frame_is_not_waited_for_longer_whether_silence_follows_or_a_trickle() {
    let whole = frame(b"12345678");
    for n_bytes in 1..whole.len() {
        let (mut client, mut reader) = reader(Budget::new(1_000));
        client.write_all(&whole[..n_bytes]).await.expect("open");
        let broken = reader.next().await.expect_err("late");
        assert!(matches!(broken, Broken::Late), "{n_bytes}: {broken}");
    }
    let (mut client, mut reader) = reader(Budget::new(1_000));
    let begun = Instant::now();
    let trickle = async {
        for byte in frame(&[7; 1_000]) {
            client.write_all(&[byte]).await.expect("open");
            sleep(STALL_MAX / 10).await;
        }
    };
    tokio::select! {
        broken = reader.next() => assert!(matches!(broken, Err(Broken::Late)), "{broken:?}"),
        () = trickle => panic!("it was waited for"),
    }
    assert!(begun.elapsed() <= 2 * STALL_MAX);
}

#[tokio::test(start_paused = true)]
async fn a_large_frame_may_take_longer() {
    let (mut client, mut reader) = reader(Budget::new(1 << 20));
    reader.config.request_bytes_max = 1 << 20;
    let whole = frame(&vec![7; 1 << 20]);
    let (first, rest) = whole.split_at(1_000);
    client.write_all(first).await.expect("open");
    let later = async {
        sleep(STALL_MAX + Duration::from_secs(3)).await;
        client.write_all(rest).await.expect("open");
    };
    let (frame, ()) = tokio::join!(reader.next(), later);
    assert_eq!(
        frame.expect("a frame").expect("a frame").bytes.len(),
        1 << 20
    );
}

#[tokio::test(start_paused = true)]
async fn silence_between_frames_is_idleness() {
    let (mut client, mut reader) = reader(Budget::new(1_000));
    client.write_all(&frame(b"12345678")).await.expect("open");
    reader.next().await.expect("a frame").expect("a frame");
    let broken = reader.next().await.expect_err("idle");
    assert!(matches!(broken, Broken::Idle(IDLE_MAX)), "{broken}");
}

#[tokio::test]
async fn a_frame_waits_until_others_have_left_room_for_it() {
    let budget = Budget::new(1_000);
    let (mut client, mut reader) = reader(budget.clone());
    let others = budget.reserve(993).await;
    client.write_all(&frame(b"12345678")).await.expect("open");
    tokio::select! {
        biased;
        frame = reader.next() => panic!("{frame:?}"),
        () = std::future::ready(()) => {}
    }
    drop(others);
    let frame = reader.next().await.expect("a frame").expect("a frame");
    assert_eq!(frame.bytes, &b"12345678"[..]);
}
