"""Single requests: paths, other people's data, identities, origins, hosts, malformed HTTP and JSON."""

from __future__ import annotations

from tests.attack.attacks import Attack, each
from tests.attack.conftest import BOB, Tally, Target

LEAKS = ("Traceback (most recent call last)", 'File "/')


@each("requests")
def test_a_request_gets_nothing(attack: Attack, local: Target, guarded: Target, tally: Tally) -> None:
    target = local if attack.get("as") == "local" else guarded
    reply = target.exchange(written(attack, target)).decode("utf-8", "replace")
    status = int(reply.split(" ", 2)[1]) if reply.startswith("HTTP/") else 400  # closed without a word
    leaked = [one for one in (*target.secrets, *LEAKS) if one in reply]
    split = "set-cookie: x=1" in reply.lower() or "\nlocation: http://evil" in reply.lower()
    held = tally(attack, status in attack["expect"] and not leaked and not split and target.alive())
    assert held, (status, leaked, reply[:400])


def written(attack: Attack, target: Target) -> bytes:
    """The request as bytes, exactly as the attack says."""
    body = target.filled(attack.get("body") or "").encode("utf-8", "surrogatepass")
    headers = {"host": f"127.0.0.1:{target.port}", "connection": "close", **attack.get("headers", {})}
    if attack.get("as") == "bob":
        headers["authorization"] = f"Bearer {BOB}"
    if body and not {"content-length", "transfer-encoding"} & headers.keys():
        headers["content-length"] = str(len(body))
    lines = [f"{attack.get('method', 'GET')} {target.filled(attack['path'])} HTTP/1.1"]
    lines += [f"{name}: {target.filled(value)}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + body
