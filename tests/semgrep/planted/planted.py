"""Never imported: one line a rule must find, under its name. Copied to where the rule looks."""
# ruff: noqa

import contextlib, datetime, random, socket, logging

log = logging.getLogger("dui")


async def session_outside_the_gate(database):
    async with database.session(None):  # planted: session-outside-the-gate
        ...


async def sql_from_a_value(connection, name):
    await connection.fetch(f"SELECT * FROM usager WHERE name = '{name}'")  # planted: sql-from-a-value
    await connection.execute("DELETE FROM usager WHERE name = '%s'" % name)  # planted: sql-from-a-value


def value_in_the_log(body):
    log.warning("refused", body)  # planted: value-in-the-log
    log.info(f"refused {body}")  # planted: value-in-the-log


def fault_swallowed(act):
    try:  # planted: fault-swallowed
        act()
    except Exception:
        pass
    with contextlib.suppress(Exception):  # planted: fault-swallowed
        act()


def naive_clock():
    return datetime.datetime.now()  # planted: naive-clock


def naive_day():
    return datetime.date.today()  # planted: naive-clock


def chance_for_a_secret():
    return random.choice("0123456789")  # planted: chance-for-a-secret


def call_to_the_outside(host, client):
    socket.create_connection((host, 443))  # planted: call-to-the-outside
    return client.get(host, verify=False)  # planted: call-to-the-outside


def control_by_assert(who):
    assert who.is_admin  # planted: control-by-assert


def secret_compared_in_the_open(session, given):
    return session.token == given  # planted: secret-compared-in-the-open


def test_waived():  # pragma: no cover  # planted: test-waived
    ...
