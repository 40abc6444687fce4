//! The program `jawoord-verify`: hands its words to the library and ends with its answer.

use std::{env, io, process::ExitCode};

fn main() -> ExitCode {
    let (mut out, mut told) = (io::stdout().lock(), io::stderr().lock());
    ExitCode::from(verify::run(env::args_os().skip(1), &mut out, &mut told).code())
}
