# SPDX-License-Identifier: MIT
"""An HTTPS server that behaves as a test wants, and the password that must not be shown."""

import http.server
import socketserver
import ssl
import threading
import time

SECRET = "hunter2-very-secret"


class FakeServer:
    """An HTTPS server that answers as `behave(method, path, body)` says: (status, body), or None
    for silence. It remembers what was asked and with which authorization. With `clients` it wants a
    certificate of that authority."""

    def __init__(self, behave, certificate, clients=None):
        self.asked, self.authorizations = [], []
        self.behave = behave
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                outer.asked.append((self.command, self.path, body))
                outer.authorizations.append(self.headers.get("Authorization"))
                answer = outer.behave(self.command, self.path, body)
                if answer is None:
                    time.sleep(60)
                    return
                status, text = answer
                self.send_response(status)
                self.send_header("Location", "https://example.com/")
                self.end_headers()
                self.wfile.write(text.encode())
            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # A client that does not trust us hangs up.

        self._server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert, certificate.key)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                  do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
