// A user's program: every entry, a server and a client on real sockets, and the same protocol on a fake clock.
import assert from 'node:assert/strict';
import { use } from 'chai';
import {
  type Address,
  ClientFactory,
  ConnectionDone,
  type Connector,
  createReactor,
  Factory,
  type Failure,
  type IPv4Address,
  Protocol,
} from 'ropewalk';
import { Deferred } from 'ropewalk/core';
import * as simulation from 'ropewalk/simulation';
import { TestReactor } from 'ropewalk/testing';
import * as matchers from 'ropewalk/testing/chai';

class Greeter extends Protocol {
  override connectionMade(): void {
    this.transport.write('hello, 世界\r\n');
    this.transport.loseConnection();
  }
}

class GreeterFactory extends Factory {
  override buildProtocol(address: Address): Protocol {
    return new Greeter();
  }
}

class Listener extends Protocol {
  heard = '';

  override dataReceived(data: Uint8Array): void {
    this.heard += new TextDecoder().decode(data);
  }
}

class ListenerFactory extends ClientFactory {
  readonly listener = new Listener();
  readonly lost = new Deferred<string>();

  override buildProtocol(address: Address): Protocol {
    return this.listener;
  }

  override clientConnectionLost(connector: Connector, reason: Failure): void {
    this.lost.callback(reason.check(ConnectionDone)?.name ?? 'another class');
  }

  override clientConnectionFailed(connector: Connector, reason: Failure): void {
    this.lost.errback(reason);
  }
}

const reactor = createReactor();
const port = await reactor.listenTCP(0, new GreeterFactory(), { interface: '127.0.0.1' }).whenListening();
const client = new ListenerFactory();
// An IPv4 interface was asked for, so that is what it has.
reactor.connectTCP('127.0.0.1', (port.getHost() as IPv4Address).port, client);
const ended = reactor.run();
const reasonName = await client.lost;
reactor.stop();
await ended;
assert.equal(client.listener.heard, 'hello, 世界\r\n');
assert.equal(reasonName, 'ConnectionDone');

const fake = new TestReactor();
const fakePort = fake.listenTCP(21210, new GreeterFactory());
const peer = fake.dial(21210);
fake.advance(0);
assert.equal(peer.text(), 'hello, 世界\r\n');
assert.ok(peer.reason?.check(ConnectionDone));
fakePort.stopListening();
fake.advance(0);
fake.assertClean();

assert.equal(typeof use, 'function');
for (const [name, entry] of Object.entries({ simulation, matchers })) {
  assert.ok(Object.keys(entry).length > 0, `ropewalk's ${name} entry exports something`);
}

console.log(`The packed package works on Node ${process.version}.`);
