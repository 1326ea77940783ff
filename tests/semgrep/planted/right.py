"""Never imported: the same, as this house writes it. No rule finds anything here."""
# ruff: noqa

import datetime, hmac, logging, secrets

log = logging.getLogger("dui")
UTC = datetime.timezone.utc


async def asked_with_a_parameter(connection, name):
    await connection.fetch("SELECT * FROM usager WHERE name = $1", name)


def an_event_of_ours(error):
    log.warning("refused", extra={"error": type(error).__name__})


def an_expected_refusal(act):
    try:
        act()
    except KeyError:
        return None


def a_moment():
    return datetime.datetime.now(UTC)


def a_secret():
    return secrets.token_urlsafe(32)


def found_in_constant_time(session, given):
    return hmac.compare_digest(session.token, given)


def a_word_of_a_closed_list(token_kind, grant):
    return token_kind == "access" and grant.secret is not None
