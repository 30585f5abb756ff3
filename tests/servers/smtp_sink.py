#!/usr/bin/env python3
"""SMTP sink for tests: STARTTLS + AUTH, stores mail, HTTP control API, fault injection.

  smtp_sink.py --smtp-port N --smtps-port N --http-port N --dir D --cert C --key K
               [--user U --password P]

HTTP API (127.0.0.1 only):
  GET    /healthz                 -> ok
  GET    /messages                -> JSON list (id, mail_from, rcpt_tos, subject, tls, auth, size)
  GET    /messages/<id>.eml       -> raw message as received
  DELETE /messages                -> empty the store, the journal and the fault list
  GET    /journal                 -> every envelope seen with the code that was answered
  POST   /faults                  -> JSON {"stage": S, "match": REGEX, "code": 451, "text": "...",
                                           "times": 1, "action": "reply"|"drop"|"hang", "delay": 0.0}
  DELETE /faults                  -> remove all faults
  DELETE /faults/<match>          -> remove the faults with exactly this match, percent-encoded
S is one of: connect ehlo auth mail rcpt data (body received, NOT stored) after_store (stored, answer lost).
match is searched in the address for mail/rcpt, in "from to to..." for data/after_store, in the peer for the rest.
times: how often the fault fires, -1 = for ever.  drop = TCP RST, hang = never answer.
"""
import argparse, asyncio, json, os, re, socket, ssl, struct, threading, time, urllib.parse
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

ap = argparse.ArgumentParser()
for a, d in (("smtp-port", 0), ("smtps-port", 0), ("http-port", 0)):
    ap.add_argument("--" + a, type=int, default=d)
ap.add_argument("--dir", required=True); ap.add_argument("--cert"); ap.add_argument("--key")
ap.add_argument("--user", default="linkstar"); ap.add_argument("--password", default="s3cret-pw")
ap.add_argument("--host", default="127.0.0.1")
ap.add_argument("--max-size", type=int, default=33554432)
A = ap.parse_args()
os.makedirs(A.dir, exist_ok=True)

lock = threading.RLock(); messages = []; faults = []; journal = []; seq = 0


def take(stage, text):
    with lock:
        for f in faults:
            if f["stage"] == stage and f["times"] != 0 and re.search(f["match"], text):
                if f["times"] > 0:
                    f["times"] -= 1
                return dict(f)


def note(stage, env, answer):
    with lock:
        journal.append({"t": time.time(), "stage": stage, "mail_from": getattr(env, "mail_from", None),
                        "rcpt_tos": list(getattr(env, "rcpt_tos", []) or []), "answer": answer})


async def act(smtp, f):
    if f.get("delay"):
        await asyncio.sleep(f["delay"])
    if f["action"] == "drop":
        s = smtp.transport.get_extra_info("socket")
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        smtp.transport.abort()
        return "421 4.3.2 dropped"
    if f["action"] == "hang":
        await asyncio.sleep(3600)
    return "%d %s" % (f["code"], f["text"]) if f["code"] else None


class Handler:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        f = take("ehlo", str(session.peer))
        if f:
            r = await act(server, f)
            if r:
                return [r]
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        f = take("mail", address)
        if f:
            r = await act(server, f)
            if r:
                note("mail", envelope, r); return r
        envelope.mail_from = address; envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        f = take("rcpt", address)
        if f:
            r = await act(server, f)
            if r:
                note("rcpt", envelope, r); return r
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        global seq
        line = " ".join([envelope.mail_from or ""] + envelope.rcpt_tos)
        f = take("data", line)
        if f:
            r = await act(server, f)
            if r:
                note("data", envelope, r); return r
        raw = envelope.original_content
        m = message_from_bytes(raw, policy=policy.default)
        with lock:
            seq += 1; n = seq
            with open(os.path.join(A.dir, "%d.eml" % n), "wb") as fh:
                fh.write(raw)
            messages.append({"id": n, "mail_from": envelope.mail_from, "rcpt_tos": list(envelope.rcpt_tos),
                             "subject": str(m["subject"]), "message_id": m["message-id"], "size": len(raw),
                             "tls": session.ssl is not None or isinstance(server.transport.get_extra_info("ssl_object"), ssl.SSLObject),
                             "auth": (session.auth_data.login.decode() if session.auth_data else None), "t": time.time()})
        f = take("after_store", line)
        if f:
            r = await act(server, f)
            if r:
                note("after_store", envelope, r); return r
        r = "250 2.0.0 OK queued as %d" % n; note("data", envelope, r)
        return r


def authenticator(server, session, envelope, mechanism, auth_data):
    f = take("auth", str(session.peer))
    ok = (not f and isinstance(auth_data, LoginPassword) and auth_data.login.decode() == A.user
          and auth_data.password.decode() == A.password)
    note("auth", None, "ok" if ok else "refused")
    return AuthResult(success=ok, handled=False, auth_data=auth_data)


class Server(SMTP):
    def connection_made(self, transport):
        f = take("connect", str(transport.get_extra_info("peername")))
        if f and f["action"] == "drop":
            s = transport.get_extra_info("socket")
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); transport.abort(); return
        if f and f["action"] == "hang":
            self.transport = transport; return
        if f and f["code"]:
            transport.write(b"%d %s\r\n" % (f["code"], f["text"].encode())); transport.close(); return
        super().connection_made(transport)

    def data_received(self, data):
        if getattr(self, "_reader", None) is not None or getattr(self, "_stream_reader", None) is not None:
            super().data_received(data)

    def connection_lost(self, exc):
        try:
            super().connection_lost(exc)
        except Exception:
            pass


def ctx():
    if not A.cert:
        return None
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain(A.cert, A.key); return c


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def out(self, code, body, ct="application/json"):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(code); self.send_header("Content-Type", ct)
        self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)

    def do_GET(self):
        with lock:
            if self.path == "/healthz": return self.out(200, b"ok", "text/plain")
            if self.path == "/messages": return self.out(200, messages)
            if self.path == "/journal": return self.out(200, journal)
            if self.path == "/faults": return self.out(200, faults)
            m = re.fullmatch(r"/messages/(\d+)\.eml", self.path)
            p = m and os.path.join(A.dir, m.group(1) + ".eml")
            if p and os.path.exists(p):
                return self.out(200, open(p, "rb").read(), "message/rfc822")
        self.out(404, {"error": "not found"})

    def do_DELETE(self):
        with lock:
            if self.path == "/messages":
                for m in messages:
                    os.unlink(os.path.join(A.dir, "%d.eml" % m["id"]))
                messages.clear(); journal.clear(); faults.clear()
            elif self.path == "/faults": faults.clear()
            elif self.path.startswith("/faults/"):
                match = urllib.parse.unquote(self.path[len("/faults/"):])
                faults[:] = [f for f in faults if f["match"] != match]
            else: return self.out(404, {"error": "not found"})
        self.out(200, {"ok": True})

    def do_POST(self):
        b = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path != "/faults": return self.out(404, {"error": "not found"})
        f = {"stage": b["stage"], "match": b.get("match", ""), "code": b.get("code", 0), "text": b.get("text", "fault"),
             "times": b.get("times", 1), "action": b.get("action", "reply"), "delay": b.get("delay", 0.0)}
        re.compile(f["match"])
        with lock: faults.append(f)
        self.out(200, f)

    def log_message(self, *a): pass


async def main():
    loop = asyncio.get_running_loop(); h = Handler()
    kw = dict(data_size_limit=A.max_size, authenticator=authenticator, hostname="sink.test", enable_SMTPUTF8=True)
    await loop.create_server(lambda: Server(h, tls_context=ctx(), auth_required=bool(A.user), auth_require_tls=bool(A.cert), **kw),
                             A.host, A.smtp_port)
    if A.smtps_port:
        await loop.create_server(lambda: Server(h, auth_required=bool(A.user), auth_require_tls=False, **kw),
                                 A.host, A.smtps_port, ssl=ctx())
    srv = ThreadingHTTPServer((A.host, A.http_port), Api); srv.daemon_threads = True
    threading.Thread(target=srv.serve_forever, daemon=True).start()
    await asyncio.Event().wait()

asyncio.run(main())
