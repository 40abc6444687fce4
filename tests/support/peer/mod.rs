//! A peer that does exactly what a test tells it, message by message, and nothing by itself.

pub mod draft;
pub mod guard;
pub mod leg;
pub mod post;
pub mod seen;
pub mod stream;
pub mod voice;
