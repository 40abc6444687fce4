//! The program: reads the command line and hands each command to its module.

use std::{io::IsTerminal, process::ExitCode};

use clap::Parser;
use jawoord::{
    clock::Clock,
    command::{
        Cli, Command, Site, check, desk::Errand, init, lines, live, prompts, route::Trial, serve,
    },
    config::problem::Problems,
    demo,
    live::wanted::Wanted,
};
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::EnvFilter;

/// The exit code of something that was tried and failed; clap uses 2 for wrong use.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the system gives no threads: {error}");
            return ExitCode::from(FAILED);
        }
    };
    run(&cli.command, &runtime)
}

fn run(command: &Command, runtime: &Runtime) -> ExitCode {
    match command {
        Command::Demo { keep, json } => {
            logs("error");
            said(runtime.block_on(demo::run(*keep, *json)))
        }
        Command::Init(asked) => said(init::run(asked)),
        Command::Serve(site) => serving(site, runtime),
        Command::Check { site, live: true, call, seconds, from, trunk, .. } => {
            logs("error");
            let wanted = call.clone().map(|number| Wanted {
                number,
                from: from.clone(),
                trunk: trunk.clone(),
                seconds: *seconds,
            });
            match runtime.block_on(live::run(site, wanted)) {
                Ok(report) => reported(report),
                Err(fault) => said((fault, false)),
            }
        }
        Command::Check { site, number, from, trunk, pbx, at, live: false, .. } => {
            let trial = number.as_deref().map(|number| Trial {
                number,
                from: from.as_deref(),
                trunk: trunk.as_deref(),
                pbx: pbx.as_deref(),
                at: *at,
                now: Clock::start().now(),
            });
            let (text, value, good) =
                check::run(&site.config, site.data.as_deref(), trial.as_ref());
            said((if site.json { format!("{value:#}\n") } else { text }, good))
        }
        Command::Reload(site) => errand(Errand::reload(), site, runtime),
        Command::Drain { site, switch } => errand(Errand::drain(*switch), site, runtime),
        Command::Link(site) => errand(Errand::link(), site, runtime),
        Command::Lines { site, command } => match lines::request(command) {
            Ok(Some(request)) => errand(Errand::lines(request), site, runtime),
            Ok(None) => said(lines::list(site)),
            Err(problem) => said((format!("{problem}\n"), false)),
        },
        Command::Calls { site, command } => errand(Errand::calls(command), site, runtime),
        Command::Recordings { site, command } => errand(Errand::recordings(command), site, runtime),
        Command::Retention { site, command } => errand(Errand::retention(command), site, runtime),
        Command::Keys { site, command } => errand(Errand::keys(command), site, runtime),
        Command::Audit { site, command } => match Errand::audit(command) {
            Ok(asked) => errand(asked, site, runtime),
            Err(error) => said((format!("the folder has no absolute name: {error}\n"), false)),
        },
        Command::Report { site, command } => errand(Errand::report(command), site, runtime),
        Command::Prompts { command } => said(prompts::run(command)),
    }
}

fn errand(asked: Errand, site: &Site, runtime: &Runtime) -> ExitCode {
    logs("error");
    said(runtime.block_on(asked.run(site)))
}

fn serving(site: &Site, runtime: &Runtime) -> ExitCode {
    logs("info");
    let settings = match check::settings(&site.config, site.data.as_deref()) {
        Ok(settings) => settings,
        Err(problems) => return said((Problems(&problems).to_string(), false)),
    };
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    match runtime.block_on(serve::serve(settings, site.config.clone())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => said((format!("{error}\n"), false)),
    }
}

/// Prints to where it belongs and turns success into the exit code.
fn said((text, good): (String, bool)) -> ExitCode {
    if good {
        print!("{text}");
        ExitCode::SUCCESS
    } else {
        // A program that asked for JSON reads it from where it always is.
        if text.starts_with(['{', '[']) {
            print!("{text}")
        } else {
            eprint!("{text}")
        }
        ExitCode::from(FAILED)
    }
}

/// Prints a report, which is what was asked for whatever it says, and turns what it says into the
/// exit code.
fn reported((text, good): (String, bool)) -> ExitCode {
    print!("{text}");
    if good { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

/// Logs go to standard error; `RUST_LOG` narrows or widens them.
fn logs(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_writer(std::io::stderr)
        .init();
}
