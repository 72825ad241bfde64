//! Files in the store and the rows that name them.
//!
//! An object is written first and its row afterwards, in the transaction of what refers to it; so what has a row has its object. It
//! goes in the other order: a row to which nothing refers is marked, in the transaction in which the last reference ends, and its
//! object is deleted before the row. References are counted when that is asked, and nowhere kept. An object without a row, of a
//! process that was killed between the two, is found by listing the store once an hour, when it is a day old: no upload takes longer.
pub mod models;
pub mod schedulers;

use std::fmt::Write;

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap_or_default();
        digits
    })
}
