//! A real mail server (Exim, of Debian) on a free port, with a certificate of its own authority.

#![cfg(test)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anteroom::mail::{Relay, Secrecy, Settings};

/// The password that the server asks for.
pub(crate) const PASSWORD: &str = "three herons";
/// Longest wait for a letter to be laid into the mailbox.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server, ended when dropped.
pub(crate) struct Exim {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) port: u16,
}

fn run(folder: &Path, command: &str) {
    let made = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

impl Exim {
    /// Starts it. It lets whoever signs in over TLS mail to example.com; addresses are refused, put off or
    /// sent back while a file of that name (`refused`, `later`, `back`) lies in its folder.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["spool", "log", "box"] {
            fs::create_dir(at.join(name)).unwrap();
            fs::set_permissions(at.join(name), fs::Permissions::from_mode(0o777)).unwrap();
        }
        run(
            at,
            "set -e; new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
             openssl req -x509 $new -keyout ca.key -out ca.pem -days 30 -subj '/CN=Test CA' \
               -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
             openssl req $new -keyout key.pem -out csr.pem -subj /CN=localhost
             printf 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth\\n' > ext
             openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
               -extfile ext -out cert.pem
             chmod 644 key.pem",
        );
        let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let user = if root { "user = Debian-exim" } else { "" };
        let conf = include_str!("exim.conf")
            .replace("FOLDER", at.to_str().unwrap())
            .replace("USER", user);
        fs::write(at.join("conf"), conf).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let exim = ["exim4", "/usr/sbin/exim4"];
        let start = |program: &&str| {
            Command::new(program)
                .arg("-bdf")
                .arg("-C")
                .arg(at.join("conf"))
                .args(["-oX", &format!("127.0.0.1.{port}")])
                .arg("-oP")
                .arg(at.join("spool/pid"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .ok()
        };
        let child = exim.iter().find_map(start);
        let server = Self {
            child: child.expect("exim4 is not installed: run tests/install.sh"),
            folder,
            port,
        };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                began.elapsed() < PATIENCE,
                "exim does not listen: {}",
                server.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// The file of its certificate authority.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The file in which every letter is laid.
    pub(crate) fn mailbox(&self) -> PathBuf {
        self.folder.path().join("box/all")
    }

    /// A relay to it.
    pub(crate) fn relay(&self, change: impl FnOnce(&mut Settings)) -> Relay {
        let mut settings = Settings {
            host: "localhost".to_owned(),
            port: self.port,
            tls: Secrecy::Starttls,
            username: "anteroom".to_owned(),
            password: PASSWORD.to_owned().into(),
            from: "no-reply@lakeside.example.com".to_owned(),
            bounces_to: "bounces@lakeside.example.com".to_owned(),
            ca: Some(fs::read(self.ca()).unwrap()),
            timeout: Duration::from_secs(10),
        };
        change(&mut settings);
        Relay::new(&settings).unwrap()
    }

    /// From now on, or no longer, it treats every address so.
    pub(crate) fn set(&self, how: &str, on: bool) {
        let file = self.folder.path().join(how);
        if on {
            fs::write(file, "").unwrap();
        } else {
            fs::remove_file(file).unwrap();
        }
    }

    /// The letters for an address, oldest first, once there are as many.
    pub(crate) fn letters(&self, to: &str, count: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let all = fs::read_to_string(self.folder.path().join("box/all")).unwrap_or_default();
            let mark = format!("Envelope-to: {to}\n");
            let own: Vec<String> = all
                .split("\nFrom ")
                .filter(|it| it.contains(&mark))
                .map(|it| it.replace("=\n", "").replace("=3D", "="))
                .collect();
            if own.len() >= count {
                return own;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{} of {count} letters: {}",
                own.len(),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        format!("{}{}", read("log/mainlog"), read("log/paniclog"))
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
