//! Somebody before the page of a node: its cookie, and requests as a browser or a program makes them;
//! and the real browser.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::Command,
};

use serde_json::Value;

use crate::node::{Node, root};

/// Who has come in through a one-time link.
pub struct Visitor {
    host: String,
    cookie: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    head: String,
    /// Its body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A new one-time link to the page of a node.
///
/// # Panics
/// There is none.
#[must_use]
pub fn link(node: &Node) -> String {
    node.done(&["link"]).as_str().expect("a link").to_owned()
}

impl Visitor {
    /// Comes in.
    ///
    /// # Panics
    /// The link does not let it in.
    #[must_use]
    pub fn enter(node: &Node) -> Self {
        let link = link(node);
        let rest = link.strip_prefix("http://").expect("an address");
        let (host, path) = rest.split_at(rest.find('/').expect("a path"));
        let mut visitor = Self { host: host.to_owned(), cookie: String::new() };
        let entered = visitor.ask("GET", path, &[]);
        let set = entered.head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = set.and_then(|set| set.split(';').next()).expect("a cookie");
        visitor.cookie = cookie.to_owned();
        visitor
    }

    /// Asks with headers of its own.
    ///
    /// # Panics
    /// Nothing answers.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut stream = TcpStream::connect(&self.host).expect("the page");
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: close\r\n",
            self.host, self.cookie
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if method == "POST" {
            request.push_str("Content-Length: 0\r\n");
        }
        stream.write_all(format!("{request}\r\n").as_bytes()).expect("a question");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.expect("a status"), head: head.to_owned(), body: body.to_owned() }
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    /// Orders something, as the page itself does.
    pub fn post(&self, path: &str) -> Answer {
        self.ask("POST", path, &[("Origin", &format!("http://{}", self.host))])
    }
}

/// A script of `tests/page` in a real browser, which is given a one-time link.
#[must_use]
pub fn browser(script: &str, link: &str) -> Command {
    let modules = std::env::var_os("JAWOORD_NODE_MODULES").map(PathBuf::from);
    let modules = modules.unwrap_or_else(|| root().join("target/run/npm/node_modules"));
    let mut command = Command::new("node");
    let library = modules.parent().map(PathBuf::from).unwrap_or_default();
    command.arg(root().join("tests/page").join(script)).arg(link).env("PLAYWRIGHT", library);
    command
}
