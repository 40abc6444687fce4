//! Google's own Tink opens our chunks, given their keys.

use std::{fs, io::Cursor, path::Path, process::Command};

use vault::*;

use crate::support::*;

/// Writes every chunk with its key, associated data and plaintext into a folder.
fn lay_out(object: &[u8], folder: &Path) -> u32 {
    let parts = Object::read(&mut Cursor::new(object)).unwrap();
    let (slip, mut at, mut count) = (slip(), 0, 0);
    for row in parts.rows.iter().filter(|row| row.length > 0) {
        let sealed = &object[at..at + row.length as usize];
        at += row.length as usize;
        let key = slip.leaf(row.chunk).unwrap().key();
        let associated = [&RECORDING.as_bytes()[..], &row.chunk.to_be_bytes()].concat();
        let plain = open_stream(&key, &associated, sealed, row.state == State::Sealed).unwrap();
        let name = |part: &str| folder.join(format!("{}.{part}", row.chunk));
        fs::write(name("sealed"), sealed).unwrap();
        fs::write(name("key"), key.reveal()).unwrap();
        fs::write(name("associated"), &associated).unwrap();
        fs::write(name("plain"), &plain).unwrap();
        count += 1;
    }
    count
}

mod tink {
    use super::*;

    #[test]
    fn tink_opens_every_chunk_and_refuses_every_cut_one() {
        let mut bench = Bench::new();
        bench.record(RECORDING, [Codec::Pcma, Codec::Pcm16], 8_000 * 3 + 500);
        let (_, object) = bench.store(RECORDING);
        let folder = Folder::new();
        let count = lay_out(&object, folder.path());
        assert_eq!(count, 5);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/tink_opens.py");
        let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        let told = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&told.stdout);
        assert!(told.status.success(), "{said}{}", String::from_utf8_lossy(&told.stderr));
        assert_eq!(said.trim(), format!("{count} chunks opened, {} refused", 3 * count));
    }
}
