//! The way to the managers of Asterisks: one connection each, that comes back by itself.
//!
//! What is not known is told at once: a manager that says nothing for some seconds, not even to a ping, is
//! taken for gone, and so is one whose connection ends. Whoever listens keeps recordings silent then.

use std::{collections::BTreeMap, fmt, io, sync::Arc, time::Duration};

use call::Private;
use md5::{Digest as _, Md5};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Handle,
    sync::mpsc,
    task::AbortHandle,
    time,
};

use super::{
    message::{Block, NotAManager, Reader, action},
    scene::{Scene, Wish},
    word::{Said, Word},
};
use crate::{config::ami::Manager, note::Note};

/// A manager that is quiet for so long is asked whether it is there.
const QUIET: Duration = Duration::from_secs(1);
/// One that does not answer that for so long is gone.
const GONE: Duration = Duration::from_secs(3);
/// How long connection and login may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long after the end of a connection the next one is tried: doubled each time, up to the last.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LAST_WAIT: Duration = Duration::from_secs(30);

/// The managers that are listened to.
pub struct Managers {
    notes: mpsc::UnboundedSender<Note>,
    /// Where connections are led: not on the calls' thread.
    crowd: Handle,
    listening: BTreeMap<Arc<str>, (Manager, AbortHandle)>,
}

impl Managers {
    /// None yet. What they say goes to the loop of calls; their connections are led here.
    #[must_use]
    pub const fn new(notes: mpsc::UnboundedSender<Note>, crowd: Handle) -> Self {
        Self { notes, crowd, listening: BTreeMap::new() }
    }

    /// Listens to these from now on, and to no others. One that has changed is left and found anew.
    pub fn follow(&mut self, managers: impl Iterator<Item = Manager>) {
        let wanted: Vec<Manager> = managers.collect();
        let notes = &self.notes;
        self.listening.retain(|pbx, (manager, task)| {
            let stays = wanted.contains(manager);
            if !stays {
                task.abort();
                tell(notes, pbx, Said::Gone);
            }
            stays
        });
        for manager in wanted {
            if !self.listening.contains_key(&manager.pbx) {
                let task = self.crowd.spawn(listen(manager.clone(), self.notes.clone()));
                let pbx = Arc::clone(&manager.pbx);
                self.listening.insert(pbx, (manager, task.abort_handle()));
            }
        }
    }
}

impl Drop for Managers {
    fn drop(&mut self) {
        self.listening.values().for_each(|(_, task)| task.abort());
    }
}

/// Tells the loop of calls something; at the end of the node nobody listens.
fn tell(notes: &mpsc::UnboundedSender<Note>, pbx: &Arc<str>, said: Said) {
    let _nobody_listens = notes.send(Note::Agents(Word { pbx: Arc::clone(pbx), said }));
}

/// Why a manager is not listened to.
#[derive(Debug)]
enum Lost {
    /// It does not answer, or the connection broke.
    Connection(io::ErrorKind),
    /// Nothing came for too long.
    Silent,
    /// It says no to our account.
    Refused,
    /// It is no manager.
    Stranger,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(kind) => {
                write!(f, "{kind}; see that it runs and that manager.conf says `enabled`")
            }
            Self::Silent => f.write_str("it says nothing any more; see that it runs"),
            Self::Refused => f.write_str(
                "it refuses our account; see `user`, the password and `permit` in manager.conf",
            ),
            Self::Stranger => f.write_str("it speaks no AMI; see `ami.address`"),
        }
    }
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        Self::Connection(error.kind())
    }
}

impl From<NotAManager> for Lost {
    fn from(NotAManager: NotAManager) -> Self {
        Self::Stranger
    }
}

async fn listen(manager: Manager, notes: mpsc::UnboundedSender<Note>) {
    let mut wait = FIRST_WAIT;
    let mut said = false;
    loop {
        let mut here = false;
        let Err(lost) = attend(&manager, &notes, &mut here).await;
        if here || !said {
            tracing::error!(pbx = &*manager.pbx, %lost, "the manager of the PBX is not heard: lines that \
                are recorded while an agent talks are silent");
            tell(&notes, &manager.pbx, Said::Gone);
        }
        said = true;
        if here {
            wait = FIRST_WAIT;
        }
        time::sleep(wait).await;
        wait = (wait * 2).min(LAST_WAIT);
    }
}

/// One connection, until it ends. `here` says whether it was listened to.
async fn attend(
    manager: &Manager,
    notes: &mpsc::UnboundedSender<Note>,
    here: &mut bool,
) -> Result<std::convert::Infallible, Lost> {
    let entering = time::timeout(PATIENCE, Line::enter(manager));
    let (mut line, early) = entering.await.map_err(|_| Lost::Silent)??;
    *here = true;
    tracing::info!(pbx = &*manager.pbx, "the manager of the PBX says who talks to callers");
    tell(notes, &manager.pbx, Said::Here);
    let mut scene = Scene::new(&manager.outside);
    line.say(&[("Action", "CoreShowChannels")]).await?;
    let mut blocks = early;
    loop {
        for block in &blocks {
            heard(&mut scene, block);
        }
        while let Some(wish) = scene.poll() {
            match wish {
                Wish::Ask(unique, channel) => line.ask(&unique, &channel).await?,
                Wish::Tell(call_id, seat) => {
                    let call_id = Private::new(String::from(call_id));
                    let said = match seat {
                        Some(seat) => Said::Talks {
                            call_id,
                            agent: Private::new(seat.agent.into()),
                            queue: seat.queue.map(|queue| Private::new(queue.into())),
                        },
                        None => Said::Waits { call_id },
                    };
                    tell(notes, &manager.pbx, said);
                }
            }
        }
        blocks = line.next().await?;
    }
}

/// An event, or the answer to a question of ours: a Call-ID.
fn heard(scene: &mut Scene, block: &Block) {
    match (block.get("Event"), block.get("ActionID"), block.get("Value")) {
        (Some(_), _, _) => scene.take(block),
        (None, Some(unique), Some(call_id)) => scene.answered(unique, call_id),
        (None, _, _) => {}
    }
}

/// A connection to a manager.
struct Line {
    stream: TcpStream,
    reader: Reader,
}

impl Line {
    /// Connects and logs in. The password does not travel: the manager gives a challenge, and gets the MD5 of
    /// both, which is all it knows.
    async fn enter(manager: &Manager) -> Result<(Self, Vec<Block>), Lost> {
        let stream = TcpStream::connect(manager.address).await?;
        stream.set_nodelay(true)?;
        let mut line = Self { stream, reader: Reader::default() };
        let (asked, _) = line
            .order(&[("Action", "Challenge"), ("AuthType", "MD5"), ("ActionID", "challenge")])
            .await?;
        let challenge = asked.get("Challenge").ok_or(Lost::Refused)?;
        let proof = Md5::new().chain_update(challenge).chain_update(&**manager.secret).finalize();
        let proof: String = proof.iter().map(|byte| format!("{byte:02x}")).collect();
        let (answer, rest) = line
            .order(&[
                ("Action", "Login"),
                ("AuthType", "MD5"),
                ("Username", &manager.user),
                ("Key", &proof),
                ("Events", "call,agent"),
                ("ActionID", "login"),
            ])
            .await?;
        if answer.get("Response") == Some("Success") {
            Ok((line, rest))
        } else {
            Err(Lost::Refused)
        }
    }

    /// Orders something; its answer, and what came after it.
    async fn order(&mut self, fields: &[(&str, &str)]) -> Result<(Block, Vec<Block>), Lost> {
        let wanted = fields.iter().find_map(|(name, id)| (*name == "ActionID").then_some(*id));
        self.say(fields).await?;
        loop {
            let mut blocks = self.receive().await?.into_iter();
            if let Some(answer) = blocks.find(|block| block.get("ActionID") == wanted) {
                return Ok((answer, blocks.collect()));
            }
        }
    }

    /// Asks for the Call-ID of a channel. The answer bears its unique id.
    async fn ask(&mut self, unique: &str, channel: &str) -> Result<(), Lost> {
        let call_id = ("Variable", "CHANNEL(pjsip,call-id)");
        self.say(&[("Action", "Getvar"), ("ActionID", unique), ("Channel", channel), call_id]).await
    }

    /// What comes next. Who is quiet is asked whether it is there.
    async fn next(&mut self) -> Result<Vec<Block>, Lost> {
        if let Ok(blocks) = time::timeout(QUIET, self.receive()).await {
            return blocks;
        }
        self.say(&[("Action", "Ping")]).await?;
        time::timeout(GONE, self.receive()).await.map_err(|_| Lost::Silent)?
    }

    async fn say(&mut self, fields: &[(&str, &str)]) -> Result<(), Lost> {
        let message = action(fields);
        let sent = time::timeout(GONE, self.stream.write_all(message.as_bytes()));
        Ok(sent.await.map_err(|_| Lost::Silent)??)
    }

    async fn receive(&mut self) -> Result<Vec<Block>, Lost> {
        let mut octets = [0; 8 * 1024];
        match self.stream.read(&mut octets).await? {
            0 => Err(Lost::Connection(io::ErrorKind::UnexpectedEof)),
            count => Ok(self.reader.take(octets.get(..count).unwrap_or_default())?),
        }
    }
}
