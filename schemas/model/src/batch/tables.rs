//! Reads the entries of the tables.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::layout::{Cursor, Malformed};
use crate::{Fault, FaultClass, Order, Position};

pub(super) fn texts(
    entries: &mut Cursor<'_>,
    count: usize,
    what: &'static str,
) -> Result<Vec<Range<usize>>, Malformed> {
    (0..count).map(|_| entries.text(what)).collect()
}

pub(super) fn positions(
    entries: &mut Cursor<'_>,
    buf: &[u8],
    count: usize,
) -> Result<Vec<(u16, Position)>, Malformed> {
    (0..count)
        .map(|_| {
            let source = entries.u16("position")?;
            let has_order = entries.u8("position")? != 0;
            entries.u8("position")?;
            let order = Order(entries.u128("order of a position")?);
            let offset = owned(buf, entries.text("offset of a position")?);
            let order = has_order.then_some(order);
            Ok((source, Position { offset, order }))
        })
        .collect()
}

pub(super) fn faults(
    entries: &mut Cursor<'_>,
    buf: &[u8],
    count: usize,
) -> Result<Vec<Fault>, Malformed> {
    (0..count)
        .map(|_| {
            let code = entries.u8("fault class")?;
            let class = FaultClass::from_code(code).ok_or(Malformed::Field {
                what: "fault class",
                value: u64::from(code),
            })?;
            entries.u8("fault")?;
            let n_details = entries.u16("fault details")?;
            let code = owned(buf, entries.text("fault code")?);
            let message = owned(buf, entries.text("fault message")?);
            let details = (0..n_details)
                .map(|_| {
                    let name = owned(buf, entries.text("fault detail")?);
                    Ok((name, owned(buf, entries.text("fault detail")?)))
                })
                .collect::<Result<_, Malformed>>()?;
            Ok(Fault {
                class,
                code,
                message,
                details,
            })
        })
        .collect()
}

fn owned(buf: &[u8], range: Range<usize>) -> String {
    core::str::from_utf8(&buf[range])
        .map(String::from)
        .expect("Cursor::text checked it")
}
