//! Microsoft Graph as data: requests are built and escaped here, answers and errors are parsed here. Sending is the
//! business of `gateway`, through the [`Graph`] trait.

pub mod batch;
pub mod challenge;
pub mod cloud;
pub mod request;
pub mod response;

use async_trait::async_trait;

pub use request::GraphRequest;
pub use response::{Failure, GraphResponse, Origin};

/// Something that carries a request to Graph on the user's behalf.
#[async_trait(?Send)]
pub trait Graph {
    /// Sends the request; an answer of 400 and more is a [`Failure`].
    async fn send(&self, request: &GraphRequest) -> Result<GraphResponse, Failure>;

    /// The failure that an answer of 400 and more within a batch stands for.
    fn judge(&self, part: &GraphResponse) -> Failure;

    /// Goes on with a request that failed as a part of a batch: what `send` does after a first failure, and no more.
    async fn resume(&self, request: &GraphRequest, failure: Failure) -> Result<GraphResponse, Failure>;
}
