use longshore_model::wal::WalFrames;

use super::*;
use crate::buffer::Buffer;

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 4).unwrap();
    [&[tag][..], &len.to_be_bytes(), body].concat()
}

fn wal(lsn: u64, body: &[u8]) -> Vec<u8> {
    let numbers = [lsn, lsn, 7].map(u64::to_be_bytes).concat();
    message(b'd', &[b"w", &numbers[..], body].concat())
}

fn keepalive(lsn: u64, asks: u8) -> Vec<u8> {
    let numbers = [lsn, 9].map(u64::to_be_bytes).concat();
    message(b'd', &[b"k", &numbers[..], &[asks]].concat())
}

/// Frames bytes; what was used, how it ended, and the frames.
fn frame(told: &mut Told, input: &[u8]) -> (usize, Result<(), Error>, Vec<u8>) {
    let buffer = Buffer::default();
    let (used, outcome, frames) = buffer.fill(|out| {
        let (used, outcome) = told.frame(input, out);
        (used, outcome, out.bytes().clone())
    });
    (used, outcome, frames)
}

#[test]
fn a_message_that_is_too_large_is_told_by_its_head_and_passed_over() {
    let size = MESSAGE_BYTES_MAX + 1;
    let length = u32::try_from(size + 4).unwrap();
    let numbers = [40u64, 40, 7].map(u64::to_be_bytes).concat();
    let row = b"I\0\0\0\x07N\0\x01t and much of it";
    let begun = [b"d", &length.to_be_bytes()[..], b"w", &numbers, row].concat();
    let mut told = Told::default();
    let input = [&wal(10, b"before")[..], &begun].concat();
    // Not before it is known what it is about.
    let before = input.len() - begun.len();
    for early in before..input.len() - row.len() + TOLD_BYTES {
        let (used, outcome, _) = frame(&mut told, &input[..early]);
        outcome.unwrap();
        assert_eq!(used, before);
    }
    let (used, outcome, frames) = frame(&mut told, &begun);
    outcome.unwrap();
    assert_eq!((used, told.lsn), (begun.len(), 40));
    let large = WalFrame::Large {
        lsn: 40,
        bytes: (size - 25) as u64,
        head: &row[..TOLD_BYTES],
    };
    assert_eq!(WalFrames::new(&frames).collect::<Vec<_>>(), [large]);
    let mut rest = HEAD_BYTES + size - begun.len();
    while rest > 0 {
        let part = vec![b'd'; rest.min(1 << 20)];
        let (used, outcome, frames) = frame(&mut told, &part);
        outcome.unwrap();
        assert_eq!((used, frames.len()), (part.len(), 0));
        rest -= part.len();
    }
    let (_, outcome, frames) = frame(&mut told, &wal(50, b"after"));
    outcome.unwrap();
    let after = WalFrame::Message {
        lsn: 50,
        body: b"after",
    };
    assert_eq!(WalFrames::new(&frames).collect::<Vec<_>>(), [after]);
}

#[test]
fn whole_messages_are_framed_and_the_rest_is_left() {
    let input = [
        wal(10, b"first"),
        message(b'N', b"notice\0\0"),
        keepalive(20, 0),
        keepalive(30, 1),
        wal(25, b""),
    ]
    .concat();
    let cut = wal(40, b"cut off");
    for len in 0..cut.len() {
        let mut told = Told::default();
        let input = [&input[..], &cut[..len]].concat();
        let (used, outcome, frames) = frame(&mut told, &input);
        outcome.unwrap();
        assert_eq!(used, input.len() - len);
        let frames: Vec<_> = WalFrames::new(&frames).collect();
        let expected = [
            WalFrame::Message {
                lsn: 10,
                body: b"first",
            },
            WalFrame::Keepalive { lsn: 30 },
            WalFrame::Message { lsn: 25, body: b"" },
        ];
        assert_eq!(frames, expected);
        assert_eq!((told.lsn, told.clock, told.asks), (30, 7, true));
    }
}

#[test]
fn what_is_no_stream_is_refused_after_what_came_before() {
    let hostile = [
        message(b'd', b""),
        message(b'd', b"w short"),
        message(b'd', b"k short"),
        message(b'd', &[b'k'; 19]),
        message(b'd', b"?"),
        message(b'D', b"\0\0"),
        message(b'c', b""),
        message(b'E', b"C57P01\0"),
        b"d\0\0\0\x03".to_vec(),
        b"d\0\0\0\0".to_vec(),
        b"d\xff\xff\xff\xff".to_vec(),
    ];
    for bad in hostile {
        let before = wal(1, b"before");
        let input = [&before[..], &bad, &wal(2, b"after")].concat();
        let (used, outcome, frames) = frame(&mut Told::default(), &input);
        assert!(outcome.is_err(), "{bad:?}");
        assert_eq!(used, before.len());
        assert_eq!(WalFrames::new(&frames).count(), 1);
    }
}

#[test]
fn no_bytes_make_it_panic_or_give_broken_frames() {
    let good = [wal(10, b"first"), keepalive(20, 0), wal(30, b"second")].concat();
    for at in 0..good.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, b'd', b'k'] {
            let mut input = good.clone();
            input[at] = value;
            let (used, _, frames) = frame(&mut Told::default(), &input);
            assert!(used <= input.len());
            let mut read = WalFrames::new(&frames);
            assert!(read.by_ref().count() <= 3);
            assert_eq!(read.rest(), b"");
        }
    }
}
