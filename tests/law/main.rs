//! The law as behaviour of the whole product: each test is named after the rule that it shows.

mod agent;
mod bare;
mod evidence;
mod folders;
mod grounds;
mod later;
mod portable;
mod told;
