"""The least that a webhook can do: check the same signature, one insert, one commit. What granian serves as the peer.

One connection a thread, so that nobody waits for a pool; nothing is looked up, encrypted or logged.
"""

from __future__ import annotations

import os
import threading

import psycopg
from flask import Flask, Response, abort, request

from engage.sms.signatures import is_signed, public_url

TABLE = """
CREATE TABLE IF NOT EXISTS bench_inbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sid TEXT NOT NULL UNIQUE, sent_from TEXT NOT NULL, sent_to TEXT NOT NULL,
    body TEXT NOT NULL, received_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
)
"""
_INSERT = "INSERT INTO bench_inbox (sid, sent_from, sent_to, body) VALUES (%s, %s, %s, %s) ON CONFLICT (sid) DO NOTHING"
_EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
_mine = threading.local()

app = Flask("bare")


@app.post("/twilio/messages")
def messages() -> Response:
    """Store one text."""
    url = public_url(os.environ["BENCH_BARE_URL"], request.path, request.query_string)
    form = request.form
    if not is_signed([os.environ["ENGAGE_TWILIO_AUTH_TOKEN"]], url, form, request.headers.get("X-Twilio-Signature")):
        abort(403)
    if not hasattr(_mine, "connection"):
        _mine.connection = psycopg.connect(os.environ["BENCH_DSN"], autocommit=True)
    _mine.connection.execute(_INSERT, (form["MessageSid"], form["From"], form["To"], form["Body"]))
    return Response(_EMPTY, mimetype="text/xml")


@app.get("/healthz")
def healthz() -> Response:
    """This process is there."""
    return Response("ok\n", mimetype="text/plain")
