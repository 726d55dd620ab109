import { expect } from 'chai';
import type { Address } from '../../src/addresses.ts';
import type { HostResolution, ResolutionReceiver } from '../../src/interfaces/resolver.ts';
import { NodeResolver } from '../../src/node/node-resolver.ts';
import { settle, until } from './harness.ts';

class RecordingReceiver implements ResolutionReceiver {
  readonly events: string[] = [];
  cause: Error | undefined;
  onAddress: (() => void) | undefined;

  resolutionBegan(resolution: HostResolution): void {
    this.events.push(`began ${resolution.name}`);
  }
  addressResolved(address: Address): void {
    this.events.push(String(address));
    this.onAddress?.();
  }
  resolutionComplete(cause?: Error): void {
    this.cause = cause;
    this.events.push('complete');
  }
  get completed(): boolean {
    return this.events.includes('complete');
  }
}

describe('the resolver of Node', () => {
  const resolver = new NodeResolver();

  it('finds the addresses of localhost, with the port and the transport asked for', async () => {
    const receiver = new RecordingReceiver();
    const options = { port: 80, families: ['IPv4'], transport: 'UDP' } as const;
    const resolution = resolver.resolveHostName(receiver, 'localhost', options);
    expect(resolution.name).to.equal('localhost');
    expect(receiver.events, 'only the beginning comes from inside').to.deep.equal(['began localhost']);
    await until(() => receiver.completed);
    expect(receiver.events).to.deep.equal([
      'began localhost',
      "IPv4Address(type='UDP', host='127.0.0.1', port=80)",
      'complete',
    ]);
    expect(receiver.cause).to.equal(undefined);
  });

  it('takes address literals, of the families asked for', async () => {
    const [found, filtered] = [new RecordingReceiver(), new RecordingReceiver()];
    resolver.resolveHostName(found, '::1');
    resolver.resolveHostName(filtered, '::1', { families: ['IPv4'] });
    expect(found.events).to.have.lengthOf(1);
    await until(() => found.completed && filtered.completed);
    expect(found.events[1]).to.equal("IPv6Address(type='TCP', host='::1', port=0)");
    expect(filtered.events).to.deep.equal(['began ::1', 'complete']);
  });

  it('says why nothing was found', async () => {
    const receiver = new RecordingReceiver();
    resolver.resolveHostName(receiver, 'no-such-host.invalid');
    await until(() => receiver.completed);
    expect(receiver.events).to.have.lengthOf(2);
    expect(receiver.cause).to.have.property('code').that.is.oneOf(['ENOTFOUND', 'EAI_AGAIN']);
  });

  it('throws nothing for names that cannot be looked up', async () => {
    for (const name of ['', 'nul\0nul', 'x'.repeat(300)]) {
      const receiver = new RecordingReceiver();
      resolver.resolveHostName(receiver, name);
      expect(receiver.events).to.have.lengthOf(1);
      await until(() => receiver.completed);
      expect(receiver.events).to.have.lengthOf(2);
    }
  });

  it('tells nothing more once cancelled: at once, or at an address', async () => {
    const atOnce = new RecordingReceiver();
    const resolution = resolver.resolveHostName(atOnce, '127.0.0.1');
    resolution.cancel();
    const atAddress = new RecordingReceiver();
    const second = resolver.resolveHostName(atAddress, '127.0.0.1');
    atAddress.onAddress = () => second.cancel();
    await until(() => atAddress.events.length === 2);
    await settle();
    expect(atOnce.events).to.deep.equal(['began 127.0.0.1']);
    expect(atAddress.completed).to.equal(false);
  });
});
