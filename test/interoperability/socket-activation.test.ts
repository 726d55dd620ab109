/** Services of Ropewalk that are started by systemd-socket-activate, which opens their sockets and waits for a connection. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  ConnectionDone,
  connectProtocol,
  type StreamClientEndpoint,
  TCP4ClientEndpoint,
  TCP6ClientEndpoint,
  UNIXClientEndpoint,
} from 'ropewalk';
import { type Child, useChildren } from './support/child.ts';
import { freePort } from './support/free-port.ts';
import { requirePeer, STARTING_MILLISECONDS, SYSTEMD } from './support/require-peer.ts';
import { LOOPBACK, useReactor } from './support/running-reactor.ts';
import { Witness } from './support/witness.ts';

const SERVICE = fileURLToPath(new URL('support/activated.ts', import.meta.url));

/** What it says when it has opened a socket. */
function listeningOn(place: string): RegExp {
  return new RegExp(`^Listening on ${place.replaceAll(/[[\].]/g, '\\$&')} as \\d+`);
}

describe('started by systemd-socket-activate', function () {
  this.timeout(STARTING_MILLISECONDS);
  requirePeer(SYSTEMD);
  const running = useReactor();
  const start = useChildren();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Starts the service, and waits until its sockets are there. */
  async function activate(listenOn: readonly string[], options: readonly string[] = [], mode?: string): Promise<Child> {
    const service = [process.execPath, '--conditions=ropewalk-source', '--import=tsx', SERVICE];
    const args = [...listenOn.map((place) => `--listen=${place}`), ...options, ...service];
    const child = start(SYSTEMD.command, mode === undefined ? args : [...args, mode]);
    for (const place of listenOn) await child.line(listeningOn(place));
    return child;
  }

  /** Says something, and returns all that comes until the end of the connection. */
  async function say(endpoint: StreamClientEndpoint, text: string): Promise<string> {
    const ours = await connectProtocol(endpoint, new Witness({ made: (transport) => void transport.write(text) }));
    await ours.lost();
    if (text !== 'stop') expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    return ours.text;
  }

  const overTCP = (port: number): StreamClientEndpoint => new TCP4ClientEndpoint(running().reactor, LOOPBACK, port);
  const overUNIX = (path: string): StreamClientEndpoint => new UNIXClientEndpoint(running().reactor, path);

  /** The service ends, with nothing open and nothing in its environment. */
  async function expectCleanEnd(service: Child): Promise<void> {
    await service.line(/^ended with 0 descriptors open, none in the environment$/);
    expect(await service.ended()).to.equal(0);
  }

  it('serves the connection that it was started for, and those after it', async () => {
    const port = await freePort();
    const service = await activate([`${LOOPBACK}:${port}`]);
    const host = `IPv4Address(type='TCP', host='${LOOPBACK}', port=${port})`;
    expect(await say(overTCP(port), 'hello')).to.equal(`unknown, from ${host}: hello`);
    await service.line(new RegExp(`^serving unknown at .*port=${port}`));
    const replies = await Promise.all(['1', '2', '3'].map((text) => say(overTCP(port), text)));
    expect(replies).to.deep.equal(['1', '2', '3'].map((text) => `unknown, from ${host}: ${text}`));
    await say(overTCP(port), 'stop');
    await expectCleanEnd(service);
  });

  it('serves several sockets by their names: IPv4, IPv6 and a path', async () => {
    const [port, portOnIPv6] = [await freePort(), await freePort()];
    const path = join(folder, 's');
    const places = [`${LOOPBACK}:${port}`, `[::1]:${portOnIPv6}`, path];
    const service = await activate(places, ['--fdname=web:web:admin']);
    expect(await say(overUNIX(path), 'hello')).to.equal(`admin, from UNIXAddress('${path}'): hello`);
    expect(await say(overTCP(port), 'hello')).to.match(/^web, from IPv4Address\(.*: hello$/);
    const overIPv6 = new TCP6ClientEndpoint(running().reactor, '::1', portOnIPv6);
    expect(await say(overIPv6, 'hello')).to.match(/^web, from IPv6Address\(type='TCP', host='::1'.*: hello$/);
    await say(overUNIX(path), 'stop');
    await expectCleanEnd(service);
  });

  it('serves one connection with each of its processes, with --accept', async () => {
    const path = join(folder, 's');
    const service = await activate([path], ['--accept'], 'connection');
    const replies = await Promise.all(['1', '2'].map((text) => say(overUNIX(path), text)));
    expect(replies).to.deep.equal(['1', '2'].map((text) => `connection, from UNIXAddress('${path}'): ${text}`));
    await service.line(/^Child \d+ died with code 0$/);
    await service.line(/^Child \d+ died with code 0$/);
  });

  it('serves its standard input, with --accept and --inetd', async () => {
    const port = await freePort();
    const service = await activate([`${LOOPBACK}:${port}`], ['--accept', '--inetd'], '0');
    expect(await say(overTCP(port), 'hello')).to.match(/^0, from IPv4Address\(.*: hello$/);
    await service.line(/^Child \d+ died with code 0$/);
  });
});
