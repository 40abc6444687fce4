//! Whether callers understand what the node says to them: every shipped prompt goes through a call to a phone, in
//! every codec, and a recogniser of others writes down what arrived. How much of it the stand-in voices may lose
//! is said in `prompts/README.md`.

mod calls;
mod ear;
mod phone;
mod whisper;
mod words;
