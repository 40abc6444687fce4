//! What the meter, the loop and those who set up calls have agreed: the ports, and the calls file.

use std::{fmt::Write as _, fs, net::Ipv4Addr};

use crate::error::{Error, during};

/// Where everything happens.
pub(crate) const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Sockets of the meter on each side; call `i` uses the one with the number `i % SOCKETS`.
pub(crate) const SOCKETS: usize = 8;

/// The first port of each side of the meter, callers before callees; each socket has an even port.
const FIRST: [u16; 2] = [10_000, 11_000];

/// The meter's port on a side (0: callers, 1: callees) for the call with this number.
pub(crate) fn port(side: usize, call: usize) -> u16 {
    let offset = u16::try_from(call % SOCKETS).unwrap_or_default() * 2;
    FIRST.get(side).copied().unwrap_or_default() + offset
}

/// The ports of the program under test: for each call, where its caller and where its callee send.
pub(crate) fn read(file: &str) -> Result<Vec<[u16; 2]>, Error> {
    parse(&fs::read_to_string(file).map_err(during("the calls file"))?)
}

fn parse(text: &str) -> Result<Vec<[u16; 2]>, Error> {
    let mut calls = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut ports = line.split_whitespace().map(|word| word.parse::<u16>().ok());
        match (ports.next().flatten(), ports.next().flatten(), ports.next()) {
            (Some(caller), Some(callee), None) => calls.push([caller, callee]),
            _ => return Err(Error::Line(index + 1)),
        }
    }
    if calls.is_empty() { Err(Error::Empty) } else { Ok(calls) }
}

/// Writes the calls file in one step: who waits for it finds it whole.
pub(crate) fn write(file: &str, calls: &[[u16; 2]]) -> Result<(), Error> {
    let mut text = String::new();
    for [caller, callee] in calls {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{caller} {callee}");
    }
    let beside = format!("{file}.new");
    fs::write(&beside, text).map_err(during("the calls file"))?;
    fs::rename(&beside, file).map_err(during("the calls file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calls_file_is_two_ports_a_line() {
        assert_eq!(parse("1 2\n3 4\n").ok(), Some(vec![[1, 2], [3, 4]]));
        assert!(matches!(parse("1 2\n3\n"), Err(Error::Line(2))));
        assert!(matches!(parse("1 2 3\n"), Err(Error::Line(1))));
        assert!(matches!(parse("1 70000\n"), Err(Error::Line(1))));
        assert!(matches!(parse(""), Err(Error::Empty)));
    }
}
