//! The acceptance matrix: for every row one short black-box test against the real node on loopback.
//!
//! `rows.toml` says what each row asks for, `TABLE.md` (written by the tests) which test proves it.
//! A row's test stands in the file of its section and its name begins with the number: `b_13_…`.
//!
//! # Writing one
//!
//! ```ignore
//! let mut stage = Stage::start();                  // node (T1 100 ms), caller, PBX, their voices
//! let (mut a, b, invite) = stage.rings();          // INVITE of the caller … INVITE at the PBX
//! stage.pbx.send(&b.reply(&invite, 486));          // a Leg writes messages of its dialog
//! let busy = stage.caller.expect(486);             // the next such message, within 8 s
//! stage.caller.send(&a.ack(&busy));
//! stage.pbx.hears_no(200, "BYE");                  // and nothing of this kind
//! ```
//!
//! - [`support::peer::post::Peer`] sends what it is given and answers nothing by itself: no ACK, no 100,
//!   no repetition. `expect` takes a method (`"BYE"`), a status (`200`), a status of a method
//!   (`(200, "BYE")`) or `What::that("…", |seen| …)`; repetitions of what was taken are passed over,
//!   `repeated` and `times` count them. `send_octets` sends anything.
//! - [`support::peer::leg::Leg`] is one dialog: `invite`, `request("BYE")`, `ack(&ok)`, `cancel`,
//!   `reply(&request, 180)`. Its fields may be changed; every message is a
//!   [`support::peer::draft::Draft`] that may be, too: `.with`, `.set`, `.without`, `.body`, `.sdp`.
//! - [`support::stage::Stage`] starts all of it: `start()`, `hasty()` (64*T1 is 1.3 s), `with(change)`.
//!   `talk()` is an answered call on the line that is never recorded, `asked()` a call that hears the
//!   notice. `Voice` speaks, presses keys and keeps every RTP packet.
//! - A peer that fails prints everything that it sent and saw.
//!
//! A test takes one to three seconds, most of it waiting, and touches no fixed port. Beside it stands
//! its line in `mutations.toml`: a change of the product that makes it fail.
//! `RENEW=1 cargo test -p jawoord-tests --test flows table` writes `TABLE.md` again;
//! `MUTATE="B-13 R-01" cargo test -p jawoord-tests --test flows long:: -- --nocapture` tries the changes
//! of those rows. A row that is not built stands in `tests/conformance/deviations.toml`; take it out there
//! when its test is in.

mod a;
mod b;
mod c;
mod d;
mod desk;
mod detectors;
mod digest;
mod e;
mod early;
mod faketime;
mod fax;
mod garbage;
mod gate;
mod hold;
mod identity;
mod injection;
mod latch;
mod limits;
mod load;
mod long;
mod mill;
mod news;
mod notice;
mod o;
mod opus;
mod pass;
mod pause;
mod proof;
mod quality;
mod r;
mod refresh;
mod s;
mod severed;
mod sound;
mod srtp;
mod t;
mod table;
mod torture;
mod transport;
mod wide;
