"""
Twisted as a peer that speaks TLS: as peer.py, with certificates given as files.

    tls_peer.py AUTHORITY SERVER CLIENT

SERVER and CLIENT hold a key and a certificate each. The protocols whose names begin with `starttls` are served without
TLS, which they begin by themselves.

    connect PROTOCOL PORT HOST    be a client of a port, and want the certificate to be for HOST
"""
import sys

from zope.interface import implementer

from twisted.internet import reactor, ssl, stdio
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import ClientFactory, Protocol, ServerFactory
from twisted.protocols.basic import LineReceiver

from protocols import PROTOCOLS, Reporting


def read(path):
    with open(path, "rb") as file:
        return file.read()


AUTHORITY = ssl.Certificate.loadPEM(read(sys.argv[1]))
SERVER = ssl.PrivateCertificate.loadPEM(read(sys.argv[2]))
CLIENT = ssl.PrivateCertificate.loadPEM(read(sys.argv[3]))
ALPN = [b"rope", b"twine"]


def server_options(name):
    trusted = AUTHORITY if name == "known" else None
    return ssl.CertificateOptions(
        privateKey=SERVER.privateKey.original,
        certificate=SERVER.original,
        acceptableProtocols=ALPN,
        trustRoot=trusted,
    )


def client_options(host="localhost"):
    return ssl.optionsForClientTLS(host, trustRoot=AUTHORITY, clientCertificate=CLIENT, acceptableProtocols=ALPN)


@implementer(IHandshakeListener)
class Known(Reporting, Protocol):
    """Says what it knows about the other once they have shaken hands, and listens."""

    def handshakeCompleted(self):
        protocol = self.transport.negotiatedProtocol
        self.report("agreed", protocol.decode() if protocol else "nothing")
        peer = ssl.Certificate.peerFromTransport(self.transport)
        self.report("peer", peer.getSubject().commonName.decode())
        self.transport.write(b"known")


@implementer(IHandshakeListener)
class StartsTLS(Reporting, Protocol):
    """Agrees on TLS and echoes what it is sent then. A client that is told to ask for it does, and says a word by TLS."""

    isTLSServer = {"server": True, "client": False}
    agreed = False
    unread = b""

    def connectionMade(self):
        if self.factory.role == "client":
            self.transport.write(b"STARTTLS\r\n")

    def dataReceived(self, data):
        if self.agreed:
            self.heard(data)
            return
        self.unread += data
        _, end, rest = self.unread.partition(b"\r\n")
        if not end:
            return
        self.agreed = True
        self.unread = b""
        if self.factory.role == "server":
            self.transport.write(b"GO\r\n")
        # The side that has connected is the client if this is normal.
        self.transport.startTLS(self.options(), self.isTLSServer[self.factory.role] == (self.factory.role == "server"))
        if rest:
            # The other side has begun already; Twisted has no other way to hand this on.
            self.transport.protocol.dataReceived(rest)
        if self.factory.role == "client":
            self.transport.write(b"a word by TLS")

    def options(self):
        return server_options(self.factory.name) if self.isTLSServer[self.factory.role] else client_options()

    def heard(self, data):
        if self.factory.role == "server":
            self.transport.write(data)
            return
        self.unread += data
        if self.unread.endswith(b"a word by TLS"):
            self.report("heard", True)
            self.transport.loseConnection()

    def handshakeCompleted(self):
        self.report("secured")


class StartsReversedTLS(StartsTLS):
    """The side that has connected is the server of the handshake."""

    isTLSServer = {"server": False, "client": True}


class EndsBelow(Reporting, Protocol):
    """Says its last word and closes its half of the TCP connection, without a word of TLS."""

    def dataReceived(self, data):
        self.transport.write(b"my last word")
        reactor.callLater(0, self.transport.loseWriteConnection)


PROTOCOLS = {**PROTOCOLS, "ends-below": EndsBelow, "known": Known, "starttls": StartsTLS, "starttls-reversed": StartsReversedTLS}


def make_factory(kind, role, name):
    factory = kind.forProtocol(PROTOCOLS[name])
    factory.noisy = False
    factory.role = role
    factory.name = name
    return factory


class ReportingClientFactory(ClientFactory):
    def clientConnectionFailed(self, connector, reason):
        print("client", self.name, "failed", reason.type.__name__, flush=True)


class Commands(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        _, name, port, host = line.decode().split()
        factory = make_factory(ReportingClientFactory, "client", name)
        if name.startswith("starttls"):
            reactor.connectTCP("127.0.0.1", int(port), factory)
        else:
            reactor.connectSSL("127.0.0.1", int(port), factory, client_options(host))

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()


for name in PROTOCOLS:
    factory = make_factory(ServerFactory, "server", name)
    if name.startswith("starttls"):
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    else:
        port = reactor.listenSSL(0, factory, server_options(name), interface="127.0.0.1")
    print("serving", name, port.getHost().port, flush=True)
print("ready", flush=True)
stdio.StandardIO(Commands())

reactor.run()
