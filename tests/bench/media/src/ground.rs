//! What the meter, the loop and those who set up calls have agreed: the ports, and the calls file.

use std::{fmt::Write as _, fs, net::Ipv4Addr};

use crate::{
    error::{Error, during},
    guard::Guard,
};

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

/// A call that is up at the program under test.
pub(crate) struct Call {
    /// The ports of the program: where its caller and where its callee send.
    pub(crate) ports: [u16; 2],
    /// SRTP of its caller and of its callee.
    pub(crate) guards: Option<[Guard; 2]>,
}

impl Call {
    /// Two ports; behind them, under SRTP, the suite and each party's key with that of the program.
    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (ports, guards) = match words.as_slice() {
            [caller, callee] => ([caller, callee], None),
            [caller, callee, suite, one, ours, other, others] => {
                let guards = [Guard::new(suite, one, ours)?, Guard::new(suite, other, others)?];
                ([caller, callee], Some(guards))
            }
            _ => return None,
        };
        let [caller, callee] = ports.map(|port| port.parse().ok());
        Some(Self { ports: [caller?, callee?], guards })
    }
}

/// The calls of a file.
pub(crate) fn read(file: &str) -> Result<Vec<Call>, Error> {
    parse(&fs::read_to_string(file).map_err(during("the calls file"))?)
}

fn parse(text: &str) -> Result<Vec<Call>, Error> {
    let mut calls = Vec::new();
    for (index, line) in text.lines().enumerate() {
        calls.push(Call::read(line).ok_or(Error::Line(index + 1))?);
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
    fn a_calls_file_is_two_ports_a_line_and_perhaps_keys() {
        let ports = |text| {
            let calls = parse(text).ok()?;
            Some(calls.iter().map(|call| (call.ports, call.guards.is_some())).collect::<Vec<_>>())
        };
        assert_eq!(ports("1 2\n3 4\n"), Some(vec![([1, 2], false), ([3, 4], false)]));
        let key = "A".repeat(40);
        let suite = "AES_CM_128_HMAC_SHA1_80";
        let secured = format!("1 2 {suite} {key} {key} {key} {key}\n");
        assert_eq!(ports(&secured), Some(vec![([1, 2], true)]));
        assert!(matches!(parse(&secured.replace(suite, "NULL")), Err(Error::Line(1))));
        assert!(matches!(parse(&format!("1 2 {suite} {key}")), Err(Error::Line(1))));
        assert!(matches!(parse("1 2\n3\n"), Err(Error::Line(2))));
        assert!(matches!(parse("1 2 3\n"), Err(Error::Line(1))));
        assert!(matches!(parse("1 70000\n"), Err(Error::Line(1))));
        assert!(matches!(parse(""), Err(Error::Empty)));
    }
}
