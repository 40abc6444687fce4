//! The two programs of the media measurement: the meter that sends and counts speech, and the bare loop.
//!
//! `media-bench meter CALLS-FILE PID WARM-UP-S WINDOW-S PACKET-MS` measures one window, with a packet of
//! each stream in so many milliseconds (whatever sound it says it has), and prints one line;
//! `media-bench loop CALLS CALLS-FILE` relays until it is killed. A calls file has a line for each
//! call: the port of the program under test for its caller and the one for its callee, on 127.0.0.1; under
//! SRTP behind them the suite and the keys of caller, program, callee, program.

mod error;
mod ground;
mod guard;
mod limit;
mod meter;
mod process;
mod tally;
mod traffic;

use std::{env, process::ExitCode};

use error::Error;

fn run(arguments: &[String]) -> Result<(), Error> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["meter", calls, pid, warm_up, window, packet_ms] => {
            let seconds =
                |text: &str| text.parse::<f64>().ok().filter(|s| (0.0..3600.0).contains(s));
            let packet_ms = packet_ms.parse().ok().filter(|ms| (10..=1000).contains(ms));
            let (Ok(pid), Some(warm_up), Some(window), Some(packet_ms)) =
                (pid.parse(), seconds(warm_up), seconds(window), packet_ms)
            else {
                return Err(Error::Usage);
            };
            let mut meter = meter::Meter::new(ground::read(calls)?, packet_ms)?;
            println!("{}", meter.measure(pid, warm_up, window)?);
            Ok(())
        }
        ["loop", calls, file] => match calls.parse() {
            Ok(calls) => limit::relay(calls, file),
            Err(_) => Err(Error::Usage),
        },
        _ => Err(Error::Usage),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
