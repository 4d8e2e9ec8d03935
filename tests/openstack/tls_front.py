"""TLS in front of a service of the rig, with a certificate of a private authority.

tls_front.py CERTIFICATE KEY ADDRESS:PORT TARGET AWAY [FROM TO]...

Requests go to TARGET, an address and a port; in what comes back every FROM is TO, so that clients stay behind TLS.
While the file AWAY exists, connections are closed without an answer.
"""
import http.client
import http.server
import os
import ssl
import sys

certificate, key, listen, target, away, *pairs = sys.argv[1:]
rewrites = [(a.encode(), b.encode()) for a, b in zip(pairs[::2], pairs[1::2])]
OWN = {'connection', 'content-length', 'transfer-encoding', 'keep-alive'}


def rewritten(data):
    for a, b in rewrites:
        data = data.replace(a, b)
    return data


class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 60

    def forward(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        if os.path.exists(away):
            self.close_connection = True
            return
        onward = http.client.HTTPConnection(target, timeout=150)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in OWN | {'host', 'accept-encoding'}}
        onward.request(self.command, self.path, body, headers)
        answer = onward.getresponse()
        data = rewritten(answer.read())
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in OWN:
                self.send_header(name, rewritten(value.encode('latin-1')).decode('latin-1'))
        if answer.status != 204:
            self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 100

    def finish_request(self, request, client_address):
        # here, in the connection's own thread: one that says nothing must not keep the others waiting
        request.settimeout(60)
        super().finish_request(context.wrap_socket(request, server_side=True), client_address)

    def handle_error(self, request, client_address):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
address, port = listen.rsplit(':', 1)
Server((address, int(port)), Front).serve_forever()
