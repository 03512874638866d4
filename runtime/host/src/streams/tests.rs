use super::*;

struct Delivered(u64);

impl Upstream for Delivered {
    fn delivered(&self) -> u64 {
        self.0
    }

    fn confirm(&self, _: u64) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>> {
        Box::pin(async { Ok(()) })
    }
}

#[track_caller]
fn check(streams: &Streams, stream: u32, value: u64, is_true: bool) {
    let checked = streams.check(&[Watermark { stream, value }]);
    let code = checked.map_err(|fault| fault.code);
    let expected = if is_true {
        Ok(())
    } else {
        Err("false-watermark".to_owned())
    };
    assert_eq!(code, expected, "stream {stream} up to {value}");
}

#[test]
fn what_a_closed_stream_had_delivered_may_still_be_completed_and_no_more() {
    let streams = Streams::default();
    streams.add(1, Arc::new(Delivered(100)));
    check(&streams, 1, 100, true);
    check(&streams, 1, 101, false);
    streams.close(1);
    streams.add(2, Arc::new(Delivered(50)));
    check(&streams, 1, 100, true);
    check(&streams, 1, 101, false);
    check(&streams, 2, 100, false);
    check(&streams, 3, 0, false);
}

#[test]
fn a_guest_that_reconnects_for_ever_is_not_remembered_for_ever() {
    let streams = Streams::default();
    for stream in 0..1_000 {
        streams.add(stream, Arc::new(Delivered(1)));
        streams.close(stream);
    }
    assert_eq!(streams.all().closed.len(), CLOSED_MAX);
    check(&streams, 999, 1, true);
    check(&streams, 0, 1, false);
}
