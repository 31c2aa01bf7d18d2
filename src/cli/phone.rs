//! The phone simulator's other side: the fake carrier within this process, at an address of this
//! machine that only the house knows.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::carrier::account::Site;
use crate::carrier::fake::{Fake, Faults};
use crate::carrier::simulator::Simulation;
use crate::cli::assemble::entropy;
use crate::domain::clock::Clock;
use crate::domain::practice::{CarrierKind, Practice};
use crate::web::fake::{FakeSite, Hooks, Way, fake_router};
use crate::web::router::FrontDoor;
use crate::web::simulator::Phone;

/// The fake carrier before it is served.
pub(super) struct Simulated {
    pub(super) simulation: Simulation,
    fake: Arc<Fake>,
    listener: TcpListener,
    public_url: Url,
    clock: Arc<dyn Clock>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Simulated {
    /// The other side of the practices that text by the simulator; none where none does. It ends
    /// with `stop`.
    pub(super) async fn of(
        practices: &[Practice],
        public_url: &Url,
        clock: &Arc<dyn Clock>,
        (tracker, stop): (&TaskTracker, &CancellationToken),
    ) -> Result<Option<Self>, String> {
        let kind = CarrierKind::Simulator;
        let sites: Vec<Site<'_>> = practices
            .iter()
            .map(|practice| Site {
                kind,
                practice,
                public_url,
            })
            .filter(|site| site.senders().next().is_some())
            .collect();
        if sites.is_empty() {
            return Ok(None);
        }
        let told = |error: std::io::Error| format!("the simulator's carrier on 127.0.0.1: {error}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(told)?;
        let address = listener.local_addr().map_err(told)?;
        let mut token = [0; 32];
        if !entropy()(&mut token) {
            return Err("the operating system gives no randomness".to_owned());
        }
        let token = SecretString::from(hex::encode(token));
        let simulation = Simulation::new(&format!("http://{address}"), &token);
        let lines = sites.iter().filter_map(|site| simulation.line(site));
        let fake = Fake::new(lines.collect(), Faults::none()).begun(clock.now());
        Ok(Some(Self {
            simulation,
            fake: Arc::new(fake),
            listener,
            public_url: public_url.clone(),
            clock: Arc::clone(clock),
            tracker: tracker.clone(),
            stop: stop.clone(),
        }))
    }

    /// What the page needs of it.
    pub(super) fn phone(&self) -> Phone {
        Phone {
            fake: Arc::clone(&self.fake),
            tracker: self.tracker.clone(),
            stop: self.stop.clone(),
        }
    }

    /// Serves it until the house stops: its webhooks go to this front door.
    pub(super) fn serve(self, router: FrontDoor) -> FakeSite {
        let site = FakeSite {
            fake: self.fake,
            clock: self.clock,
            way: Way::Within {
                router,
                public_url: self.public_url,
            },
            hooks: Hooks::default(),
            tracker: self.tracker.clone(),
            stop: self.stop.clone(),
        };
        let fake = fake_router(site.clone());
        self.tracker
            .spawn(crate::web::serve::serve(self.listener, fake, self.stop));
        site
    }
}
