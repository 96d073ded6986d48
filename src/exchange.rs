//! One request being answered: the deployment's settings, the platform's ports, what this isolate remembers, and who
//! came through the perimeter. Cloned cheaply into work that outlives the response.

use std::rc::Rc;

use crate::config::Config;
use crate::identity::AccessIdentity;
use crate::ports::Ports;
use crate::web::Context;

/// Everything a handler needs beside the request itself.
#[derive(Clone)]
pub struct Exchange {
    /// Settings.
    pub config: Rc<Config>,
    /// Platform.
    pub ports: Ports,
    /// What may be remembered between requests; losing it costs time only.
    pub isolate: Rc<Isolate>,
    /// Ids and time of this request.
    pub context: Context,
    /// Who came through Access, verified; `None` where the route or the configuration does not ask.
    pub access: Option<AccessIdentity>,
}

/// What one isolate remembers. Bounded, and never the judge of what only an object can decide.
#[derive(Default)]
pub struct Isolate {
    /// Verified Access assertions.
    pub assertions: crate::access::Remembered,
    /// JWK sets.
    pub keys: crate::jose::KeyCache,
    /// Grants that their objects confirmed lately.
    pub confirmed: crate::mcp::confirm::Confirmed,
    /// Lists of tools as they went out.
    pub lists: crate::tools::Lists,
    /// The tools as the landing page shows them.
    pub overview: std::cell::OnceCell<String>,
    /// Limits that are known to be used up.
    pub exhausted: crate::limits::Exhausted,
}
