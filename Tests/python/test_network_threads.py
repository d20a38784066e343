"""Sockets, TLS connections, hashes and maps that several threads use at the same time."""
import hashlib
import mmap
import os
import socket
import ssl
import threading
import unittest

CERTIFICATE = os.path.join(os.path.dirname(os.__file__), 'test', 'keycert.pem')


def run_all(*functions):
    """Runs the functions in threads; raises what one of them raised."""
    failures = []

    def guarded(function):
        try:
            function()
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=guarded, args=(f,)) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
        assert not t.is_alive(), 'a thread hangs'
    if failures:
        raise failures[0]


class SocketTests(unittest.TestCase):
    def test_close_once(self):
        for _ in range(50):
            a, b = socket.socketpair()
            run_all(a.close, a.close, a.close, b.close)
            self.assertEqual(a.fileno(), -1)

    def test_sendall_and_receive(self):
        a, b = socket.socketpair()
        with a, b:
            received = []

            def receive():
                while data := b.recv(1 << 16):
                    received.append(data)

            def send():
                a.sendall(bytes(1 << 22))
                a.shutdown(socket.SHUT_WR)

            run_all(send, receive)
            self.assertEqual(sum(map(len, received)), 1 << 22)

    def test_timeout_holds_if_the_descriptor_blocks(self):
        a, b = socket.socketpair()
        with a, b:
            a.settimeout(0.05)
            os.set_blocking(a.fileno(), True)
            self.assertRaises(TimeoutError, a.recv, 1)


@unittest.skipUnless(os.path.exists(CERTIFICATE), 'needs the certificate of the test suite')
class TLSTests(unittest.TestCase):
    def connect(self):
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_context.load_cert_chain(CERTIFICATE)
        client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client_context.check_hostname = False
        client_context.verify_mode = ssl.CERT_NONE
        a, b = socket.socketpair()
        ends = {}

        def serve():
            ends['server'] = server_context.wrap_socket(a, server_side=True)

        def ask():
            ends['client'] = client_context.wrap_socket(b)

        run_all(serve, ask)
        return ends['server'], ends['client']

    def test_reading_does_not_keep_writers_out(self):
        # The sockets block: a reader waits while the other thread of its side must be able to write.
        server, client = self.connect()
        with server, client:
            total = 1 << 20

            def reader(end):
                def read():
                    left = total
                    while left:
                        left -= len(end.recv(min(left, 1 << 14)))
                return read

            run_all(reader(server), reader(client),
                    lambda: server.sendall(bytes(total)), lambda: client.sendall(bytes(total)))

    def test_send_sends_all(self):
        server, client = self.connect()
        with server, client:
            sent = []

            def read():
                left = 1 << 20
                while left:
                    left -= len(server.recv(left))

            run_all(lambda: sent.append(client.send(bytes(1 << 20))), read)
            self.assertEqual(sent, [1 << 20])

    def test_writers_keep_records_whole(self):
        server, client = self.connect()
        with server, client:
            size, per_thread = 1000, 200

            def write(letter):
                for _ in range(per_thread):
                    client.sendall(letter * size)

            def read():
                data = bytearray()
                while len(data) < 3 * per_thread * size:
                    data += server.recv(1 << 14)
                for letter in b'abc':
                    self.assertEqual(data.count(letter), per_thread * size)

            run_all(read, lambda: write(b'a'), lambda: write(b'b'), lambda: write(b'c'))

    def test_callback_uses_its_own_connection(self):
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_context.load_cert_chain(CERTIFICATE)
        seen = []

        def choose(connection, name, context):
            connection.context = context
            seen.append((name, connection.version(), connection.server_side))

        server_context.sni_callback = choose
        client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client_context.check_hostname = False
        client_context.verify_mode = ssl.CERT_NONE
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = server_context.wrap_bio(to_server, to_client, server_side=True)
        client = client_context.wrap_bio(to_client, to_server, server_hostname='example.org')
        for _ in range(4):
            for end in client, server:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    pass
        self.assertEqual([name for name, *_ in seen], ['example.org'])
        self.assertEqual(client.version(), 'TLSv1.3')


class HashTests(unittest.TestCase):
    def test_shared_object(self):
        for name in 'sha256', 'sha3_256', 'blake2b', 'md5':
            shared = hashlib.new(name)
            big, small = b'x' * 100_000, b'x' * 10

            def feed(data, times):
                def run():
                    for _ in range(times):
                        shared.update(data)
                        shared.copy().hexdigest()
                return run

            run_all(feed(big, 10), feed(small, 100), feed(big, 10))
            self.assertEqual(shared.hexdigest(), hashlib.new(name, b'x' * (2 * 10 * 100_000 + 100 * 10)).hexdigest())


class MapTests(unittest.TestCase):
    def test_resize_and_close_under_readers(self):
        for _ in range(20):
            m = mmap.mmap(-1, 1 << 16, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

            def read():
                for i in range(2000):
                    try:
                        m[i:i + 100], m.find(b'x'), m[i], len(m)
                        m[i:i + 4] = b'abcd'
                    except (ValueError, IndexError):
                        pass

            def resize():
                for i in range(200):
                    m.resize(4096 + 4096 * (i % 30))
                m.close()

            run_all(read, read, resize)


if __name__ == '__main__':
    unittest.main()
