"""
The protocols on Twisted's side. Each does the same whether it has connected or has been connected to, and says on
standard output what happens to it, one event a line: role, protocol, event, details.
"""
import hashlib

from zope.interface import implementer

from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.protocols.wire import QOTD, Echo

MEGABYTE = 1_000_000
BULK = hashlib.shake_256(b"bulk").digest(20 * MEGABYTE)
PIECE_BYTES = 50_000


class Reporting:
    def report(self, event, *details):
        print(self.factory.role, self.factory.name, event, *details, flush=True)

    def connectionLost(self, reason=connectionDone):
        self.report("lost", reason.type.__name__)


class ReportingEcho(Reporting, Echo):
    """Reads no faster than it can send back."""

    def connectionMade(self):
        self.transport.registerProducer(self.transport, True)


class Asker(Reporting, Protocol):
    """Says something in two writes, and leaves once it has come back."""

    QUESTION = "绳子 and rope".encode()

    def connectionMade(self):
        self.heard = b""
        self.transport.write(self.QUESTION[:4])
        self.transport.write(self.QUESTION[4:])

    def dataReceived(self, data):
        self.heard += data
        if len(self.heard) == len(self.QUESTION):
            self.report("heard", self.heard == self.QUESTION)
            self.transport.loseConnection()


class Quoting(Reporting, QOTD):
    def getQuote(self):
        return "一日之计在于晨\r\n".encode()


class Lines(Reporting, LineReceiver):
    """Returns lines in capitals, until it is told to stop."""

    def lineReceived(self, line):
        if line == b"quit":
            self.sendLine(b"BYE")
            self.transport.loseConnection()
        else:
            self.sendLine(line.decode().upper().encode())


class Reader(Reporting, Protocol):
    """Reads to the end, and says how much it was."""

    def connectionMade(self):
        self.hash = hashlib.sha256()
        self.report("made")

    def dataReceived(self, data):
        self.hash.update(data)

    def connectionLost(self, reason=connectionDone):
        self.report("read", self.hash.hexdigest())
        super().connectionLost(reason)


class TalksAndReads(Reader):
    """Says more than it will be listened to, and reads to the end all the same."""

    def connectionMade(self):
        super().connectionMade()
        self.transport.write(BULK[: MEGABYTE // 2])


@implementer(IHalfCloseableProtocol)
class AnswersAfterEnd(Reporting, Protocol):
    """Answers once the other has finished, with the checksum of what it said."""

    def connectionMade(self):
        self.hash = hashlib.sha256()

    def dataReceived(self, data):
        self.hash.update(data)

    def readConnectionLost(self):
        self.report("readLost")
        self.transport.write(self.hash.hexdigest().encode())
        self.transport.loseConnection()

    def writeConnectionLost(self):
        self.report("writeLost")


class ReadsWhenTold(AnswersAfterEnd):
    """Reads nothing until it is told to on standard input."""

    waiting = []

    def connectionMade(self):
        super().connectionMade()
        self.transport.pauseProducing()
        self.waiting.append(self.transport)

    @classmethod
    def read(cls):
        while cls.waiting:
            cls.waiting.pop().resumeProducing()


@implementer(IHalfCloseableProtocol)
class EndsFirst(Reporting, Protocol):
    """Says its last word first, and listens on."""

    def connectionMade(self):
        self.heard = b""
        self.transport.write(b"my last word")
        self.transport.loseWriteConnection()

    def dataReceived(self, data):
        self.heard += data

    def writeConnectionLost(self):
        self.report("writeLost")

    def readConnectionLost(self):
        self.report("heard", self.heard.decode())
        self.transport.loseConnection()


class Aborts(Reporting, Protocol):
    """Breaks off at the first byte it hears."""

    def dataReceived(self, data):
        self.transport.abortConnection()


class WritesAndLeaves(Reporting, Protocol):
    """Writes far more than the system takes at once, and leaves in the same breath."""

    def connectionMade(self):
        data = BULK[: 3 * MEGABYTE]
        self.transport.write(data)
        self.transport.loseConnection()
        self.report("wrote", hashlib.sha256(data).hexdigest())


@implementer(IPushProducer)
class Produces(Reporting, Protocol):
    """Sends as fast as it may, and tells when it is made to wait for the first time."""

    def connectionMade(self):
        self.sent = 0
        self.pauses = 0
        self.transport.registerProducer(self, True)
        self.resumeProducing()

    def pauseProducing(self):
        self.producing = False
        self.pauses += 1
        if self.pauses == 1:
            self.report("paused", self.sent)

    def resumeProducing(self):
        self.producing = True
        while self.producing and self.sent < len(BULK):
            piece = BULK[self.sent : self.sent + PIECE_BYTES]
            self.sent += len(piece)
            self.transport.write(piece)
        if self.sent == len(BULK):
            self.transport.unregisterProducer()
            self.report("wrote", hashlib.sha256(BULK).hexdigest())
            self.producedAll()

    def stopProducing(self):
        self.producing = False

    def producedAll(self):
        self.transport.loseConnection()


class HearsItsEcho(Produces):
    """Sends while it reads what comes back, and leaves once all of it has."""

    def connectionMade(self):
        self.hash = hashlib.sha256()
        self.heard = 0
        super().connectionMade()

    def dataReceived(self, data):
        self.hash.update(data)
        self.heard += len(data)
        if self.heard == len(BULK):
            self.report("heard", self.hash.hexdigest())
            self.transport.loseConnection()

    def producedAll(self):
        pass


PROTOCOLS = {
    "echo": ReportingEcho,
    "asker": Asker,
    "quote": Quoting,
    "lines": Lines,
    "reader": Reader,
    "talks-and-reads": TalksAndReads,
    "answers-after-end": AnswersAfterEnd,
    "reads-when-told": ReadsWhenTold,
    "ends-first": EndsFirst,
    "aborts": Aborts,
    "writes-and-leaves": WritesAndLeaves,
    "produces": Produces,
    "hears-its-echo": HearsItsEcho,
}
