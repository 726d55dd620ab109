"""
Twisted as a peer: serves each of the protocols on a port of its own and prints the ports; then does what the lines on
its standard input say, until that ends.

    connect PROTOCOL PORT HOST    be a client of a port
    read                          let those protocols read that wait to be told
"""
from twisted.internet import reactor, stdio
from twisted.internet.protocol import ClientFactory, ServerFactory
from twisted.protocols.basic import LineReceiver

from protocols import PROTOCOLS, ReadsWhenTold


def make_factory(kind, role, name):
    factory = kind.forProtocol(PROTOCOLS[name])
    factory.noisy = False
    factory.role = role
    factory.name = name
    return factory


class Commands(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        command, *arguments = line.decode().split()
        if command == "connect":
            name, port, _ = arguments
            reactor.connectTCP("127.0.0.1", int(port), make_factory(ClientFactory, "client", name))
        elif command == "read":
            ReadsWhenTold.read()

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()


for name in PROTOCOLS:
    port = reactor.listenTCP(0, make_factory(ServerFactory, "server", name), interface="127.0.0.1")
    print("serving", name, port.getHost().port, flush=True)
print("ready", flush=True)
stdio.StandardIO(Commands())
reactor.run()
