"""Who gets in, whose data they see, and what pages of other sites can do."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from pydantic import SecretStr

from rag.errors import SettingsError
from tests.ui.conftest import LOOPBACK, MakeServices, client_of, settings_for
from tests.ui.samples import REWRITES
from ui.access.commands import user as user_commands
from ui.access.exposure import exposure_of, is_loopback
from ui.access.keys import match_key, parse_keys
from ui.access.sessions import Sessions, server_secret
from ui.access.users import UserError, Users
from ui.app import create_app, serve
from ui.services import Services

ADA, BOB = "ada-key-0123456789", "bob-key-9876543210"
KEYS = SecretStr(f"ada:{ADA}, bob:{BOB}")
PAGE = {"accept": "text/html,*/*"}


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture
def guarded(make_services: MakeServices) -> Services:
    return make_services(host="0.0.0.0", api_keys=KEYS)


@pytest.fixture
def outside(guarded: Services) -> Iterator[TestClient]:
    """A client from another machine."""
    with TestClient(create_app(guarded), base_url="http://readback.example", raise_server_exceptions=False) as client:
        yield client


def ask(client: TestClient, **more: Any) -> Any:
    return client.post("/api/ask", json={"question": REWRITES}, **more)


# who can reach the server


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST.", "a.localhost"])
def test_loopback_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "192.168.1.4", "localhost.example", "127.0.0.1.example", "2130706433"]
)
def test_everything_else_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "values",
    [{"host": "0.0.0.0"}, {"host": "::"}, {"public_hosts": "readback.example"}, {"trusted_proxies": "127.0.0.1"}],
)
def test_others_can_reach_it_only_with_a_login(tmp_path: Path, values: dict[str, Any]) -> None:
    settings = settings_for(tmp_path, **values)
    for start in (exposure_of, serve):
        with pytest.raises(SettingsError, match="readback user add"):
            start(settings)
    assert exposure_of(settings.model_copy(update={"api_keys": KEYS})).login
    Users.of(settings).add("ada", "long enough password")
    assert exposure_of(settings).login


def test_the_app_refuses_too(make_services: MakeServices) -> None:
    with pytest.raises(SettingsError, match="READBACK_API_KEYS"):
        create_app(make_services(host="0.0.0.0"))


@pytest.mark.parametrize("keys", ["short", "ada:short", "ada:has a space in it", "ümlaut-umlaut-umlaut"])
def test_weak_keys_are_refused_without_showing_them(keys: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_keys(SecretStr(f"{ADA},{keys}"))
    assert "key 2" in str(raised.value)
    assert keys not in str(raised.value)


def test_keys_know_their_owner() -> None:
    keys = parse_keys(SecretStr(f"ada:{ADA},{BOB}"))
    assert keys[0].name == "ada"
    assert keys[1].name.startswith("key-")
    assert match_key(keys, ADA) is keys[0]
    assert match_key(keys, ADA + " ") is None
    assert match_key(keys, "") is None
    assert ADA not in repr(keys)


# a server that others can reach


@pytest.mark.parametrize(
    "address",
    [
        "/api/papers",
        "/v1/models",
        "/api/conversations",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/mcp",
        "/api/me",
        "/",
        "/nope",
    ],
)
def test_strangers_get_nothing(outside: TestClient, address: str) -> None:
    reply = outside.get(address)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.json()["error"]["type"] == "authentication_error"


@pytest.mark.parametrize(
    "value", ["Bearer wrong-key-0123456789", "Bearer ", "Bearer", "Basic YWRhOmFkYQ==", ADA, "Bearer \xff"]
)
def test_wrong_keys(outside: TestClient, value: str) -> None:
    reply = outside.get("/api/me", headers={b"authorization": value.encode("latin-1")})
    assert reply.status_code == 401


def test_operators_are_told_little_without_a_login(outside: TestClient) -> None:
    assert outside.get("/healthz").json() == {"status": "ok"}
    assert outside.get("/readyz").json()["index"] == "ok"


def test_a_key_opens_its_owners_data_alone(outside: TestClient) -> None:
    reply = ask(outside, headers=bearer(ADA)).json()
    conversation, answer = reply["conversation"], reply["answer"]["id"]
    address = f"/api/conversations/{conversation}"
    assert outside.get(address, headers=bearer(ADA)).status_code == 200
    theirs = bearer(BOB)
    assert outside.get("/api/conversations", headers=theirs).json() == {"conversations": []}
    feedback = {"answer_id": answer, "kind": "copy"}
    assert [
        outside.get(address, headers=theirs).status_code,
        outside.get(f"{address}/export", headers=theirs).status_code,
        outside.patch(address, json={"title": "Mine now"}, headers=theirs).status_code,
        outside.delete(address, headers=theirs).status_code,
        outside.post("/api/feedback", json=feedback, headers=theirs).status_code,
        outside.post("/api/ask", json={"question": "And?", "conversation": conversation}, headers=theirs).status_code,
    ] == [404] * 6
    assert len(outside.get(address, headers=bearer(ADA)).json()["turns"]) == 1


def test_ids_in_the_record_are_pseudonymous(outside: TestClient, guarded: Services) -> None:
    ask(outside, headers=bearer(ADA))
    guarded.store.flush()
    (episode,) = guarded.store.episodes()
    assert episode.interaction.user is not None
    assert episode.interaction.user.startswith("user-")
    assert "ada" not in episode.interaction.user


def test_a_login_by_name_and_password(outside: TestClient, guarded: Services) -> None:
    Users.of(guarded.settings).add("cleo", "correct horse battery")
    page = outside.get("/", headers=PAGE, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/")
    form = outside.get("/login")
    assert "<form" in form.text
    assert "script-src" not in form.headers["content-security-policy"]
    assert outside.post("/login", data={"name": "cleo", "password": "wrong horse"}).status_code == 401
    assert outside.post("/login", data={"name": "nobody", "password": "correct horse battery"}).status_code == 401
    entered = outside.post("/login", data={"name": "cleo", "password": "correct horse battery"}, follow_redirects=False)
    assert entered.status_code == 303
    cookie = entered.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age="))
    assert "Secure" not in cookie
    assert outside.get("/api/me").json()["name"] == "cleo"
    assert outside.get("/login", follow_redirects=False).status_code == 303
    outside.post("/logout")
    assert outside.get("/api/me").status_code == 401


def test_a_new_password_ends_old_sessions(outside: TestClient, guarded: Services) -> None:
    users = Users.of(guarded.settings)
    users.add("cleo", "correct horse battery")
    outside.post("/login", data={"name": "cleo", "password": "correct horse battery"}, follow_redirects=False)
    assert outside.get("/api/me").status_code == 200
    users.add("cleo", "another horse battery", replace=True)
    assert outside.get("/api/me").status_code == 401


def test_a_login_by_key_and_the_end_of_the_key(outside: TestClient, guarded: Services) -> None:
    outside.post("/login", data={"name": "", "password": ADA}, follow_redirects=False)
    assert outside.get("/api/me").json() == {**outside.get("/api/me", headers=bearer(ADA)).json(), "how": "login"}
    fewer = Services(
        guarded.settings.model_copy(update={"api_keys": SecretStr(f"bob:{BOB}")}), guarded.assistant, guarded.store
    )
    with TestClient(create_app(fewer), base_url="http://readback.example", cookies=outside.cookies) as client:
        assert client.get("/api/me").status_code == 401


def test_a_wrong_key_counts_even_beside_a_good_cookie(outside: TestClient) -> None:
    outside.post("/login", data={"name": "ada", "password": ADA}, follow_redirects=False)
    assert outside.get("/api/me").status_code == 200
    assert outside.get("/api/me", headers=bearer("x" * 20)).status_code == 401


@pytest.mark.parametrize(
    "where", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_a_login_leads_nowhere_else(outside: TestClient, where: str) -> None:
    entered = outside.post("/login", data={"password": ADA, "next": where}, follow_redirects=False)
    assert entered.headers["location"] == "/"
    assert "<b>" not in outside.get("/login", params={"next": f'/"><b>{where}'}, headers=PAGE).text


def test_forged_and_old_cookies(guarded: Services, outside: TestClient) -> None:
    name = f"readback_{guarded.settings.port}"
    Users.of(guarded.settings).add("cleo", "correct horse battery")
    fingerprint = Users.of(guarded.settings).fingerprint("cleo") or ""
    forged = Sessions("0" * 64, 30).seal("user", "cleo", fingerprint)
    old = Sessions(server_secret(guarded.settings.data_dir), 30).seal("user", "cleo", "older password")
    browser = Sessions(server_secret(guarded.settings.data_dir), 30).seal("browser", "browser-1")
    for value in (forged, old, browser, "", "x" * 5000, "a.b.c"):
        assert outside.get("/api/me", headers={"cookie": f"{name}={value}"}).status_code == 401, value


def test_sessions_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    sessions = Sessions("s" * 64, session_days=1)
    cookie = sessions.seal("user", "ada", "f")
    opened = sessions.open(cookie)
    assert opened is not None
    assert opened.name == "ada"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 2 * 86_400)
    cookie = sessions.seal("user", "ada", "f")
    monkeypatch.undo()
    assert sessions.open(cookie) is None


def test_cookies_are_secure_behind_tls(guarded: Services) -> None:
    with TestClient(create_app(guarded), base_url="https://readback.example") as client:
        entered = client.post("/login", data={"password": ADA}, follow_redirects=False)
    assert "Secure" in entered.headers["set-cookie"]


def test_guessing_is_slowed_down(outside: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)  # hashing may take longer than the minute that is counted
    codes = [outside.post("/login", data={"name": "ada", "password": f"guess {n}"}).status_code for n in range(22)]
    assert codes == [401] * 20 + [429] * 2
    hashed: list[str] = []
    monkeypatch.setattr(Users, "verify", lambda _, name, __: hashed.append(name))
    assert outside.post("/login", data={"name": "ada", "password": "guess"}).status_code == 429
    assert hashed == [], "a guess is counted before it costs anything"
    refused = outside.get("/api/me", headers=bearer("another-wrong-key-1"))
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert outside.get("/api/me", headers=bearer(ADA)).status_code == 200  # who has a key is not shut out by others


def test_a_key_is_never_logged(
    outside: TestClient, guarded: Services, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "wrong-key-that-must-not-show"
    ask(outside, headers=bearer(ADA))
    outside.get("/api/me", headers=bearer(wrong))
    outside.post("/login", data={"name": "ada", "password": wrong})
    text = caplog.text + "".join(capfd.readouterr()) + repr(guarded.settings)
    assert ADA not in text
    assert wrong not in text


def test_a_name_that_is_not_ours(make_services: MakeServices) -> None:
    services = make_services(public_hosts="readback.example", api_keys=KEYS)
    app = create_app(services)
    for host, status in (("readback.example", 200), ("127.0.0.1:7860", 200), ("evil.example", 421)):
        with TestClient(create_app(services), base_url=f"http://{host}") as client:
            assert client.get("/healthz").status_code == status
    assert app.state.door.exposure.hosts == {"readback.example"}


# a server on loopback


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "192.168.0.2", "", "localhost.evil.example:7860"]
)
def test_rebound_names_are_refused(client: TestClient, host: str) -> None:
    reply = client.get("/api/papers", headers={"host": host})
    assert reply.status_code == 421


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860"])
def test_names_of_this_machine_are_fine(client: TestClient, host: str) -> None:
    assert client.get("/api/papers", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "file://"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_pages_of_other_sites_change_nothing(client: TestClient, headers: dict[str, str]) -> None:
    assert ask(client, headers=headers).status_code == 403
    assert client.delete("/api/papers/filler-1", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"origin": LOOPBACK}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}]
)
def test_our_own_page_may_ask(client: TestClient, headers: dict[str, str]) -> None:
    assert ask(client, headers=headers).status_code == 200


def test_nobody_else_may_read_along(client: TestClient) -> None:
    reply = client.get("/api/papers", headers={"sec-fetch-site": "cross-site"})
    assert not [name for name in reply.headers if name.startswith("access-control")]
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "origin", ["null", "file://", "http://127.0.0.1:9", "https://127.0.0.1:7860", "http://127.0.0.1", "ftp://127.0.0.1"]
)
def test_another_scheme_or_port_is_another_site(client: TestClient, origin: str) -> None:
    reply = client.get("/api/papers", headers={"origin": origin})
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "foreign_origin")


@pytest.mark.parametrize(
    "origin",
    [
        "http://[",
        "x",
        "",
        "http://127.0.0.1:7860.evil",
        "http://127.0.0.1:7860/path",
        "http://a@127.0.0.1:7860",
        "http://127.0.0.1:99999",
        "http://",
        "//127.0.0.1:7860",
        "http://127.0.0.1:7860 http://evil.example",
    ],
)
def test_origins_that_no_browser_sends(client: TestClient, origin: str) -> None:
    reply = client.get("/api/papers", headers={"origin": origin})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "malformed_origin")


@pytest.mark.parametrize(
    ("scheme", "origin", "status"),
    [
        ("https", "https://papers.example.org", 200),
        ("https", "http://papers.example.org", 403),
        ("https", "https://papers.example.org:8443", 403),
        ("http", "https://papers.example.org", 200),  # a proxy that does not say that it ends TLS
        ("http", "http://papers.example.org:81", 403),
        ("https", "https://evil.papers.example.org", 403),
    ],
)
def test_pages_behind_a_proxy(make_services: MakeServices, scheme: str, origin: str, status: int) -> None:
    services = make_services(public_hosts="papers.example.org", api_keys=SecretStr(f"ada:{ADA}"))
    with TestClient(create_app(services), base_url=f"{scheme}://127.0.0.1:7860") as client:
        client.post("/login", data={"password": ADA}, headers={"sec-fetch-site": "none"}, follow_redirects=False)
        assert client.get("/api/papers", headers={"origin": origin}).status_code == status


def test_a_new_user_of_an_old_name_sees_nothing_of_the_old_one(outside: TestClient, guarded: Services) -> None:
    users = Users.of(guarded.settings)
    login = {"name": "carol", "password": "correct horse battery"}
    seen = []
    for _ in range(2):
        users.add("carol", "correct horse battery")
        outside.post("/login", data=login, follow_redirects=False)
        me = outside.get("/api/me").json()["user"]
        before = outside.get("/api/conversations").json()["conversations"]
        mine = ask(outside).json()["conversation"]
        seen.append((me, len(before), mine))
        users.remove("carol")
        assert outside.get("/api/me").status_code == 401
    assert seen[0][0] != seen[1][0]
    assert [one[1] for one in seen] == [0, 0]
    users.add("carol", "correct horse battery")
    outside.post("/login", data=login, follow_redirects=False)
    assert [outside.get(f"/api/conversations/{one[2]}").status_code for one in seen] == [404, 404]


def test_a_user_keeps_the_id_with_a_new_password(guarded: Services) -> None:
    users = Users.of(guarded.settings)
    users.add("carol", "correct horse battery")
    before = users.id("carol")
    users.add("carol", "another horse battery", replace=True)
    assert before is not None
    assert users.id("carol") == before


def test_users_from_before_there_were_ids_stay_who_they_are(outside: TestClient, guarded: Services) -> None:
    users = Users.of(guarded.settings)
    users.add("carol", "correct horse battery")
    assert guarded.settings.users_file is not None
    held = json.loads(guarded.settings.users_file.read_text("utf-8"))
    guarded.settings.users_file.write_text(json.dumps({"carol": held["carol"]["hash"]}), "utf-8")
    login = {"name": "carol", "password": "correct horse battery"}
    outside.post("/login", data=login, follow_redirects=False)
    sessions = Sessions(server_secret(guarded.settings.data_dir), 30)
    assert outside.get("/api/me").json()["user"] == sessions.pseudonym("carol")
    users.add("dora", "correct horse battery")  # writes the file anew
    assert outside.get("/api/me").json()["user"] == sessions.pseudonym("carol")


def test_logging_out_ends_the_session_on_the_server(outside: TestClient, guarded: Services) -> None:
    login = {"name": "carol", "password": "correct horse battery"}
    Users.of(guarded.settings).add("carol", "correct horse battery")
    cookies = []
    for _ in range(2):  # two browsers, perhaps in the same second
        outside.cookies.clear()
        outside.post("/login", data=login, follow_redirects=False)
        cookies.append(dict(outside.cookies))
    outside.post("/logout")
    outside.cookies.clear()
    left, other = ({"cookie": "; ".join(f"{name}={value}" for name, value in one.items())} for one in cookies[::-1])
    assert outside.get("/api/me", headers=left).status_code == 401, "a stolen cookie is no use any more"
    assert outside.get("/api/me", headers=other).status_code == 200, "the other browser was not logged out"
    with client_of(Services(guarded.settings, guarded.assistant, guarded.store)) as restarted:
        assert restarted.get("/api/me", headers=left).status_code == 401


@pytest.mark.usefixtures("one_minute")
def test_whoever_throws_cookies_away_is_counted_by_address(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.services.rates.NEWCOMERS_PER_MINUTE", 2)
    with client_of(make_services(user_per_minute=2)) as client:
        for number in range(4):
            client.cookies.clear()
            given = client.get("/docs", headers=PAGE).headers.get("set-cookie")
            assert (given is not None) is (number < 2)
        client.cookies.clear()
        codes = [ask(client, headers={"sec-fetch-mode": "cors"}).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


def test_two_browsers_never_see_each_other(services: Services) -> None:
    app = create_app(services)
    with TestClient(app, base_url=LOOPBACK) as first:
        second = TestClient(app, base_url=LOOPBACK)
        for browser in (first, second):
            cookie = browser.get("/docs", headers=PAGE).headers["set-cookie"]
            assert "HttpOnly" in cookie
        mine = ask(first, headers={"sec-fetch-mode": "cors"}).json()["conversation"]
        assert [one["id"] for one in first.get("/api/conversations").json()["conversations"]] == [mine]
        assert second.get("/api/conversations").json() == {"conversations": []}
        assert second.get(f"/api/conversations/{mine}").status_code == 404
        assert second.get("/api/me").json()["how"] == "browser"
        program = TestClient(app, base_url=LOOPBACK)
        assert program.get("/api/me").json() == {"user": "local", "name": None, "how": "local"}
        without_cookies = {"sec-fetch-mode": "cors"}
        ids = {program.get("/api/me", headers=without_cookies).json()["user"] for _ in range(2)}
        assert len(ids) == 2


def test_a_browser_keeps_its_id(client: TestClient) -> None:
    client.get("/docs", headers=PAGE)
    user = client.get("/api/me").json()["user"]
    again = client.get("/docs", headers=PAGE)
    assert "set-cookie" not in again.headers
    assert client.get("/api/me").json()["user"] == user


def test_logging_out_where_there_are_no_logins_loses_nothing(client: TestClient) -> None:
    client.get("/docs", headers=PAGE)
    user = client.get("/api/me").json()["user"]
    client.post("/logout", follow_redirects=False)
    assert client.get("/api/me").json()["user"] == user
    assert client.get("/login", follow_redirects=False).headers["location"] == "/"


def test_users_made_while_it_runs_close_the_door(services: Services, client: TestClient) -> None:
    assert client.get("/api/papers").status_code == 200
    Users.of(services.settings).add("cleo", "correct horse battery")
    assert client.get("/api/papers").status_code == 401


def test_a_users_file_damaged_while_it_runs(services: Services, client: TestClient) -> None:
    assert services.settings.users_file is not None
    services.settings.users_file.write_text("{")
    reply = client.get("/api/papers")
    assert reply.status_code == 503
    assert "users" not in reply.text


def test_headers_on_every_reply(client: TestClient) -> None:
    for address in ("/healthz", "/docs", "/api/papers", "/nope", "/login"):
        headers = client.get(address, follow_redirects=False).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "http:" not in headers["content-security-policy"]


# users


def test_users(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json")
    assert users.names() == []
    users.add("ada", "correct horse battery")
    assert (tmp_path / "users.json").stat().st_mode & 0o777 == 0o600
    assert "$argon2id$" in (tmp_path / "users.json").read_text()
    assert users.verify("ada", "correct horse battery")
    assert not users.verify("ada", "correct horse")
    assert not users.verify("bob", "correct horse battery")
    assert not users.verify("ada", "x" * 100_000)
    with pytest.raises(UserError, match="already"):
        users.add("ada", "correct horse battery")
    with pytest.raises(UserError, match="no user"):
        users.add("bob", "correct horse battery", replace=True)
    for name, password in (("", "correct horse battery"), ("../x", "correct horse battery"), ("eve", "short")):
        with pytest.raises(UserError):
            users.add(name, password)
    Users(tmp_path / "users.json").remove("ada")
    assert users.names() == []
    with pytest.raises(UserError):
        users.remove("ada")


def test_operators_are_marked_and_stay_so_with_another_password(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json")
    users.add("ada", "correct horse battery", operator=True)
    users.add("bob", "correct horse battery")
    assert (users.operator("ada"), users.operator("bob"), users.operator("eve")) == (True, False, False)
    users.add("ada", "another horse battery", replace=True)
    assert users.operator("ada")
    session = users.fingerprint("ada")
    users.mark("ada", operator=False)
    users.mark("bob", operator=True)
    assert (users.operator("ada"), users.operator("bob")) == (False, True)
    assert users.verify("bob", "correct horse battery")
    assert users.fingerprint("ada") == session, "nobody is logged out by it"
    with pytest.raises(UserError, match="no user"):
        users.mark("eve", operator=True)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ada": 7}'])
def test_a_damaged_users_file_opens_no_door(tmp_path: Path, text: str) -> None:
    (tmp_path / "users.json").write_text(text)
    with pytest.raises(SettingsError, match=r"users\.json"):
        exposure_of(settings_for(tmp_path))


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READBACK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("READBACK_API_KEYS", f"bob:{BOB}")
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    added = run(user_commands, ["add", "ada"], input="correct horse battery\ncorrect horse battery\n")
    assert added.exit_code == 0, added.output
    assert "correct horse" not in added.output
    listed = run(user_commands, ["list"]).output.splitlines()
    assert [line.split("\t")[::2] for line in listed] == [["ada", "user"], ["bob", "API key"]]
    assert run(user_commands, ["password", "ada", "--password", "another horse battery"]).exit_code == 0
    assert run(user_commands, ["remove", "ada"]).exit_code == 0
    assert isinstance(run(user_commands, ["remove", "ada"]).exception, UserError)


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    secret = server_secret(tmp_path / "new")
    assert server_secret(tmp_path / "new") == secret
    assert (tmp_path / "new" / "server.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "server.key").write_text("half")
    with pytest.raises(SettingsError, match="damaged"):
        server_secret(tmp_path)


def test_a_guarded_client_of_loopback(make_services: MakeServices) -> None:
    with client_of(make_services(api_keys=KEYS)) as client:
        assert client.get("/api/papers").status_code == 401
        assert client.get("/api/papers", headers=bearer(ADA)).status_code == 200
        foreign = {**bearer(ADA), "origin": "https://tool.example"}
        assert client.get("/api/papers", headers=foreign).status_code == 200  # a key is no cookie: nobody lends it out
