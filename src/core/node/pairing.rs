//! Which pairing request is ours: all of what is known of it must fit, and nothing strange may stand beside it.

use crate::core::describe::visible;
use crate::words;

/// What a request of our own enrolment carries.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ours {
    /// The device id that we chose.
    pub device_id: String,
    /// Whom the code that we had made names as its issuer. Each code names another, so it stands for the code itself, which
    /// is used up by one request and told nobody but the command line.
    pub issued_by: String,
}

/// One request as the gateway lists it; what is missing is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairingRequest {
    /// Names it.
    pub request_id: String,
    /// Who wants in.
    pub device_id: String,
    /// `node`, `cli`, `desktop`.
    pub client_kind: String,
    /// `pin`, `qr`.
    pub method: String,
    /// Whom its code names as issuer.
    pub issued_by: String,
    /// By the gateway's clock, milliseconds since the epoch.
    pub requested_at_unix_ms: i64,
    /// Record in the inbox.
    pub approval_id: String,
    /// `pending_approval`, …
    pub state: String,
    /// Hash over what both sides said.
    pub transcript_hash: String,
}

/// What a list of requests means for our enrolment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// Ours is not there yet.
    NotYet,
    /// This one, and no other.
    One(Box<PairingRequest>),
    /// Something else asks too: nothing may be approved. In words.
    Strange(String),
}

/// Looks for ours among the requests of the window. `since`: when our code was made, by the gateway's clock; what was asked
/// before has nothing to do with the window.
pub fn pick(requests: &[PairingRequest], ours: &Ours, since: i64) -> Picked {
    let waits = |request: &&PairingRequest| request.state == "pending_approval";
    let fresh: Vec<_> = requests.iter().filter(waits).filter(|request| request.requested_at_unix_ms >= since).collect();
    match fresh.as_slice() {
        [] => Picked::NotYet,
        [one] if is_ours(one, ours) => Picked::One(Box::new((*one).clone())),
        [one] => Picked::Strange(words::node::device_asked_to_be_paired(visible(&one.device_id))),
        several => Picked::Strange(words::node::requests_came_at_same_time(several.len())),
    }
}

/// Everything but the time fits.
pub fn is_ours(request: &PairingRequest, ours: &Ours) -> bool {
    request.device_id == ours.device_id
        && request.issued_by == ours.issued_by
        && request.client_kind == "node"
        && request.method == "pin"
        && !request.request_id.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Ours {
        Ours { device_id: "01BX5ZZKBKACTAV9WEVGEMMVRZ".to_owned(), issued_by: "enrolment 7".to_owned() }
    }

    fn request() -> PairingRequest {
        PairingRequest {
            request_id: "01M8A0GW4MA7MC1TPMVN8TPFRE".to_owned(),
            device_id: ours().device_id,
            client_kind: "node".to_owned(),
            method: "pin".to_owned(),
            issued_by: ours().issued_by,
            requested_at_unix_ms: 1_000,
            approval_id: "01M8A0GW6NNSNYTZ6SSFXC6A6Q".to_owned(),
            state: "pending_approval".to_owned(),
            transcript_hash: "da".to_owned(),
        }
    }

    #[test]
    fn exactly_one_that_fits_in_everything_is_picked() {
        assert_eq!(pick(&[], &ours(), 1_000), Picked::NotYet);
        assert_eq!(pick(&[request()], &ours(), 1_000), Picked::One(Box::new(request())));
        assert!(matches!(pick(&[request(), request()], &ours(), 1_000), Picked::Strange(_)));
    }

    #[test]
    fn whatever_does_not_fit_is_strange_or_not_of_this_window() {
        type Change = fn(&mut PairingRequest);
        let strange: [(&str, Change); 5] = [
            ("device", |r| r.device_id = "01BX5ZZKBKACTAV9WEVGEMMVRX".to_owned()),
            ("issuer", |r| r.issued_by = "admin:desktop-control-center".to_owned()),
            ("kind", |r| r.client_kind = "cli".to_owned()),
            ("method", |r| r.method = "qr".to_owned()),
            ("id", |r| r.request_id.clear()),
        ];
        for (what, change) in strange {
            let mut other = request();
            change(&mut other);
            assert!(matches!(pick(&[other.clone()], &ours(), 1_000), Picked::Strange(_)), "{what}");
            assert!(matches!(pick(&[request(), other], &ours(), 1_000), Picked::Strange(_)), "{what} beside ours");
        }
        let elsewhere: [(&str, Change); 2] =
            [("old", |r| r.requested_at_unix_ms = 999), ("decided", |r| r.state = "approved".to_owned())];
        for (what, change) in elsewhere {
            let mut other = request();
            change(&mut other);
            assert_eq!(pick(&[other.clone()], &ours(), 1_000), Picked::NotYet, "{what}");
            assert_eq!(
                pick(&[request(), other], &ours(), 1_000),
                Picked::One(Box::new(request())),
                "{what} beside ours"
            );
        }
    }
}
