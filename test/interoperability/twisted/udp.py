"""
Twisted with datagrams: `echo` sends back what it receives; `ask PORT` asks a port, connected, and tells what it answers;
`group PORT` joins a group on the loopback, says so, and answers each datagram there with one to the group.
"""
import sys

from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol

LOOPBACK = "127.0.0.1"
GROUP = "239.255.71.9"


def tell(*words):
    print(*words, flush=True)


class Echo(DatagramProtocol):
    def datagramReceived(self, data, addr):
        self.transport.write(data, addr)


class Asker(DatagramProtocol):
    def __init__(self, port):
        self.port = port

    def startProtocol(self):
        self.transport.connect(LOOPBACK, self.port)
        self.transport.write("绳子 and rope".encode())

    def datagramReceived(self, data, addr):
        tell("heard", data.decode().encode("ascii", "backslashreplace").decode(), "from", addr[1])

    def connectionRefused(self):
        tell("refused")


class Member(DatagramProtocol):
    def __init__(self, port):
        self.port = port

    def startProtocol(self):
        ready = self.transport.setOutgoingInterface(LOOPBACK)
        ready.addCallback(lambda _: self.transport.joinGroup(GROUP, LOOPBACK))
        ready.addCallbacks(lambda _: tell("joined"), lambda failure: tell("failed", failure))

    def datagramReceived(self, data, addr):
        tell("heard", data.decode())
        if data.startswith(b"ask"):
            self.transport.write(b"answer to " + data, (GROUP, self.port))


command, *arguments = sys.argv[1:]
if command == "echo":
    port = reactor.listenUDP(0, Echo(), interface=LOOPBACK)
    tell("serving", port.getHost().port)
elif command == "ask":
    reactor.listenUDP(0, Asker(int(arguments[0])), interface=LOOPBACK)
elif command == "group":
    number = int(arguments[0])
    reactor.listenMulticast(number, Member(number), listenMultiple=True)
reactor.run()
