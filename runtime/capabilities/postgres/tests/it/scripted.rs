use std::time::Duration;

use longshore_cap_postgres::MESSAGE_BYTES_MAX;
use longshore_model::FaultClass;
use longshore_model::wal::{WalFrame, WalFrames};

use crate::fault;
use crate::script::{Door, wal};

const LONG: Duration = Duration::from_secs(60);

fn lsns(frames: &[u8]) -> Vec<u64> {
    let lsn = |frame| match frame {
        WalFrame::Message { lsn, .. }
        | WalFrame::Large { lsn, .. }
        | WalFrame::Keepalive { lsn } => lsn,
    };
    WalFrames::new(frames).map(lsn).collect()
}

#[tokio::test]
async fn the_first_words_are_the_protocols() {
    let door = Door::open().await;
    let parameters = [("password", "secret")];
    let (replication, ()) = tokio::join!(door.replication(&parameters), async {
        let (mut script, said) = door.knock().await;
        let expected = b"\0\x03\0\0user\0me\0database\0db\0replication\0database\0\
            client_encoding\0UTF8\0application_name\0longshore\0\0";
        assert_eq!(said, expected);
        script.mouth.say(b'R', b"\0\0\0\x05salt").await;
        // md5(md5("secret" + "me") + "salt")
        let (tag, password) = script.ears.hear().await.unwrap();
        assert_eq!(tag, b'p');
        assert_eq!(password, b"md541c83370953958037c7298c50b238bda\0");
        script.mouth.say(b'R', &[0; 4]).await;
        script.mouth.ready_with_key().await;
    });
    replication.unwrap();
}

#[tokio::test]
async fn a_password_is_not_said_in_plain_text() {
    let door = Door::open().await;
    let (replication, ()) = tokio::join!(door.replication(&[]), async {
        let (mut script, _) = door.knock().await;
        script.mouth.say(b'R', b"\0\0\0\x03").await;
        assert_eq!(script.ears.hear().await, None);
    });
    let refused = fault(replication);
    assert_eq!(refused.code, "postgres-authentication");
    assert_eq!(refused.class, FaultClass::Config);
}

#[tokio::test]
async fn a_server_without_the_password_cannot_pass_for_one() {
    let door = Door::open().await;
    let (replication, ()) = tokio::join!(door.replication(&[]), async {
        let (mut script, _) = door.knock().await;
        script.mouth.say(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0").await;
        let (_, first) = script.ears.hear().await.unwrap();
        let first = String::from_utf8(first).unwrap();
        let nonce = first.rsplit_once("r=").unwrap().1;
        let challenge = format!("\0\0\0\x0br={nonce}x,s=c2FsdA==,i=4096");
        script.mouth.say(b'R', challenge.as_bytes()).await;
        script.ears.hear().await.unwrap();
        script.mouth.say(b'R', b"\0\0\0\x0cv=AAAA").await;
    });
    assert_eq!(fault(replication).code, "postgres-authentication");
}

#[tokio::test]
async fn a_pooler_is_refused_by_name() {
    let door = Door::open().await;
    let (replication, ()) = tokio::join!(door.replication(&[]), async {
        let (mut script, _) = door.knock().await;
        let text = "unsupported startup parameter: replication";
        script.mouth.refuse("08P01", text).await;
    });
    let refused = fault(replication);
    assert_eq!(
        (refused.class, refused.code.as_str()),
        (FaultClass::Config, "postgres-pooler")
    );

    let (replication, mut script) = tokio::join!(door.replication(&[]), door.let_in());
    let replication = replication.unwrap();
    let (identity, ()) = tokio::join!(replication.identify(), async {
        script.ears.query("IDENTIFY_SYSTEM").await;
        script
            .mouth
            .refuse("42601", "syntax error at or near \"IDENTIFY_SYSTEM\"")
            .await;
        script.mouth.say(b'Z', b"I").await;
    });
    assert_eq!(fault(identity).code, "postgres-pooler");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let door = Door::open().await;
    let replication = door.replication(&[("connectTimeout", "1")]).await;
    let late = fault(replication);
    assert_eq!(
        (late.class, late.code.as_str()),
        (FaultClass::Retriable, "postgres-connect-timeout")
    );
}

#[tokio::test]
async fn a_silent_server_is_asked_and_then_given_up() {
    let (stream, mut script) = Door::open().await.stream(60_000).await;
    tokio::time::pause();
    let (read, n_asked) = tokio::join!(stream.read(1, 2 * LONG), async {
        let mut n_asked = 0;
        while let Some((tag, body)) = script.ears.hear().await {
            assert_eq!(tag, b'd');
            n_asked += usize::from(body[33]);
        }
        n_asked
    });
    let silent = fault(read);
    assert_eq!(
        (silent.class, silent.code.as_str()),
        (FaultClass::Retriable, "postgres-silent")
    );
    assert!(n_asked >= 4, "{n_asked}");
}

#[tokio::test]
async fn a_server_that_answers_is_not_silent() {
    let (stream, mut script) = Door::open().await.stream(60_000).await;
    tokio::time::pause();
    let answers = async {
        loop {
            if script.ears.feedback().await.asks {
                script.mouth.keepalive(7, false).await;
            }
        }
    };
    let reads = async {
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < 10 * LONG {
            stream.read(1, LONG).await.unwrap();
        }
    };
    tokio::select! {
        () = answers => {}
        () = reads => {}
    }
    assert_eq!(stream.delivered(), 7);
}

#[tokio::test]
async fn feedback_flows_while_nobody_reads_and_confirms_nothing() {
    let (stream, script) = Door::open().await.stream(300).await;
    let (mut ears, mut mouth) = (script.ears, script.mouth);
    let writer = tokio::spawn(async move {
        let body = vec![b'x'; 10_000];
        for lsn in 1.. {
            mouth.wal(lsn, &body).await;
        }
    });
    // The stream stops being read when 2 MiB wait, and what waits does not grow.
    let mut same = 0;
    let mut last = 0;
    while same < 5 {
        let feedback = ears.feedback().await;
        assert_eq!((feedback.flushed, feedback.applied), (0, 0));
        assert!(feedback.received >= last);
        let is_full = feedback.received * 10_013 >= 2 << 20;
        same += usize::from(is_full && feedback.received == last);
        last = feedback.received;
    }
    assert!(last < 300, "{last} messages of 10 kB");
    assert_eq!(stream.delivered(), 0);

    // A reader sets it going again, and nothing is missing.
    let mut next = 1;
    while next < 2_000 {
        let frames = stream.read(1 << 20, LONG).await.unwrap();
        for lsn in lsns(&frames) {
            assert_eq!(lsn, next);
            next += 1;
        }
    }
    assert_eq!(stream.delivered(), next - 1);
    writer.abort();
}

#[tokio::test]
async fn only_confirmed_positions_are_flushed_and_they_never_go_back() {
    let (stream, mut script) = Door::open().await.stream(0).await;
    script.mouth.wal(10, b"B").await;
    script.mouth.wal(20, b"C").await;
    while stream.delivered() < 20 {
        stream.read(1 << 20, LONG).await.unwrap();
    }

    // The server asks, and is answered at once: no timer is due for 10 s.
    script.mouth.keepalive(30, true).await;
    let feedback = script.ears.feedback().await;
    assert_eq!((feedback.received, feedback.flushed), (30, 0));
    assert!(feedback.clock >= 5);
    assert!(!feedback.asks);
    let frames = stream.read(1 << 20, LONG).await.unwrap();
    assert_eq!(lsns(&frames), [30]);

    for (confirmed, flushed) in [(20, 20), (10, 20), (25, 25), (u64::MAX, 30)] {
        stream.confirm(confirmed);
        script.mouth.keepalive(30, true).await;
        let mut feedback = script.ears.feedback().await;
        while feedback.flushed < flushed {
            feedback = script.ears.feedback().await;
        }
        assert_eq!((feedback.flushed, feedback.applied), (flushed, flushed));
    }
}

#[tokio::test]
async fn keepalives_stand_where_they_came_and_the_last_of_several_counts() {
    let (stream, mut script) = Door::open().await.stream(0).await;
    let mut all = Vec::new();
    script.mouth.keepalive(1, false).await;
    script.mouth.keepalive(2, false).await;
    script.mouth.wal(3, b"x").await;
    script.mouth.keepalive(4, false).await;
    while stream.delivered() < 4 {
        all.extend_from_slice(&stream.read(1 << 20, LONG).await.unwrap());
    }
    let all = lsns(&all);
    assert!(all.ends_with(&[2, 3, 4]), "{all:?}");
}

#[tokio::test]
async fn what_came_whole_before_a_disconnect_is_read_before_the_error() {
    let (stream, mut script) = Door::open().await.stream(0).await;
    script.mouth.wal(10, b"whole").await;
    let cut = wal(20, b"cut off");
    script.mouth.raw(&cut[..cut.len() - 1]).await;
    drop(script);
    let mut all = Vec::new();
    let lost = loop {
        match stream.read(1 << 20, LONG).await {
            Ok(frames) => all.extend_from_slice(&frames),
            Err(error) => break fault::<()>(Err(error)),
        }
    };
    assert_eq!(lsns(&all), [10]);
    assert_eq!(
        (lost.class, lost.code.as_str()),
        (FaultClass::Retriable, "postgres-connection-lost")
    );
    assert!(stream.read(1, LONG).await.is_err(), "it stays lost");
}

#[tokio::test]
async fn a_large_message_comes_whole_and_a_monstrous_one_is_told_by_its_size() {
    let (stream, mut script) = Door::open().await.stream(0).await;
    let body = vec![b'x'; 30 << 20];
    let (frames, ()) = tokio::join!(stream.read(1, LONG), script.mouth.wal(10, &body));
    let frames = frames.unwrap();
    let large: Vec<_> = WalFrames::new(&frames).collect();
    assert!(
        large
            == [WalFrame::Message {
                lsn: 10,
                body: &body
            }]
    );

    let len = u32::try_from(MESSAGE_BYTES_MAX + 5).unwrap();
    let numbers = [20u64, 20, 7].map(u64::to_be_bytes).concat();
    let row = b"I\0\0\0\x07N\0\x01t0000000";
    let head = [&b"d"[..], &len.to_be_bytes(), b"w", &numbers, row].concat();
    script.mouth.raw(&head).await;
    let mut rest = MESSAGE_BYTES_MAX + 1 - 25 - row.len();
    let part = vec![b'y'; 1 << 20];
    while rest > 0 {
        let part = &part[..rest.min(part.len())];
        script.mouth.raw(part).await;
        rest -= part.len();
    }
    script.mouth.wal(30, b"after").await;
    let mut frames = Vec::new();
    while WalFrames::new(&frames).count() < 2 {
        frames.extend(stream.read(1, LONG).await.unwrap());
    }
    let told: Vec<_> = WalFrames::new(&frames).collect();
    let monstrous = WalFrame::Large {
        lsn: 20,
        bytes: (MESSAGE_BYTES_MAX + 1 - 25) as u64,
        head: row,
    };
    let after = WalFrame::Message {
        lsn: 30,
        body: b"after",
    };
    assert_eq!(told, [monstrous, after]);

    // Nothing else is so large.
    let head = [&b"N"[..], &len.to_be_bytes()].concat();
    script.mouth.raw(&head).await;
    let refused = fault(stream.read(1, LONG).await);
    assert_eq!(
        (refused.class, refused.code.as_str()),
        (FaultClass::Fatal, "postgres-message-too-large")
    );
    assert_eq!(refused.detail("lsn"), Some("0/1E"));
}

#[tokio::test]
async fn an_error_of_the_stream_says_where_it_stood() {
    let (stream, mut script) = Door::open().await.stream(0).await;
    script.mouth.wal(0x1_0000_000A, b"x").await;
    script
        .mouth
        .refuse("22021", "invalid byte sequence for encoding")
        .await;
    let failed = loop {
        if let Err(error) = stream.read(1, LONG).await {
            break fault::<()>(Err(error));
        }
    };
    assert_eq!(
        (failed.class, failed.code.as_str()),
        (FaultClass::Fatal, "postgres-invalid-text")
    );
    assert_eq!(failed.detail("lsn"), Some("1/A"));
    assert_eq!(failed.detail("slot"), Some("s"));
}

#[tokio::test]
async fn a_stream_that_the_server_ends_is_worth_another_try() {
    let (stream, mut script) = Door::open().await.stream(0).await;
    script.mouth.say(b'C', b"COPY 0\0").await;
    let ended = fault(stream.read(1, LONG).await);
    assert_eq!(
        (ended.class, ended.code.as_str()),
        (FaultClass::Retriable, "postgres-stopping")
    );
}

#[tokio::test]
async fn a_stream_that_is_dropped_says_good_bye() {
    let (stream, mut script) = Door::open().await.stream(0).await;
    script.mouth.wal(10, b"x").await;
    while stream.delivered() < 10 {
        stream.read(1 << 20, LONG).await.unwrap();
    }
    stream.confirm(10);
    drop(stream);
    let mut feedback = script.ears.feedback().await;
    while feedback.flushed < 10 {
        feedback = script.ears.feedback().await;
    }
    assert_eq!(script.ears.hear().await, Some((b'c', Vec::new())));
    assert_eq!(script.ears.hear().await, Some((b'X', Vec::new())));
    assert_eq!(script.ears.hear().await, None);
}

#[tokio::test]
async fn a_read_that_is_given_up_loses_nothing() {
    let (stream, mut script) = Door::open().await.stream(0).await;
    let writer = tokio::spawn(async move {
        for lsn in 1..=1_000 {
            script.mouth.wal(lsn, b"row").await;
        }
        script
    });
    let mut all = Vec::new();
    while stream.delivered() < 1_000 {
        tokio::select! {
            biased;
            frames = stream.read(1 << 20, LONG) => all.extend_from_slice(&frames.unwrap()),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(writer.await.unwrap());
    assert_eq!(lsns(&all), (1..=1_000).collect::<Vec<_>>());
}
