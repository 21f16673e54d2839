//! Requests to the gateway, the hand-over to the dashboard, and troubles of model providers.

use std::fmt::Display;

pub fn does_not_accept_this_key(who: impl Display) -> String {
    format!("{who} does not accept this key. Check it and enter it again.")
}

pub fn does_not_let_this_key_use(who: impl Display) -> String {
    format!("{who} does not let this key use the model. Check there what it may do, or enter another key.")
}

pub fn account_at_has_no_credit_left(who: impl Display) -> String {
    format!("The account at {who} has no credit left. Check its billing there, then try again.")
}

pub fn gets_too_many_requests_right_now_wait(who: impl Display) -> String {
    format!("{who} gets too many requests right now. Wait a minute and try again.")
}

pub fn cannot_be_reached_check(who: impl Display) -> String {
    format!("{who} cannot be reached. Check the internet connection and try again.")
}

pub fn has_trouble_of_its_own_right(who: impl Display) -> String {
    format!("{who} has trouble of its own right now. Wait a few minutes and try again.")
}

pub fn cannot_be_reached_or_has_trouble(who: impl Display) -> String {
    format!(
        "{who} cannot be reached, or has trouble of its own. Check the internet connection and try again in a few \
         minutes."
    )
}

pub fn took_too_long_to_answer(who: impl Display) -> String {
    format!("{who} took too long to answer. Check the internet connection and try again.")
}

pub fn failed_several_times(who: impl Display) -> String {
    format!("{who} failed several times, so the gateway lets it rest. Wait a minute and try again.")
}

pub fn palyra_has_no_key(who: impl Display) -> String {
    format!("Palyra has no key for {who}. Enter one first, then try again.")
}

pub fn did_not_answer_as_it_should(who: impl Display, words: impl Display) -> String {
    format!("{who} did not answer as it should. Try again later. It said: {words}")
}

pub fn sign_in_at_took_too_long(who: impl Display) -> String {
    format!("The sign-in at {who} took too long and has expired. Begin it again.")
}

pub fn sign_in_was_refused_on_s(who: impl Display) -> String {
    format!("The sign-in was refused on {who}'s page. Begin it again, or use a key.")
}

pub fn cannot_be_reached(who: impl Display) -> String {
    format!("{who} cannot be reached. Check the internet connection and begin the sign-in again.")
}

pub fn gets_too_many_requests_right_now(who: impl Display) -> String {
    format!("{who} gets too many requests right now. Wait a minute and begin the sign-in again.")
}

pub fn sign_in_at_failed(who: impl Display, words: impl Display) -> String {
    format!("The sign-in at {who} failed. Begin it again, or use a key. It said: {words}")
}

pub fn enter_code_on_s_page(code: impl Display, who: impl Display) -> String {
    format!("Enter the code {code} on {who}'s page.")
}

pub fn there_is_no_session(session: impl Display) -> String {
    format!("There is no session {session}.")
}

pub fn gateways_hand_off_address_was_refused(why: impl Display) -> String {
    format!("The gateway's one-time address was refused: {why}.")
}

pub const IT_IS_NOT_PLAIN_HTTP: &str = "it is not plain HTTP";
pub const IT_LEADS_TO_ANOTHER_HOST: &str = "it leads to another host";
pub const IT_LEADS_TO_ANOTHER_PORT: &str = "it leads to another port; check the port in the gateway's config";
pub const IT_HAS_NO_PATH: &str = "it has no path";
pub const IT_HAS_NO_TOKEN: &str = "it has no token";
pub const ITS_ANSWER_IS_TOO_LARGE: &str = "its answer is too large";
pub const PROGRAM_WITHOUT_NAME: &str = "a program without a name";

pub fn it_calls_itself(plain: impl Display) -> String {
    format!("it calls itself “{plain}”")
}

pub fn it_answered(status: impl Display) -> String {
    format!("it answered {status}")
}

pub fn web_server_that_answered(status: impl Display) -> String {
    format!("a web server that answered {status}")
}

pub fn http_client_could_not_be_made(error: impl Display) -> String {
    format!("The HTTP client could not be made: {error}.")
}

pub const WEB_PAGE: &str = "a web page";
pub const SOMETHING_THAT_IS_NOT_ITS_PROTOCOL: &str = "something that is not its protocol";

pub fn gateway_answered_with_is_another(what: impl Display) -> String {
    format!("The gateway answered with {what}: is another program on its port?")
}

pub fn gateway_answered_without_reason(status: impl Display) -> String {
    format!("The gateway answered {status} without a reason.")
}

pub fn gateway_answered(status: impl Display, said: impl Display) -> String {
    format!("The gateway answered {status}: {said}")
}

pub const REQUEST_COULD_NOT_BE_BUILT: &str = "the request could not be built";
pub const NO_CONNECTION: &str = "no connection";

pub fn gateway_cannot_be_reached(port: impl Display) -> String {
    format!("The gateway cannot be reached: nothing listens on 127.0.0.1:{port}.")
}

pub fn gateway_on_cannot_be_reached(port: impl Display, why: impl Display) -> String {
    format!("The gateway on 127.0.0.1:{port} cannot be reached: {why}.")
}

pub fn gateway_did_not_answer_within_ms(ms: impl Display) -> String {
    format!("The gateway did not answer within {ms} ms.")
}

pub fn connection_to_ended_without_http_answer(port: impl Display) -> String {
    format!("The connection to 127.0.0.1:{port} ended without an HTTP answer.")
}

pub const GATEWAYS_ANSWER_BROKE_OFF_IN_MIDDLE: &str = "The gateway's answer broke off in the middle.";

pub fn gateways_answer_is_larger_than_kib(kib: impl Display) -> String {
    format!("The gateway's answer is larger than {kib} KiB.")
}

pub fn request_to_gateway_was_not_sent(why: impl Display) -> String {
    format!("The request to the gateway was not sent: {why}.")
}

pub const SESSION_HOLDS_CHARACTERS_THAT_NO_HEADER: &str = "the session holds characters that no header takes";
pub const NO_RUN: &str = "The gateway knows no such run: it never began, or was forgotten after its end.";
pub const THAT_IS_NOT_ID_OF_RUN: &str = "That is not the ID of a run.";
pub const GATEWAY_ACCEPTED_LOGIN_BUT_GAVE_NO: &str =
    "The gateway accepted the login but gave no session cookie: is another program on its port?";
pub const GATEWAY_TOOK_TOO_LONG_TO_HAND: &str = "The gateway took too long to make a one-time address.";
pub const GATEWAYS_HAND_OFF_ADDRESS_CANNOT: &str = "The gateway's one-time address cannot be used.";
pub const THIS_ADDRESS_WAS_USED_ALREADY: &str =
    "This address was used already. Open the dashboard from the Palyra icon again.";

pub fn nothing_listens(port: impl Display) -> String {
    format!("nothing listens on port {port}")
}

pub fn no_answer_in_time(port: impl Display) -> String {
    format!("no answer from port {port} in time")
}

pub fn another_program_answers(name: impl Display) -> String {
    format!("another program answers on the port: {name}")
}

pub fn does_not_answer_in_http(port: impl Display) -> String {
    format!("port {port} does not answer in HTTP")
}

pub fn service_is_not_healthy(why: impl Display) -> String {
    format!("the service is not healthy: {why}")
}

pub fn journal_is_not_absolute(path: impl Display) -> String {
    format!("the path of the gateway's journal, {path}, is not absolute, so it is not watched")
}

pub fn journal_is_not_ours(folder: impl Display) -> String {
    format!("the folder of the gateway's journal, {folder}, does not belong to you, so it is not watched")
}

pub fn journal_cannot_be_watched(folder: impl Display, error: impl Display) -> String {
    format!("the folder of the gateway's journal, {folder}, cannot be watched: {error}")
}
