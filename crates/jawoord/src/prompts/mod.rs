//! What the caller hears: prompts with their texts, their checks, and how they are made.
//!
//! A folder of prompts holds one folder per language; in it each prompt is a sound
//! (`notice.wav`, 8,000 Hz, mono, 16 bit) with its text template beside it (`notice.txt`), and
//! `manifest.toml` binds the two: SHA-256 of the sound, the words spoken, and the values that were
//! spoken for each slot of the template.
//!
//! What is absent on purpose: nothing here decides what a call plays or waits for; that is the
//! policy of the line.

pub mod build;
pub mod check;
mod embedded;
mod folder;
pub mod import;
mod manifest;
mod numeral;
pub mod period;
pub mod set;
pub mod slot;
mod studio;
mod wave;

#[cfg(test)]
mod tests;
